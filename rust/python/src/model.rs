//! The built-in embedding model, as a class.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use recollect_engine::{Embedder, StaticEmbedder};

use crate::argument::Argument;
use crate::arrays::to_bytes;
use crate::enter::{Limits, enter};
use crate::errors::OrRaise;
use crate::exit::Inside;

/// The built-in embedding model.
#[pyclass(name = "StaticModel", module = "recollect", frozen)]
pub(crate) struct PyStaticModel(Arc<StaticEmbedder>);

impl PyStaticModel {
    /// The model, to be shared with a store.
    pub fn embedder(&self) -> Arc<dyn Embedder> {
        Arc::clone(&self.0) as Arc<dyn Embedder>
    }
}

/// A hash in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[pymethods]
impl PyStaticModel {
    #[new]
    fn new(py: Python<'_>, tokenizer: &str, weights: &str) -> PyResult<Self> {
        let _inside = Inside::enter(py)?;
        let model = enter(py, &Limits::none(py), |_| StaticEmbedder::load(Path::new(tokenizer), Path::new(weights)))?;
        Ok(Self(Arc::new(model)))
    }

    #[getter]
    fn name(&self) -> &str {
        &self.0.space().name
    }

    #[getter]
    fn revision(&self) -> &str {
        &self.0.space().revision
    }

    #[getter]
    fn dimension(&self) -> usize {
        self.0.space().dimension
    }

    #[getter]
    fn weights_hash(&self) -> String {
        hex(&self.0.model().weights_hash())
    }

    fn embed<'py>(&self, py: Python<'py>, texts: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let _inside = Inside::enter(py)?;
        let texts = Argument::new("texts", texts).texts().or_raise(py)?;
        let vectors = enter(py, &Limits::none(py), |call| {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            self.0.embed_documents(&texts, call)
        })?;
        to_bytes(py, &vectors, f32::to_ne_bytes)
    }

    fn token_ids(&self, py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<Vec<u32>> {
        let _inside = Inside::enter(py)?;
        Ok(self.0.model().token_ids(&Argument::new("text", text).text().or_raise(py)?))
    }

    fn token_count(&self, py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<usize> {
        let _inside = Inside::enter(py)?;
        Ok(self.0.model().token_count(&Argument::new("text", text).text().or_raise(py)?))
    }
}
