//! Metadata: Python objects to JSON text and back.

use std::fmt::Write;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};
use recollect_model::{Error, Result, limits};

/// A dict as JSON text. Only what comes back exactly is taken: dicts with str keys, lists, str, int, finite float,
/// bool and None.
pub(crate) fn object_from_python(name: &str, value: &Bound<'_, PyAny>) -> Result<String> {
    let dict = value.cast::<PyDict>().map_err(|_| Error::invalid(format!("{name} must be a dict")))?;
    if dict.is_empty() {
        return Ok("{}".to_owned());
    }
    let mut out = String::new();
    write_object(name, dict, &mut out, 1)?;
    Ok(out)
}

fn write_object(path: &str, dict: &Bound<'_, PyDict>, out: &mut String, depth: usize) -> Result<()> {
    check_depth(path, depth)?;
    out.push('{');
    for (number, (key, value)) in dict.iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        let key = key.cast::<PyString>().map_err(|_| Error::invalid(format!("a key in {path} is no str")))?;
        let key = utf8(path, key)?;
        write_text(key, out)?;
        out.push(':');
        write_value(&format!("{path}[{key:?}]"), &value, out, depth)?;
    }
    out.push('}');
    Ok(())
}

fn write_value(path: &str, value: &Bound<'_, PyAny>, out: &mut String, depth: usize) -> Result<()> {
    if value.is_none() {
        out.push_str("null");
    } else if let Ok(value) = value.cast::<PyBool>() {
        out.push_str(if value.is_true() { "true" } else { "false" });
    } else if let Ok(value) = value.cast::<PyString>() {
        write_text(utf8(path, value)?, out)?;
    } else if let Ok(value) = value.cast_exact::<PyInt>() {
        let digits = value.str().map_err(|_| Error::invalid(format!("{path} is too large an int")))?;
        out.push_str(utf8(path, &digits)?);
    } else if let Ok(value) = value.cast_exact::<PyFloat>() {
        let number = value.value();
        if !number.is_finite() {
            return Err(Error::invalid(format!("{path} is {number}, which JSON cannot say")));
        }
        // The shortest digits that give the same float again, always with a point or an exponent.
        let _ = write!(out, "{number:?}");
    } else if let Ok(list) = value.cast::<PyList>() {
        check_depth(path, depth + 1)?;
        out.push('[');
        for (number, item) in list.iter().enumerate() {
            if number > 0 {
                out.push(',');
            }
            write_value(&format!("{path}[{number}]"), &item, out, depth + 1)?;
        }
        out.push(']');
    } else if let Ok(dict) = value.cast::<PyDict>() {
        write_object(path, dict, out, depth + 1)?;
    } else {
        let found = value.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
        return Err(Error::invalid(format!("{path} is a {found}, which would not come back from JSON as it is"))
            .with_hint("metadata is made of dict with str keys, list, str, int, finite float, bool and None"));
    }
    if out.len() > limits::METADATA {
        return Err(Error::invalid(format!("the metadata has more than {} bytes as JSON", limits::METADATA)));
    }
    Ok(())
}

fn check_depth(path: &str, depth: usize) -> Result<()> {
    if depth > limits::METADATA_DEPTH {
        let path: String = path.chars().take(80).collect();
        return Err(Error::invalid(format!("{path}… is nested deeper than {} levels", limits::METADATA_DEPTH)));
    }
    Ok(())
}

fn utf8<'t>(path: &str, text: &'t Bound<'_, PyString>) -> Result<&'t str> {
    text.to_str().map_err(|_| Error::invalid(format!("{path} has a lone surrogate, which is no character")))
}

fn write_text(text: &str, out: &mut String) -> Result<()> {
    let quoted =
        serde_json::to_string(text).map_err(|source| Error::internal("a text has no JSON form").with_source(source))?;
    out.push_str(&quoted);
    Ok(())
}

/// A dict from JSON text.
pub(crate) fn object_to_python<'py>(py: Python<'py>, json: &str) -> PyResult<Bound<'py, PyAny>> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if json == "{}" {
        return Ok(PyDict::new(py).into_any());
    }
    LOADS.import(py, "json", "loads")?.call1((json,))
}
