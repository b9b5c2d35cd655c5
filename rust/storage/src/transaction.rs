//! Writing: all of it or nothing.

use std::ops::Deref;

use recollect_model::Result;

use crate::connection::Connection;

/// A write transaction that is under way. It becomes one commit when the function it was given to returns `Ok`, and
/// is undone as a whole when that returns an error or panics.
pub struct Transaction<'c> {
    connection: &'c Connection,
}

impl<'c> Transaction<'c> {
    /// Takes over a connection in which a write transaction is open.
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Self { connection }
    }

    /// Makes the transaction durable.
    pub(crate) fn commit(self) -> Result<()> {
        self.connection.check_alive()?;
        self.connection.end("COMMIT")
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        // After a commit there is nothing to undo. If the undoing fails the transaction stays open, and the lease
        // discards the connection, whereupon libSQL undoes it.
        let _undone = self.connection.end("ROLLBACK");
    }
}
