//! The tables of limits and errors.

use pyo3::prelude::*;
use recollect_model::{ErrorCode, limits as model};

/// Every limit: name, value, unit, what it bounds.
#[pyfunction]
pub(crate) fn limits() -> Vec<(&'static str, u64, &'static str, &'static str)> {
    model::LIMITS.iter().map(|limit| (limit.name, limit.value, limit.unit, limit.about)).collect()
}

/// Every error: code, whether it is retryable, exit status, default hint.
#[pyfunction]
pub(crate) fn error_table() -> Vec<(&'static str, bool, u8, &'static str)> {
    ErrorCode::ALL
        .iter()
        .map(|code| (code.as_str(), code.is_retryable(), code.exit_code(), code.default_hint()))
        .collect()
}
