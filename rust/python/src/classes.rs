//! The classes of `recollect.records` that answers are built from.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

macro_rules! classes {
    ($($field:ident = $name:literal,)*) => {
        /// Each class, looked up once.
        pub(crate) struct Classes { $(pub $field: Py<PyAny>,)* }

        impl Classes {
            fn load(py: Python<'_>) -> PyResult<Self> {
                let records = py.import("recollect.records")?;
                Ok(Self { $($field: records.getattr($name)?.unbind(),)* })
            }
        }
    };
}

classes! {
    rule = "Rule",
    doc = "Doc",
    reference = "Ref",
    add_warning = "AddWarning",
    added = "Added",
    page = "Page",
    deleted = "Deleted",
    deleted_many = "DeletedMany",
    purged = "Purged",
    swept = "Swept",
    version = "Version",
    piece = "Piece",
    project = "Project",
    change = "Change",
    hit = "Hit",
    search_result = "SearchResult",
    space = "Space",
    store_stats = "StoreStats",
    reader_stats = "ReaderStats",
    guard_stats = "GuardStats",
    checkpoint_stats = "CheckpointStats",
    index_stats = "IndexStats",
    check_report = "CheckReport",
    checkpoint = "Checkpoint",
}

/// The classes.
pub(crate) fn classes(py: Python<'_>) -> PyResult<&'static Classes> {
    static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();
    CLASSES.get_or_try_init(py, || Classes::load(py))
}
