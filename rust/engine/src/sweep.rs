//! Removing for good what is due: items that have expired, and items whose undo window has closed.

use std::sync::Arc;

use recollect_model::{Call, Clock, Error, Operation, Result, Swept, Timestamp};
use recollect_storage::Database;
use recollect_storage::rows::removal::{self, Deadlines};

use crate::store::Store;
use crate::write::{Commit, commit};

/// So many items are removed in one commit, so that other writers need not wait long.
const BATCH: usize = 256;

/// What a sweep needs. A thread may hold one without holding the store.
pub(crate) struct Sweep {
    pub database: Arc<Database>,
    pub clock: Arc<dyn Clock>,
    pub principal: String,
    pub undo_window_micros: i64,
}

impl Sweep {
    fn deadlines(&self, now: Timestamp) -> Deadlines {
        Deadlines { expired: now, deleted: now.plus_micros(-self.undo_window_micros) }
    }

    /// Removes what is due, until nothing is. Takes no guard where nothing is due at all.
    pub fn run(&self, call: &Call) -> Result<Swept> {
        let mut total = Swept::default();
        loop {
            let deadlines = self.deadlines(self.clock.now());
            if !removal::is_any_due(&*self.database.read(call)?, deadlines)? {
                return Ok(total);
            }
            let batch = commit(&self.database, &*self.clock, &self.principal, call, |commit| self.batch(commit))?;
            if batch == Swept::default() {
                // Another process was faster, or the clock went back.
                return Ok(total);
            }
            total.expired += batch.expired;
            total.deleted += batch.deleted;
        }
    }

    fn batch(&self, commit: &mut Commit<'_>) -> Result<Swept> {
        let mut swept = Swept::default();
        for due in removal::due(commit.transaction, self.deadlines(commit.now), BATCH)? {
            removal::remove(commit.transaction, due.row, due.id, due.kind)?;
            commit.log(Some(due.row), Some(due.kind), Operation::Swept);
            *(if due.is_expired { &mut swept.expired } else { &mut swept.deleted }) += 1;
        }
        if swept != Swept::default() {
            removal::forget_unused_tags(commit.transaction)?;
        }
        Ok(swept)
    }
}

impl Store {
    /// Removes for good the items that have expired and those that were deleted longer ago than the undo window lasts,
    /// in commits of 256, until nothing is due. Their content is not overwritten at once, as [`Store::purge`] does it.
    ///
    /// # Errors
    ///
    /// `PermissionDenied` for a store opened read-only, `Locked`, `Timeout`, `Cancelled`, `Io`: the commits before it
    /// stand.
    pub fn sweep(&self, call: &Call) -> Result<Swept> {
        if self.database.is_read_only() {
            return Err(Error::permission_denied("the store is opened read-only").with_hint("open it for writing"));
        }
        self.sweeping().run(call)
    }
}
