//! Errors of the core as exceptions of `recollect.exceptions`.

use std::error::Error as _;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyType;
use recollect_model::{Error, ErrorCode};

const fn class_name(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::NotFound => "NotFoundError",
        ErrorCode::AlreadyExists => "AlreadyExistsError",
        ErrorCode::InvalidInput => "InvalidInputError",
        ErrorCode::PermissionDenied => "PermissionDeniedError",
        ErrorCode::Conflict => "ConflictError",
        ErrorCode::Locked => "LockedError",
        ErrorCode::Timeout => "DeadlineExceededError",
        ErrorCode::Cancelled => "CancelledError",
        ErrorCode::Corrupt => "CorruptError",
        ErrorCode::Unsupported => "UnsupportedError",
        ErrorCode::Closed => "ClosedError",
        ErrorCode::Io => "StorageIOError",
        ErrorCode::Embedder => "EmbedderError",
        _ => "InternalError",
    }
}

/// The exception for an error.
pub(crate) fn to_exception(py: Python<'_>, error: &Error) -> PyErr {
    let raise = || -> PyResult<PyErr> {
        let class = py.import("recollect.exceptions")?.getattr(class_name(error.code()))?;
        let class = class.cast_into::<PyType>()?;
        let exception = PyErr::from_type(class, (error.to_string(), error.hint().to_owned()));
        // What an embedder raised is the cause of what its caller sees.
        if let Some(cause) = error.source().and_then(|source| source.downcast_ref::<PyErr>()) {
            exception.set_cause(py, Some(cause.clone_ref(py)));
        }
        Ok(exception)
    };
    raise().unwrap_or_else(|_| PyRuntimeError::new_err(error.to_string()))
}

/// Turns the result of a conversion into a Python one.
pub(crate) trait OrRaise<T> {
    /// The value, or the exception for the error.
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for recollect_model::Result<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| to_exception(py, &error))
    }
}
