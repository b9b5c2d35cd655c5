//! Which process opened a store: libSQL handles and their locks do not survive a fork.

use recollect_model::{Error, Result};

/// What to do instead of using a store across a fork.
pub(crate) const FORK_HINT: &str =
    "open the store after the fork only, or start the child without one (multiprocessing: \"spawn\" or \"forkserver\")";

/// The process that made a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process(u32);

impl Process {
    /// This process.
    pub(crate) fn current() -> Self {
        Self(std::process::id())
    }

    /// Whether the value still is in the process that made it.
    pub(crate) fn is_current(self) -> bool {
        self.0 == std::process::id()
    }

    /// Refuses use in a forked child.
    pub(crate) fn check(self) -> Result<()> {
        if self.is_current() {
            return Ok(());
        }
        Err(Error::closed(format!("the store was opened by process {}, which forked this one", self.0))
            .with_hint(FORK_HINT))
    }
}
