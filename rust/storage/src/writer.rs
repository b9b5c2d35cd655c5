//! The one connection of the process that commits and checkpoints, and the guard it is used under.

use std::mem;
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

use recollect_model::{Call, Error, Result};

use crate::connection::Connection;
use crate::guard::{Guard, GuardHeld};
use crate::loss::Loss;
use crate::options::OpenOptions;
use crate::pragmas::{self, Role};
use crate::raw::Access;

/// The writer of a store.
pub(crate) struct Writer {
    guard: Guard,
    loss: Loss,
    slot: Mutex<Slot>,
    /// Where to open it again; none for a store in memory.
    path: Option<String>,
    options: OpenOptions,
}

enum Slot {
    Ready(Connection),
    /// In use, or given up after a transaction that could not be undone.
    Empty,
    Closed,
}

impl Writer {
    /// The caller holds the guard or is alone.
    pub(crate) fn new(guard: Guard, path: Option<String>, options: OpenOptions, connection: Connection) -> Self {
        Self { guard, loss: Loss::default(), slot: Mutex::new(Slot::Ready(connection)), path, options }
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Whether the disk failed a write, so that the handle is lost.
    pub(crate) fn loss(&self) -> &Loss {
        &self.loss
    }

    /// Waits for the guard, and hands out the connection with it.
    ///
    /// # Errors
    ///
    /// `Locked` when the time ran out, `Cancelled`, `Closed`, `Io` when the handle is lost.
    pub(crate) fn lease(&self, call: &Call) -> Result<WriterLease<'_>> {
        let held = self.guard.acquire(call)?;
        // Whoever had the guard before may have lost the handle.
        self.loss.check()?;
        let slot = {
            let mut slot = self.slot();
            if matches!(*slot, Slot::Closed) {
                return Err(Error::closed("the store is closed"));
            }
            mem::replace(&mut *slot, Slot::Empty)
        };
        let connection = match (slot, &self.path) {
            (Slot::Ready(connection), _) => connection,
            (_, Some(path)) => open(path, &self.options, Access::ReadWrite)?,
            (_, None) => return Err(Error::corrupt("the store in memory was lost after a failed write")),
        };
        Ok(WriterLease { writer: self, connection: Some(connection), held })
    }

    /// Gives the connection up for good, under the guard if it is to be had.
    pub(crate) fn close(&self, call: &Call) {
        // A close without the guard loses nothing: it does not checkpoint, and no other connection depends on it.
        let _held = self.guard.acquire(call).ok();
        let slot = mem::replace(&mut *self.slot(), Slot::Closed);
        drop(slot);
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a writer. The caller holds the guard.
pub(crate) fn open(path: &str, options: &OpenOptions, access: Access) -> Result<Connection> {
    let connection = Connection::open(path, access)?;
    if connection.handle().is_read_only() {
        return Err(Error::permission_denied(format!("{path} cannot be written"))
            .with_hint("open the store read-only, or change the permissions of the file"));
    }
    pragmas::apply(&connection, options, Role::Writer)?;
    #[cfg(feature = "amplifier")]
    if options.amplify {
        connection.handle().amplify()?;
    }
    Ok(connection)
}

impl WriterLease<'_> {
    /// Fails if the disk failed the connection in any way, before what it wrote is committed.
    pub(crate) fn check_disk(&self) -> Result<()> {
        self.check_loss()?;
        match self.disk_failure() {
            Some(failure) => Err(Error::io(format!("{}; the write was undone as a whole", failure.cause))),
            None => Ok(()),
        }
    }

    /// Fails, and gives the handle up, if the disk failed the connection so that nobody knows what it holds now.
    pub(crate) fn check_loss(&self) -> Result<()> {
        match self.disk_failure() {
            Some(failure) if failure.is_loss => {
                self.writer.loss.record(&failure.cause);
                self.writer.loss.check()
            }
            _ => Ok(()),
        }
    }

    /// Fails when the guard is no longer held by this process alone; see [`GuardHeld::check`].
    pub(crate) fn check_guard(&self) -> Result<()> {
        self.held.check()
    }

    /// Closes the connection and opens another one, which has read nothing yet.
    pub(crate) fn renew(&mut self) -> Result<()> {
        let Some(path) = &self.writer.path else { return Ok(()) };
        let renewed = open(path, &self.writer.options, Access::ReadWrite)?;
        self.connection = Some(renewed);
        Ok(())
    }
}

/// The writer, until it is dropped.
pub(crate) struct WriterLease<'w> {
    writer: &'w Writer,
    connection: Option<Connection>,
    // Declared last: the connection is back before anybody else has the guard.
    held: GuardHeld<'w>,
}

impl Deref for WriterLease<'_> {
    type Target = Connection;

    #[expect(clippy::expect_used, reason = "only `drop` takes the connection out")]
    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("the lease is alive")
    }
}

impl Drop for WriterLease<'_> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        if let Some(failure) = connection.disk_failure() {
            if failure.is_loss {
                self.writer.loss.record(&failure.cause);
            }
            return;
        }
        // A transaction that is still open could not be undone; the connection goes, and libSQL undoes it.
        if connection.handle().is_autocommit() {
            let mut slot = self.writer.slot();
            if matches!(*slot, Slot::Empty) {
                *slot = Slot::Ready(connection);
            }
        }
    }
}
