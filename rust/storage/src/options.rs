//! How a store is opened.

use std::path::PathBuf;
use std::time::Duration;

/// Where a store lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In a file. Beside it stand `-wal`, `-shm`, `.gate` and `.lock`.
    File(PathBuf),
    /// In memory, for as long as it is open. It has one connection, so a read and a write exclude each other, and a
    /// thread that begins a second one while it holds the first gets `Locked` at once.
    Memory,
}

/// What may be done with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// Reading and writing.
    ReadWrite {
        /// Whether to make a store where there is none.
        create: bool,
    },
    /// Reading only. Nothing is migrated, and no lock file is made.
    ReadOnly,
}

/// What an acknowledged write survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The loss of power: every commit is on the disk before it is acknowledged (`synchronous = FULL`).
    Full,
    /// The death of the process; a loss of power can undo the last commits, never damage the store
    /// (`synchronous = NORMAL`).
    Normal,
    /// Nothing but the run of a proof (`synchronous = OFF`).
    #[cfg(feature = "amplifier")]
    Off,
}

/// How a store is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOptions {
    /// Where it is.
    pub location: Location,
    /// What may be done with it.
    pub mode: OpenMode,
    /// What an acknowledged write survives.
    pub durability: Durability,
    /// How many read connections there may be at once, at least one.
    pub readers: usize,
    /// How long a call without a deadline waits for the guard or for a read connection.
    pub lock_timeout: Duration,
    /// Page cache of each connection, in KiB.
    pub cache_kib: u32,
    /// How much of the file is mapped into memory, in bytes; 0 for nothing. An unreadable page of a mapped file kills
    /// the process where a read would fail with an error.
    pub mmap_bytes: u64,
    /// Frames in the write-ahead log at which the background checkpointer is woken.
    pub checkpoint_frames: u64,
    /// Makes checkpoints slow at the one place where an unguarded commit does harm.
    #[cfg(feature = "amplifier")]
    pub amplify: bool,
}

impl OpenOptions {
    /// A store in a file, made if it is not there, with full durability.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::at(Location::File(path.into()))
    }

    /// A store in memory.
    pub fn memory() -> Self {
        Self::at(Location::Memory)
    }

    fn at(location: Location) -> Self {
        Self {
            location,
            mode: OpenMode::ReadWrite { create: true },
            durability: Durability::Full,
            readers: 8,
            lock_timeout: Duration::from_secs(10),
            cache_kib: 16 * 1024,
            mmap_bytes: 0,
            checkpoint_frames: 1_000,
            #[cfg(feature = "amplifier")]
            amplify: false,
        }
    }
}
