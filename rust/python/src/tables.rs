//! The tables of limits and errors, and the yardstick of the benchmarks.

use std::hint::black_box;
use std::time::Instant;

use pyo3::prelude::*;
use recollect_model::{ErrorCode, limits as model};
use recollect_vector::Kernel;

use crate::arrays::floats;
use crate::errors::OrRaise;

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

/// Seconds to sum a float32 array once with the widest kernel.
#[pyfunction]
pub(crate) fn read_bandwidth(py: Python<'_>, array: &Bound<'_, PyAny>) -> PyResult<f64> {
    let values = floats("array", array).or_raise(py)?;
    Ok(py.detach(|| {
        let kernel = Kernel::best();
        let begun = Instant::now();
        black_box(kernel.sum(black_box(&values)));
        begun.elapsed().as_secs_f64()
    }))
}
