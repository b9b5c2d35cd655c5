//! Waiting that ends at a deadline, when the caller cancels, or at Ctrl-C.

use std::thread;
use std::time::{Duration, Instant};

use recollect_model::{Call, ErrorCode, Result};

/// How long one call waits, and who may stop it meanwhile.
pub(crate) struct Patience<'c> {
    call: &'c Call,
    started: Instant,
    until: Instant,
    next_question: Instant,
}

impl<'c> Patience<'c> {
    /// Waits to the deadline of the call; one without a deadline waits for `limit`.
    pub(crate) fn new(call: &'c Call, limit: Duration) -> Self {
        let started = Instant::now();
        let until = call.deadline().unwrap_or_else(|| Call::deadline_after(started, limit));
        Self { call, started, until, next_question: started + Call::INTERRUPT_INTERVAL }
    }

    /// Whether there is time left.
    ///
    /// # Errors
    ///
    /// `Cancelled`.
    pub(crate) fn lasts(&mut self) -> Result<bool> {
        let now = Instant::now();
        let asked = if now >= self.next_question {
            self.next_question = now + Call::INTERRUPT_INTERVAL;
            self.call.check_interrupt()
        } else {
            self.call.check()
        };
        match asked {
            Err(error) if error.code() == ErrorCode::Timeout => Ok(false),
            Err(error) => Err(error),
            Ok(()) => Ok(now < self.until),
        }
    }

    /// How long to sleep at most before asking again.
    pub(crate) fn pause(&self) -> Duration {
        const STEP: Duration = Duration::from_millis(10);
        self.until.saturating_duration_since(Instant::now()).min(STEP)
    }

    /// How long it has waited.
    pub(crate) fn waited(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Between two attempts at what another process keeps locked for a moment.
const PAUSE: Duration = Duration::from_micros(200);

/// Tries again as long as the engine answers that the file is locked, and the call has time. The guard keeps our own
/// writers apart; but another process may be recovering the log, or have stopped in the middle of a commit.
///
/// # Errors
///
/// `Locked` when the time ran out, `Cancelled`, and whatever else the attempt fails with.
pub(crate) fn while_locked<T>(call: &Call, limit: Duration, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    let mut patience = Patience::new(call, limit);
    loop {
        match attempt() {
            Err(error) if error.code() == ErrorCode::Locked && patience.lasts()? => thread::sleep(PAUSE),
            outcome => return outcome,
        }
    }
}
