//! The Python binding: converts, detaches from the interpreter, maps errors; decides nothing.

use pyo3::prelude::*;

mod argument;
mod arrays;
mod classes;
mod drafts;
mod embedder;
mod enter;
mod errors;
mod exit;
mod filters;
mod json;
mod model;
mod opening;
mod parameters;
mod patch;
mod process;
mod records;
mod store;
mod tables;
mod times;

/// The compiled core of recollect.
#[pymodule]
mod _core {
    #[pymodule_export]
    use crate::enter::PyCancelToken;
    #[pymodule_export]
    use crate::exit::end;
    #[pymodule_export]
    use crate::model::PyStaticModel;
    #[pymodule_export]
    use crate::process::lock_descriptors;
    #[pymodule_export]
    use crate::store::PyStore;
    #[pymodule_export]
    use crate::tables::{error_table, limits};
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::errors::load(module.py())?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
