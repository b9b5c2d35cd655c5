//! An embedder written in Python, as the core sees it. It is only called outside of transactions.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyList;
use recollect_engine::Embedder;
use recollect_model::{Call, Error, Result, Space};

use crate::argument::{Argument, text};
use crate::arrays::rows;
use crate::enter::end_with;
use crate::exit::Inside;

/// How many texts are handed over at once, so that a cancelled call need not wait for all of them.
const BATCH: usize = 256;

/// An object with the `Embedder` protocol.
pub(crate) struct PythonEmbedder {
    object: Py<PyAny>,
    space: Space,
}

impl PythonEmbedder {
    /// Reads what identifies its space.
    pub fn new(object: &Bound<'_, PyAny>) -> Result<Self> {
        let attribute = |name: &str| {
            object.getattr(name).map_err(|error| Error::invalid(format!("the embedder has no {name}: {error}")))
        };
        let name = text("the embedder's name", &attribute("name")?)?;
        let dimension = Argument::new("the embedder's dimension", &attribute("dimension")?).size()?;
        let revision = match object.getattr_opt("revision") {
            Ok(Some(revision)) => Argument::new("the embedder's revision", &revision).optional(Argument::text)?,
            _ => None,
        };
        let space = Space { name, revision: revision.unwrap_or_default(), dimension, weights_hash: None };
        Ok(Self { object: object.clone().unbind(), space })
    }

    fn embed(&self, method: &str, texts: &[&str], call: &Call) -> Result<Vec<f32>> {
        let mut vectors = Vec::with_capacity(texts.len() * self.space.dimension);
        for batch in texts.chunks(BATCH) {
            call.check()?;
            Python::attach(|py| self.embed_batch(py, method, batch, &mut vectors))?;
        }
        Ok(vectors)
    }

    fn embed_batch(&self, py: Python<'_>, method: &str, texts: &[&str], vectors: &mut Vec<f32>) -> Result<()> {
        let failed = |error: PyErr| {
            // What is no `Exception` is no failure of the embedder: Ctrl-C, the end of the interpreter.
            if !error.is_instance_of::<PyException>(py) {
                return end_with(error);
            }
            Error::embedder(format!("the embedder's {method} failed")).with_source(error)
        };
        let _inside = Inside::enter(py).map_err(end_with)?;
        let list = PyList::new(py, texts).map_err(failed)?;
        let answer = self.object.bind(py).call_method1(method, (list,)).map_err(failed)?;
        let (values, columns) = rows(&format!("what {method} returned"), &answer).map_err(|error| {
            Error::embedder(error.message()).with_hint("return a C-ordered array of float32 of shape (n, d)")
        })?;
        if columns != self.space.dimension || values.len() != texts.len() * columns {
            return Err(Error::embedder(format!(
                "the embedder's {method} returned {} values in rows of {columns} for {} texts of {} dimensions",
                values.len(),
                texts.len(),
                self.space.dimension
            )));
        }
        vectors.extend(values);
        Ok(())
    }
}

impl Embedder for PythonEmbedder {
    fn space(&self) -> &Space {
        &self.space
    }

    fn embed_documents(&self, texts: &[&str], call: &Call) -> Result<Vec<f32>> {
        self.embed("embed_documents", texts, call)
    }

    fn embed_queries(&self, texts: &[&str], call: &Call) -> Result<Vec<f32>> {
        self.embed("embed_queries", texts, call)
    }
}
