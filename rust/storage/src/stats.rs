//! What a store counts.

use std::time::Duration;

/// Counts since the store was opened in this process, and the present sizes of its files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DatabaseStats {
    /// The pool of read connections; all zero for a store in memory, which has one connection for everything.
    pub readers: ReaderStats,
    /// The write guard.
    pub guard: GuardStats,
    /// Checkpoints by this process.
    pub checkpoints: CheckpointStats,
    /// Bytes of the database file; 0 for a store in memory.
    pub file_bytes: u64,
    /// Bytes of the write-ahead log; 0 for a store in memory.
    pub wal_bytes: u64,
    /// Write transactions that were committed.
    pub commits: u64,
}

/// The pool of read connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReaderStats {
    /// How many connections the pool may have.
    pub max: usize,
    /// How many it has.
    pub open: usize,
    /// How many of them are in use.
    pub in_use: usize,
    /// How often a reader had to wait for one.
    pub waits: u64,
    /// How long readers waited, together.
    pub waited: Duration,
}

/// The write guard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GuardStats {
    /// How often it was had.
    pub acquisitions: u64,
    /// How often it was not free at once.
    pub waits: u64,
    /// How long those waits took, together.
    pub waited: Duration,
}

/// Checkpoints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CheckpointStats {
    /// How many copied every frame there was.
    pub done: u64,
    /// How many could not, because a reader or another process was in the way.
    pub busy: u64,
    /// How many ended with an error.
    pub failed: u64,
    /// How many frames (pages) were found copied when a checkpoint ended, together.
    pub frames: u64,
}

/// What one checkpoint did. A frame is one page in the write-ahead log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whether somebody was in the way. Nothing is lost; a later checkpoint copies the rest.
    pub busy: bool,
    /// Frames in the write-ahead log; 0 after it was cut to nothing.
    pub log_frames: u64,
    /// Frames of those that are in the database file now.
    pub checkpointed_frames: u64,
}

impl Checkpoint {
    /// Whether all of the log is in the database file now.
    pub(crate) fn is_complete(&self) -> bool {
        !self.busy && self.checkpointed_frames == self.log_frames
    }
}
