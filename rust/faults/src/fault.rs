//! What can fail, and with which result code.

use std::ffi::c_int;

use libsql::ffi;

/// A call of libSQL to the file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A file that is there is opened.
    Open,
    /// A file is made.
    Create,
    /// Bytes are read.
    Read,
    /// Bytes are written.
    Write,
    /// A file is cut or lengthened.
    Truncate,
    /// What was written is to be on the disk.
    Sync,
    /// A file is removed.
    Delete,
    /// It is asked whether a file is there.
    Access,
    /// The size of a file is asked for.
    Size,
    /// A part of the index of the log is mapped.
    MapIndex,
    /// The same, and the file of the index grows.
    GrowIndex,
}

impl Operation {
    /// Whether the call changes what a power cut leaves.
    pub const fn is_change(self) -> bool {
        matches!(self, Self::Create | Self::Write | Self::Truncate | Self::Sync | Self::Delete)
    }
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The device fails (`EIO`): any call can. A sync that fails loses what was unsynced.
    Device,
    /// The disk is full (`ENOSPC`): writes, new files and the growing index of the log. Of a write, the first half is
    /// done.
    Full,
    /// Syncs fail, and lose what was unsynced.
    Sync,
    /// Syncs lose what was unsynced and say that all is well. Nothing can stand this; a proof must notice it.
    SilentSync,
}

impl FaultKind {
    /// The number of the system's error, the same on all that libSQL runs on: `EIO` or `ENOSPC`.
    pub(crate) const fn system_error(self) -> c_int {
        match self {
            Self::Full => 28,
            Self::Device | Self::Sync | Self::SilentSync => 5,
        }
    }

    /// What a call answers when it fails so; none if it cannot.
    pub(crate) const fn code(self, operation: Operation) -> Option<c_int> {
        Some(match (self, operation) {
            (Self::Device | Self::Full, Operation::Create) | (Self::Device, Operation::Open) => ffi::SQLITE_CANTOPEN,
            (Self::Device, Operation::Read) => ffi::SQLITE_IOERR_READ,
            (Self::Device, Operation::Write) => ffi::SQLITE_IOERR_WRITE,
            (Self::Full, Operation::Write) => ffi::SQLITE_FULL,
            (Self::Device, Operation::Truncate) => ffi::SQLITE_IOERR_TRUNCATE,
            (Self::Device | Self::Sync, Operation::Sync) => ffi::SQLITE_IOERR_FSYNC,
            (Self::SilentSync, Operation::Sync) => ffi::SQLITE_OK,
            (Self::Device, Operation::Delete) => ffi::SQLITE_IOERR_DELETE,
            (Self::Device, Operation::Access) => ffi::SQLITE_IOERR_ACCESS,
            (Self::Device, Operation::Size) => ffi::SQLITE_IOERR_FSTAT,
            (Self::Device, Operation::MapIndex) => ffi::SQLITE_IOERR_SHMMAP,
            (Self::Device | Self::Full, Operation::GrowIndex) => ffi::SQLITE_IOERR_SHMSIZE,
            _ => return None,
        })
    }
}

/// How long a fault lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasts {
    /// One call fails.
    Once,
    /// Every call from that one on fails, until the fault is lifted.
    UntilLifted,
}

/// A failure to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// How the calls fail.
    pub kind: FaultKind,
    /// Which call is the first to fail, from 1. Only calls that can fail so are counted.
    pub nth: u64,
    /// How long it lasts.
    pub lasts: Lasts,
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    /// What it was.
    pub operation: Operation,
    /// The name of the file, without its folder.
    pub file: String,
}

/// A fault and how far it has come.
pub(crate) struct Plan {
    fault: Fault,
    counted: u64,
    fired: Vec<Fired>,
}

impl Plan {
    pub(crate) const fn new(fault: Fault) -> Self {
        Self { fault, counted: 0, fired: Vec::new() }
    }

    /// What the call must answer, if it is to fail.
    pub(crate) fn strike(&mut self, operation: Operation, file: &str) -> Option<(FaultKind, c_int)> {
        let code = self.fault.kind.code(operation)?;
        self.counted += 1;
        let is_due = match self.fault.lasts {
            Lasts::Once => self.counted == self.fault.nth,
            Lasts::UntilLifted => self.counted >= self.fault.nth,
        };
        if !is_due {
            return None;
        }
        self.fired.push(Fired { operation, file: file.to_owned() });
        Some((self.fault.kind, code))
    }

    pub(crate) fn fired(&self) -> &[Fired] {
        &self.fired
    }

    pub(crate) const fn counted(&self) -> u64 {
        self.counted
    }
}
