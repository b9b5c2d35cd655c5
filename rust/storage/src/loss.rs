//! The loss of a handle: after a failure of the disk nobody knows what it holds.
//!
//! When a write or a sync fails, the system may keep, or have dropped, what was written before, and a later sync that
//! succeeds says nothing about it. So the handle takes no further call; opening the store anew reads what is there.

use std::sync::OnceLock;

use recollect_model::{Error, Result};

/// Whether a handle is lost, and to what.
#[derive(Default)]
pub(crate) struct Loss(OnceLock<String>);

impl Loss {
    /// Gives the handle up. The first cause is the one that is told.
    pub(crate) fn record(&self, cause: &str) {
        let _first = self.0.set(cause.to_owned());
    }

    /// Refuses a call to a handle that is lost.
    ///
    /// # Errors
    ///
    /// `Io`.
    pub(crate) fn check(&self) -> Result<()> {
        let Some(cause) = self.0.get() else { return Ok(()) };
        Err(Error::io(format!("the handle is lost, and the store must be opened again: {cause}"))
            .with_hint("close the store and open it again; what was acknowledged is there"))
    }
}
