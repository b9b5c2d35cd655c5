//! The progress handler: deadline, cancel and Ctrl-C inside a running statement.

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use recollect_model::{Call, Error, Result};

/// How many instructions of the engine pass between two questions. Measured: at this distance the questions cost
/// nothing that can be seen, and a deadline of 50 ms is met within 0.1 ms.
pub(super) const INSTRUCTIONS: c_int = 4_000;

/// What the handler asks, and the answer that stopped a statement.
#[derive(Default)]
pub(super) struct Progress(RefCell<State>);

#[derive(Default)]
struct State {
    limits: Option<Limits>,
    reason: Option<Error>,
}

struct Limits {
    call: Call,
    asked: Instant,
}

impl Progress {
    /// Applies the limits of `call` to what runs next.
    pub(super) fn arm(&self, call: &Call) {
        let mut state = self.0.borrow_mut();
        state.limits = Some(Limits { call: call.clone(), asked: Instant::now() });
        state.reason = None;
    }

    /// Lifts the limits.
    pub(super) fn disarm(&self) {
        let mut state = self.0.borrow_mut();
        state.limits = None;
        state.reason = None;
    }

    /// Why the last statement was stopped.
    pub(super) fn take_reason(&self) -> Option<Error> {
        self.0.borrow_mut().reason.take()
    }

    fn ask(&self) -> Result<()> {
        // The host's answer to "was I interrupted" may run its own code; no borrow is held meanwhile.
        let (call, is_due) = {
            let mut state = self.0.borrow_mut();
            let Some(limits) = state.limits.as_mut() else { return Ok(()) };
            let is_due = limits.call.interrupt().is_some() && limits.asked.elapsed() >= Call::INTERRUPT_INTERVAL;
            if is_due {
                limits.asked = Instant::now();
            } else {
                return limits.call.check();
            }
            (limits.call.clone(), is_due)
        };
        if is_due { call.check_interrupt() } else { Ok(()) }
    }

    /// Whether the statement must stop.
    fn must_stop(&self) -> bool {
        match self.ask() {
            Ok(()) => false,
            Err(reason) => {
                self.0.borrow_mut().reason = Some(reason);
                true
            }
        }
    }
}

/// What libSQL calls. `data` is the [`Progress`] of the connection.
pub(super) unsafe extern "C" fn tick(data: *mut c_void) -> c_int {
    // SAFETY: `Handle` registers its own `Progress`, frees it only after it took the handler away, and libSQL calls
    // on the thread that steps, which is the only one that uses the connection.
    let progress = unsafe { &*data.cast::<Progress>() };
    // A panic must not cross into C; it stops the statement.
    c_int::from(catch_unwind(AssertUnwindSafe(|| progress.must_stop())).unwrap_or(true))
}
