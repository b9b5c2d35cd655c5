//! The limits of one call: how long it may take, and who may stop it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// A flag that stops the calls it was given to. Clones share the flag.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Stops every call that holds this token, now or later.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether `cancel` was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Asks the host whether the person at the keyboard wants to stop (Ctrl-C).
///
/// It is asked from inside long loops and from libSQL's progress handler, at most every
/// [`Call::INTERRUPT_INTERVAL`].
pub trait Interrupt: Send + Sync {
    /// Whether a signal arrived.
    fn is_interrupted(&self) -> bool;
}

/// The limits of one call.
#[derive(Clone, Default)]
pub struct Call {
    deadline: Option<Instant>,
    cancel: Option<CancelToken>,
    interrupt: Option<Arc<dyn Interrupt>>,
}

impl Call {
    /// How often a running call asks [`Interrupt`].
    pub const INTERRUPT_INTERVAL: Duration = Duration::from_millis(50);

    /// No limits.
    pub fn unlimited() -> Self {
        Self::default()
    }

    /// Ends the call that long from now.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.deadline = Some(Self::deadline_after(Instant::now(), timeout));
        self
    }

    /// The moment that long after another; where the clock cannot say it, one that no process lives to see.
    pub fn deadline_after(start: Instant, timeout: Duration) -> Instant {
        const CENTURY: Duration = Duration::from_hours(100 * 365 * 24);
        start.checked_add(timeout.min(CENTURY)).unwrap_or(start)
    }

    /// Ends the call when the token is cancelled.
    #[must_use]
    pub fn with_cancel(mut self, cancel: CancelToken) -> Self {
        self.cancel = Some(cancel);
        self
    }

    /// Ends the call when the host was interrupted.
    #[must_use]
    pub fn with_interrupt(mut self, interrupt: Arc<dyn Interrupt>) -> Self {
        self.interrupt = Some(interrupt);
        self
    }

    /// When the call must have ended.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whoever knows of Ctrl-C.
    pub fn interrupt(&self) -> Option<&Arc<dyn Interrupt>> {
        self.interrupt.as_ref()
    }

    /// Whether the deadline or the token ends the call; cheap enough for every few microseconds of work.
    ///
    /// # Errors
    ///
    /// `Timeout` or `Cancelled`.
    pub fn check(&self) -> Result<()> {
        if self.cancel.as_ref().is_some_and(CancelToken::is_cancelled) {
            return Err(Error::cancelled("the call was cancelled"));
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Error::timeout("the call ran out of time"));
        }
        Ok(())
    }

    /// As [`Self::check`], and asks for Ctrl-C too. For loops that have not asked for
    /// [`Self::INTERRUPT_INTERVAL`].
    ///
    /// # Errors
    ///
    /// `Timeout` or `Cancelled`.
    pub fn check_interrupt(&self) -> Result<()> {
        if self.interrupt.as_ref().is_some_and(|interrupt| interrupt.is_interrupted()) {
            return Err(Error::cancelled("the call was interrupted"));
        }
        self.check()
    }
}
