//! Reading: one moment of the store.

use std::ops::Deref;

use crate::connection::Connection;
use crate::lifecycle::RunningCall;
use crate::readers::ReaderLease;
use crate::writer::WriterLease;

/// One moment of the store: whatever is committed later, the same query gives the same answer. It holds a read
/// connection until it is dropped, so keep it no longer than a call.
pub struct Snapshot<'d> {
    lease: Lease<'d>,
    // Declared last: the call has ended when the connection is back.
    _call: RunningCall<'d>,
}

pub(crate) enum Lease<'d> {
    Reader(ReaderLease<'d>),
    /// A store in memory has but one connection.
    Memory(WriterLease<'d>),
}

impl<'d> Snapshot<'d> {
    /// Takes over a connection in which a read transaction is open.
    pub(crate) fn new(lease: Lease<'d>, call: RunningCall<'d>) -> Self {
        Self { lease, _call: call }
    }
}

impl Deref for Lease<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match self {
            Self::Reader(lease) => lease,
            Self::Memory(lease) => lease,
        }
    }
}

impl Deref for Snapshot<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.lease
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        // If the end fails the transaction stays open, and the lease discards the connection.
        let _ended = self.lease.end("ROLLBACK");
    }
}
