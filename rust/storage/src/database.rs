//! The store as the engine sees it.

use std::mem;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use recollect_model::{Call, Result};

use crate::backup::copy_to;
use crate::checkpointer::Checkpointer;
use crate::core::Core;
use crate::erasure::Erased;
use crate::migrations;
use crate::opening::{self, fix_snapshot};
use crate::options::OpenOptions;
use crate::patience::{Patience, while_locked};
use crate::raw::CheckpointMode;
use crate::snapshot::{Lease, Snapshot};
use crate::stats::{Checkpoint, DatabaseStats};
use crate::transaction::Transaction;
use crate::writer::WriterLease;

/// How long closing waits for the guard to checkpoint once more. Without that checkpoint nothing is lost: the next
/// open reads the log.
const CLOSING_LIMIT: Duration = Duration::from_millis(250);

/// One opened store. It may be shared between threads; in a forked child it refuses every call.
pub struct Database {
    core: Arc<Core>,
    checkpointer: Mutex<Option<Checkpointer>>,
}

impl Database {
    /// Opens a store: makes it if that is asked for, checks that it is one and undamaged as far as can be seen at
    /// once, brings its schema up to date (after copying it to `<store>.before-NNNN`), and starts the checkpointer.
    ///
    /// # Errors
    ///
    /// `NotFound`, `InvalidInput` for a path that cannot be a store, `Corrupt` for a foreign or damaged file,
    /// `Unsupported` for a newer schema or a network file system, `PermissionDenied`, `Locked`, `Timeout`,
    /// `Cancelled`, `Io`. Nothing is written to a file that is no store.
    pub fn open(options: OpenOptions, call: &Call) -> Result<Self> {
        let core = Arc::new(opening::open(options, migrations::ALL, call)?);
        let has_log = core.writer.is_some() && core.path.is_some();
        let checkpointer = if has_log { Some(Checkpointer::start(Arc::clone(&core))?) } else { None };
        Ok(Self { core, checkpointer: Mutex::new(checkpointer) })
    }

    /// Begins a read: what it sees is fixed now. The limits of the call apply to every query of the snapshot.
    ///
    /// # Errors
    ///
    /// `Closed`, `Timeout` when no read connection is free in time, `Cancelled`, `Corrupt`, `Io`.
    pub fn read(&self, call: &Call) -> Result<Snapshot<'_>> {
        let running = self.core.enter()?;
        let lease = match &self.core.readers {
            Some(readers) => Lease::Reader(readers.lease(call, || self.core.check_place())?),
            None => Lease::Memory(self.core.writer()?.lease(call)?),
        };
        lease.begin(call, "BEGIN")?;
        let snapshot = Snapshot::new(lease, running);
        while_locked(call, self.core.options().lock_timeout, || fix_snapshot(&snapshot))?;
        Ok(snapshot)
    }

    /// Runs a function inside a write transaction, under the guard, and commits what it did. An error or a panic in
    /// it, and the end of the call's time, undo the write as a whole.
    ///
    /// # Errors
    ///
    /// Whatever `f` fails with; `Locked` when the guard was not to be had in time, and at once when this
    /// thread is inside a write already, `Timeout`, `Cancelled`, `Closed`,
    /// `PermissionDenied` for a store opened read-only, `Conflict`, `Io`. A failure of the disk, other than a full one,
    /// loses the handle: every later call fails with `Io`, until the store is closed and opened again.
    pub fn write<T>(&self, call: &Call, f: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let _running = self.core.enter()?;
        let lease = self.core.writer()?.lease(call)?;
        self.core.check_place()?;
        let outcome = self.write_by(&lease, call, f);
        // Whatever became of the write, and even if `f` kept the failure to itself.
        if outcome.is_err() {
            lease.check_loss()?;
        }
        outcome
    }

    fn write_by<T>(
        &self,
        lease: &WriterLease<'_>,
        call: &Call,
        f: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        while_locked(call, self.core.options().lock_timeout, || lease.begin(call, "BEGIN IMMEDIATE"))?;
        let transaction = Transaction::new(lease);
        let value = f(&transaction)?;
        call.check_interrupt()?;
        lease.check_disk()?;
        lease.check_guard()?;
        transaction.commit()?;
        self.core.committed(lease.handle().wal_frames());
        Ok(value)
    }

    /// Copies the whole log into the file and cuts the log to nothing. It waits a moment, a fifth of a second at most,
    /// for readers that use the log. Busy means that one still does.
    ///
    /// # Errors
    ///
    /// As [`Self::write`].
    pub fn checkpoint(&self, call: &Call) -> Result<Checkpoint> {
        let _running = self.core.enter()?;
        self.core.cut(call)
    }

    /// Checkpoints in the given mode, and waits for no reader.
    ///
    /// # Errors
    ///
    /// As [`Self::write`].
    pub fn checkpoint_with(&self, mode: CheckpointMode, call: &Call) -> Result<Checkpoint> {
        let _running = self.core.enter()?;
        self.core.checkpoint(mode, call)
    }

    /// Overwrites what deleted rows left in the unused part of the pages, in the file and its log, and lets no
    /// connection of any process write it back. Reads the whole file under the guard; a store in memory has no file.
    ///
    /// Copies of the file, and what the disk itself keeps of blocks that were written over, are out of its reach.
    ///
    /// # Errors
    ///
    /// As [`Self::write`]; `Locked` also when a reader used the log, which holds older pages, until the time limit;
    /// `Unsupported` for a file of more than 33,554,431 pages (128 GiB). Called again, it starts anew.
    pub fn erase(&self, call: &Call) -> Result<Erased> {
        let _running = self.core.enter()?;
        crate::erasure::erase(&self.core, call)
    }

    /// Copies the store, as it is now, into one file that needs no other beside it.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` when there is such a file, `Io`, `Timeout`, `Cancelled`, `Closed`. Nothing is left behind then.
    pub fn backup_to(&self, path: &Path, call: &Call) -> Result<()> {
        let snapshot = self.read(call)?;
        copy_to(&snapshot, path, false, call)
    }

    /// What is damaged, one finding a line; nothing for a sound store. Reads the whole file.
    ///
    /// # Errors
    ///
    /// As [`Self::read`]; damage is a finding, not an error.
    pub fn integrity(&self, call: &Call) -> Result<Vec<String>> {
        let snapshot = self.read(call)?;
        crate::integrity::findings(&snapshot)
    }

    /// What was counted since the store was opened here.
    pub fn stats(&self) -> DatabaseStats {
        // In a forked child the pool may be locked by a thread that is not there.
        if self.core.lifecycle.process().is_current() { self.core.stats() } else { DatabaseStats::default() }
    }

    /// Ends the use of the store: refuses new calls, waits for those that run, checkpoints, and closes every
    /// connection. A second close does nothing, as does one in a forked child.
    ///
    /// # Errors
    ///
    /// `Locked` when calls still ran at the end of the time limit (the store stays open), `Cancelled`.
    pub fn close(&self, call: &Call) -> Result<()> {
        if !self.core.lifecycle.process().is_current() {
            return Ok(());
        }
        let mut patience = Patience::new(call, self.core.options().lock_timeout);
        if !self.core.lifecycle.begin_close(&mut patience)? {
            return Ok(());
        }
        let checkpointer = self.checkpointer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(checkpointer) = checkpointer {
            checkpointer.stop(self.core.signal());
        }
        if let Some(readers) = &self.core.readers {
            readers.close();
        }
        if let Some(writer) = &self.core.writer {
            let limit = Call::unlimited().with_timeout(CLOSING_LIMIT);
            // A checkpoint that cannot be had now is made by whoever opens the store next.
            let _checkpoint = self.core.checkpoint(CheckpointMode::Truncate, &limit);
            writer.close(&limit);
        }
        self.core.forget_file();
        self.core.lifecycle.end_close();
        Ok(())
    }

    /// The number of the last step of the schema that was applied.
    pub fn schema_version(&self) -> u32 {
        self.core.schema_version
    }

    /// Whether the store was opened for reading only.
    pub fn is_read_only(&self) -> bool {
        self.core.writer.is_none()
    }

    /// Where the store is, links resolved; none in memory.
    pub fn path(&self) -> Option<&Path> {
        self.core.path.as_deref()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.core.lifecycle.process().is_current() {
            // No call can be running, since each borrows the store, so there is nothing to wait for.
            let _closed = self.close(&Call::unlimited());
        } else {
            // The connections of a forked child's copy must not be touched.
            mem::forget(Arc::clone(&self.core));
            if let Ok(checkpointer) = self.checkpointer.get_mut() {
                mem::forget(checkpointer.take());
            }
        }
    }
}

/// Checked when the crate is compiled: the engine shares a store between threads.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<Database>();
};
