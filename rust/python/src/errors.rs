//! Errors of the core as exceptions of `recollect.exceptions`.

use std::error::Error as _;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use recollect_model::{Error, ErrorCode};

/// The exception classes, in the order of [`ErrorCode::ALL`].
static CLASSES: PyOnceLock<Vec<Py<PyType>>> = PyOnceLock::new();

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

/// Looks the classes up, so that they are there when errors are raised: an interpreter that is about to end imports no
/// more, and may still use a store.
pub(crate) fn load(py: Python<'_>) -> PyResult<&Vec<Py<PyType>>> {
    CLASSES.get_or_try_init(py, || {
        let exceptions = py.import("recollect.exceptions")?;
        let class = |code: &ErrorCode| Ok(exceptions.getattr(class_name(*code))?.cast_into::<PyType>()?.unbind());
        ErrorCode::ALL.iter().map(class).collect()
    })
}

fn class(py: Python<'_>, code: ErrorCode) -> PyResult<Bound<'_, PyType>> {
    let place = ErrorCode::ALL.iter().position(|known| *known == code);
    let class = place.and_then(|place| load(py).ok()?.get(place));
    class.map(|class| class.bind(py).clone()).ok_or_else(|| PyRuntimeError::new_err("no exception class"))
}

/// The exception for an error.
pub(crate) fn to_exception(py: Python<'_>, error: &Error) -> PyErr {
    let raise = || -> PyResult<PyErr> {
        // Made here and now: left to the moment when it is raised, the class would run bytecode where nobody counts it.
        let exception = PyErr::from_value(class(py, error.code())?.call1((error.to_string(), error.hint()))?);
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
