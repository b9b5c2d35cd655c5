//! Open, closing, closed; and how many calls are running.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

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
    /// The threads that began the calls that run, once for each call.
    running: Vec<ThreadId>,
}

impl Lifecycle {
    pub(crate) fn new() -> Self {
        let state = State { phase: Phase::Open, running: Vec::new() };
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
        let thread = thread::current().id();
        state.running.push(thread);
        Ok(RunningCall { lifecycle: self, thread })
    }

    /// Refuses new calls and waits for those that run. False when the store is closed already, or another thread
    /// just closed it.
    ///
    /// # Errors
    ///
    /// `Locked` when calls still ran at the end of the time limit, and at once when this thread began one of them: it
    /// would wait for itself. The store stays open then. `Cancelled`.
    pub(crate) fn begin_close(&self, patience: &mut Patience<'_>) -> Result<bool> {
        let mut is_ours = false;
        let thread = thread::current().id();
        loop {
            let mut state = self.state();
            if state.phase != Phase::Closed && state.running.contains(&thread) {
                // Before anybody is told that the store is closing. A handler that closes while this waits is told, too.
                return Err(Error::locked("the store cannot be closed: this thread is inside a call of the store")
                    .with_hint("close it after the call that is running, not in a signal handler or callback"));
            }
            match state.phase {
                Phase::Closed => return Ok(false),
                Phase::Open => {
                    state.phase = Phase::Closing;
                    is_ours = true;
                }
                Phase::Closing => {}
            }
            if is_ours && state.running.is_empty() {
                return Ok(true);
            }
            let running = state.running.len();
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
    thread: ThreadId,
}

impl Drop for RunningCall<'_> {
    fn drop(&mut self) {
        if !self.lifecycle.process.is_current() {
            return;
        }
        let mut state = self.lifecycle.state();
        if let Some(position) = state.running.iter().position(|thread| *thread == self.thread) {
            state.running.swap_remove(position);
        }
        if state.running.is_empty() {
            drop(state);
            self.lifecycle.changed.notify_all();
        }
    }
}
