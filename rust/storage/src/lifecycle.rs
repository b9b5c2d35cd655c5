//! Open, closing, closed; and how many calls are running.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use recollect_model::{Error, Result};

use crate::patience::Patience;
use crate::process::Process;

/// The life of one opened store.
pub(crate) struct Lifecycle {
    process: Process,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    Closing,
    Closed,
}

struct State {
    phase: Phase,
    running: usize,
}

impl Lifecycle {
    pub(crate) fn new() -> Self {
        let state = State { phase: Phase::Open, running: 0 };
        Self { process: Process::current(), state: Mutex::new(state), changed: Condvar::new() }
    }

    /// The process that opened the store.
    pub(crate) fn process(&self) -> Process {
        self.process
    }

    /// Counts a call in, until what is returned is dropped.
    ///
    /// # Errors
    ///
    /// `Closed`, also in a forked child.
    pub(crate) fn enter(&self) -> Result<RunningCall<'_>> {
        // First of all: in a forked child the mutex may be held by a thread that is not there.
        self.process.check()?;
        let mut state = self.state();
        if state.phase != Phase::Open {
            return Err(Error::closed("the store is closed"));
        }
        state.running += 1;
        Ok(RunningCall { lifecycle: self })
    }

    /// Refuses new calls and waits for those that run. False when the store is closed already, or another thread
    /// just closed it.
    ///
    /// # Errors
    ///
    /// `Locked` when calls still ran at the end of the time limit; the store stays open then. `Cancelled`.
    pub(crate) fn begin_close(&self, patience: &mut Patience<'_>) -> Result<bool> {
        let mut is_ours = false;
        loop {
            let mut state = self.state();
            match state.phase {
                Phase::Closed => return Ok(false),
                Phase::Open => {
                    state.phase = Phase::Closing;
                    is_ours = true;
                }
                Phase::Closing => {}
            }
            if is_ours && state.running == 0 {
                return Ok(true);
            }
            let running = state.running;
            drop(self.changed.wait_timeout(state, patience.pause()).unwrap_or_else(PoisonError::into_inner));
            let lasts = patience.lasts();
            if !matches!(lasts, Ok(true)) {
                if is_ours {
                    self.state().phase = Phase::Open;
                    self.changed.notify_all();
                }
                lasts?;
                return Err(Error::locked(format!("the store cannot be closed: {running} calls are still running"))
                    .with_hint("end or cancel them first, or give a longer timeout"));
            }
        }
    }

    /// The store is closed.
    pub(crate) fn end_close(&self) {
        self.state().phase = Phase::Closed;
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that runs.
pub(crate) struct RunningCall<'l> {
    lifecycle: &'l Lifecycle,
}

impl Drop for RunningCall<'_> {
    fn drop(&mut self) {
        if !self.lifecycle.process.is_current() {
            return;
        }
        let mut state = self.lifecycle.state();
        state.running -= 1;
        if state.running == 0 {
            drop(state);
            self.lifecycle.changed.notify_all();
        }
    }
}
