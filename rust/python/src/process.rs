//! What the process holds of all open stores together.

use pyo3::prelude::*;

/// The descriptors of the lock files of every open store, for the child of a fork to give up.
#[pyfunction]
pub(crate) fn lock_descriptors() -> Vec<i32> {
    recollect_engine::lock_descriptors()
}
