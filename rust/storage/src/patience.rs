//! Waiting that ends at a deadline, when the caller cancels, or at Ctrl-C.

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
