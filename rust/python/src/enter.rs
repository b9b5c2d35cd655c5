//! The one door into the core: detaches from the interpreter, carries the limits of the call, honours Ctrl-C, maps
//! errors, and lets no panic out.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use recollect_model::{Call, CancelToken, Error, Interrupt, Result};

use crate::argument::Argument;
use crate::errors::{OrRaise, to_exception};
use crate::exit::{Outside, refuse_at_the_end};

/// A flag that stops the calls it was given to.
#[pyclass(name = "CancelToken", module = "recollect", frozen)]
#[derive(Default)]
pub(crate) struct PyCancelToken(CancelToken);

#[pymethods]
impl PyCancelToken {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    fn cancel(&self) {
        self.0.cancel();
    }

    #[getter]
    fn cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// Asks the interpreter for signals, and keeps the exception that its handler raised.
#[derive(Default)]
struct Signals {
    raised: Mutex<Option<PyErr>>,
}

impl Interrupt for Signals {
    fn is_interrupted(&self) -> bool {
        Python::attach(|py| match py.check_signals() {
            Ok(()) => false,
            Err(raised) => {
                *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(raised);
                true
            }
        })
    }
}

/// The limits of a call, as Python passed them.
pub(crate) struct Limits<'py> {
    pub timeout: Bound<'py, PyAny>,
    pub cancel: Option<Bound<'py, PyCancelToken>>,
}

impl<'py> Limits<'py> {
    /// No limits: for what is quick, or has none of its own.
    pub fn none(py: Python<'py>) -> Self {
        Self { timeout: py.None().into_bound(py), cancel: None }
    }
}

thread_local! {
    /// An exception such as `KeyboardInterrupt` that Python code below this call raised.
    static RAISED: Cell<Option<PyErr>> = const { Cell::new(None) };
}

/// Lets the call that is running on this thread end with an exception of its own, instead of a typed error.
pub(crate) fn end_with(raised: PyErr) -> Error {
    RAISED.set(Some(raised));
    Error::cancelled("the call was interrupted")
}

/// Runs `work` in the core.
pub(crate) fn enter<T: Send>(
    py: Python<'_>,
    limits: &Limits<'_>,
    work: impl FnOnce(&Call) -> Result<T> + Send,
) -> PyResult<T> {
    let signals = Arc::new(Signals::default());
    let mut call = Call::unlimited().with_interrupt(Arc::clone(&signals) as Arc<dyn Interrupt>);
    if let Some(seconds) = Argument::new("timeout", &limits.timeout).optional(Argument::seconds).or_raise(py)? {
        // What does not fit is longer than any machine runs.
        call = call.with_timeout(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
    }
    if let Some(cancel) = &limits.cancel {
        call = call.with_cancel(cancel.get().0.clone());
    }
    let outside = Outside::enter();
    let result = py.detach(|| catch_unwind(AssertUnwindSafe(|| call.check().and_then(|()| work(&call)))));
    drop(outside);
    refuse_at_the_end(py)?;
    let raised_below = RAISED.take();
    if let (Some(raised), false) = (raised_below, matches!(result, Ok(Ok(_)))) {
        return Err(raised);
    }
    if let Some(raised) = signals.raised.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(raised);
    }
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(to_exception(py, &error)),
        Err(panic) => {
            let what = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            Err(to_exception(py, &Error::internal(format!("the core panicked: {what}"))))
        }
    }
}
