//! Points in time: aware datetimes, in UTC on the way out.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use recollect_model::{Error, Result, Timestamp};

static DATETIME: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static TIMEDELTA: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static EPOCH: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

fn epoch(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    let epoch = EPOCH.get_or_try_init(py, || {
        let utc = py.import("datetime")?.getattr("timezone")?.getattr("utc")?;
        let datetime = DATETIME.import(py, "datetime", "datetime")?;
        PyResult::Ok(datetime.call1((1970, 1, 1, 0, 0, 0, 0, utc))?.unbind())
    })?;
    Ok(epoch.bind(py))
}

/// A datetime in UTC.
pub(crate) fn to_python(py: Python<'_>, time: Timestamp) -> PyResult<Bound<'_, PyAny>> {
    let delta = TIMEDELTA.import(py, "datetime", "timedelta")?.call1((0, 0, time.0))?;
    epoch(py)?.add(delta)
}

/// A datetime in UTC, or None.
pub(crate) fn optional_to_python(py: Python<'_>, time: Option<Timestamp>) -> PyResult<Option<Bound<'_, PyAny>>> {
    time.map(|time| to_python(py, time)).transpose()
}

/// A timedelta.
pub(crate) fn duration_to_python(py: Python<'_>, duration: Duration) -> PyResult<Bound<'_, PyAny>> {
    TIMEDELTA.import(py, "datetime", "timedelta")?.call1((0, 0, duration.as_micros()))
}

/// From an aware datetime of any zone.
pub(crate) fn from_python(name: &str, value: &Bound<'_, PyAny>) -> Result<Timestamp> {
    let py = value.py();
    let read = || -> PyResult<Option<Timestamp>> {
        if !value.is_instance(DATETIME.import(py, "datetime", "datetime")?)? {
            return Ok(None);
        }
        if value.call_method0("utcoffset")?.is_none() {
            return Ok(None);
        }
        let delta = value.sub(epoch(py)?)?;
        let part = |name: &str| delta.getattr(name)?.extract::<i64>();
        let seconds = part("days")? * 86_400 + part("seconds")?;
        Ok(Some(Timestamp(seconds * 1_000_000 + part("microseconds")?)))
    };
    match read() {
        Ok(Some(time)) => Ok(time),
        Ok(None) => Err(Error::invalid(format!("{name} must be a datetime with a time zone"))
            .with_hint("for example datetime.now(timezone.utc)")),
        Err(error) => Err(Error::invalid(format!("{name} cannot be read as a time: {error}"))),
    }
}
