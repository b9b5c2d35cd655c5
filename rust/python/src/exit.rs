//! The end of the interpreter: no thread but the one that ends it may be between Python and the core then.
//!
//! Before version 3.14, Python ends a thread that asks for the interpreter's lock during finalisation by
//! `pthread_exit`, which unwinds the thread's stack. Frames of Rust cannot be unwound so: the process is aborted. A
//! daemon thread runs that risk wherever Rust calls what runs bytecode: the constructors of records and exceptions, an
//! embedder. So whoever ends the interpreter refuses the calls of all other threads first, with an exception made
//! beforehand, and then waits until those that are inside are out. Threads that wait in the core, detached, do no harm:
//! the binding suspends them when they come back.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use recollect_model::Error;

use crate::argument::Argument;
use crate::errors::{OrRaise, to_exception};

/// How many threads are between Python and the core, attached to the interpreter or waiting for it.
static INSIDE: AtomicUsize = AtomicUsize::new(0);

/// Who ends the interpreter, and what the others are told.
static END: PyOnceLock<(ThreadId, Py<PyAny>)> = PyOnceLock::new();

thread_local! {
    /// How many calls of this thread are inside, one within the other.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Fails in every thread but that which ends the interpreter, once it does.
pub(crate) fn refuse_at_the_end(py: Python<'_>) -> PyResult<()> {
    match END.get(py) {
        Some((ending, refusal)) if *ending != thread::current().id() => {
            Err(PyErr::from_value(refusal.bind(py).clone()))
        }
        _ => Ok(()),
    }
}

/// A stay between Python and the core.
pub(crate) struct Inside(());

impl Inside {
    /// Counts the thread in, unless the interpreter ends.
    pub(crate) fn enter(py: Python<'_>) -> PyResult<Self> {
        refuse_at_the_end(py)?;
        count_in(DEPTH.get() + 1);
        Ok(Self(()))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        count_out(DEPTH.get().saturating_sub(1));
    }
}

/// A stay in the core, detached from the interpreter, in the middle of a stay between.
pub(crate) struct Outside(usize);

impl Outside {
    /// Counts the thread out, until what is returned is dropped.
    pub(crate) fn enter() -> Self {
        let depth = DEPTH.get();
        count_out(0);
        Self(depth)
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        count_in(self.0);
    }
}

fn count_in(depth: usize) {
    if DEPTH.replace(depth) == 0 && depth > 0 {
        INSIDE.fetch_add(1, Ordering::SeqCst);
    }
}

fn count_out(depth: usize) {
    if DEPTH.replace(depth) > 0 && depth == 0 {
        INSIDE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Refuses the calls of all other threads from now on, and waits, for at most that many seconds, until none is between
/// Python and the core. Whether none is.
#[pyfunction]
pub(crate) fn end(py: Python<'_>, seconds: &Bound<'_, PyAny>) -> PyResult<bool> {
    let patience = Argument::new("seconds", seconds).seconds().or_raise(py)?;
    let until = Instant::now() + Duration::try_from_secs_f64(patience.min(60.0)).unwrap_or_default();
    END.get_or_init(py, || {
        let refusal = to_exception(py, &Error::closed("the interpreter is ending"));
        (thread::current().id(), refusal.into_value(py).into_any())
    });
    py.detach(|| {
        while INSIDE.load(Ordering::SeqCst) > 0 && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
        }
    });
    Ok(INSIDE.load(Ordering::SeqCst) == 0)
}
