//! The guard: whoever commits or checkpoints holds it, and nobody else does.
//!
//! libSQL can lose acknowledged rows, or damage the file, when a checkpoint runs while another connection commits and
//! begins the write-ahead log anew. That holds between processes and between connections of one process. So every
//! write transaction, every checkpoint, and the opening and closing of the writer happen under this guard: first a
//! [`Turn`] among the threads of the process, then `<store>.gate`, then `<store>.lock`. The gate is given up as soon
//! as the lock is held. With one file alone, waiting processes starve; with two, eight processes share evenly.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use recollect_model::{Call, Error, Result};

use crate::lock_file::{LockFile, LockFileHeld};
use crate::patience::Patience;
use crate::stats::GuardStats;
use crate::turn::{Taken, Turn, TurnHeld};

/// The guard of one store. A store in memory has the turn only.
pub(crate) struct Guard {
    turn: Turn,
    files: Option<Files>,
    limit: Duration,
    acquisitions: AtomicU64,
    waits: AtomicU64,
    waited_nanoseconds: AtomicU64,
}

struct Files {
    gate: LockFile,
    lock: LockFile,
}

impl Guard {
    /// The guard of a file. Makes the two lock files if they are not there.
    pub(crate) fn of_file(store: &Path, limit: Duration) -> Result<Self> {
        let files =
            Files { gate: LockFile::open(beside(store, ".gate"))?, lock: LockFile::open(beside(store, ".lock"))? };
        Ok(Self { files: Some(files), ..Self::of_memory(limit) })
    }

    /// The guard of a store in memory.
    pub(crate) fn of_memory(limit: Duration) -> Self {
        Self {
            turn: Turn::default(),
            files: None,
            limit,
            acquisitions: AtomicU64::new(0),
            waits: AtomicU64::new(0),
            waited_nanoseconds: AtomicU64::new(0),
        }
    }

    /// Whether a store of that path was ever opened for writing.
    pub(crate) fn exists(store: &Path) -> bool {
        beside(store, ".gate").exists()
    }

    /// Waits for the guard, for at most the time limit of the call, or the store's own where the call has none.
    ///
    /// # Errors
    ///
    /// `Locked`, naming the file, when the time ran out, and at once when this thread has the guard or waits for it;
    /// `Cancelled`.
    pub(crate) fn acquire(&self, call: &Call) -> Result<GuardHeld<'_>> {
        let mut patience = Patience::new(call, self.limit);
        let mut has_waited = false;
        let held = self.acquire_within(&mut patience, &mut has_waited);
        self.acquisitions.fetch_add(u64::from(held.is_ok()), Ordering::Relaxed);
        if has_waited {
            let waited = u64::try_from(patience.waited().as_nanos()).unwrap_or(u64::MAX);
            self.waits.fetch_add(1, Ordering::Relaxed);
            self.waited_nanoseconds.fetch_add(waited, Ordering::Relaxed);
        }
        held
    }

    fn acquire_within(&self, patience: &mut Patience<'_>, has_waited: &mut bool) -> Result<GuardHeld<'_>> {
        let turn = match self.turn.take(patience, has_waited)? {
            Taken::Held(turn) => turn,
            Taken::OutOfTime => return Err(self.out_of_time("another thread of this process", patience)),
            Taken::ByThisThread => return Err(self.waits_for_itself()),
        };
        let Some(files) = self.files.as_ref().filter(|_| !cfg!(feature = "unguarded")) else {
            return Ok(GuardHeld { lock: None, _turn: turn });
        };
        let Some(gate) = files.gate.lock(patience, has_waited)? else {
            return Err(self.out_of_time("other writers", patience));
        };
        let Some(lock) = files.lock.lock(patience, has_waited)? else {
            return Err(self.out_of_time("another writer", patience));
        };
        drop(gate);
        Ok(GuardHeld { lock: Some(lock), _turn: turn })
    }

    /// The thread is inside a write already, and the host's code, which runs when that write asks whether it was
    /// interrupted, began another.
    fn waits_for_itself(&self) -> Error {
        let said = if self.files.is_some() {
            "this thread is already inside a write of the store"
        } else {
            "this thread already uses the store in memory, which does one thing at a time"
        };
        Error::locked(said)
            .with_hint("do it after the call that is running: do not write in a signal handler or callback")
    }

    fn out_of_time(&self, holder: &str, patience: &Patience<'_>) -> Error {
        let name = self.files.as_ref().map_or_else(|| ":memory:".into(), |files| files.lock.path().to_string_lossy());
        Error::locked(format!("{holder} kept {name} locked for {:.3} s", patience.waited().as_secs_f64()))
    }

    pub(crate) fn stats(&self) -> GuardStats {
        GuardStats {
            acquisitions: self.acquisitions.load(Ordering::Relaxed),
            waits: self.waits.load(Ordering::Relaxed),
            waited: Duration::from_nanos(self.waited_nanoseconds.load(Ordering::Relaxed)),
        }
    }
}

/// The guard, until it is dropped.
pub(crate) struct GuardHeld<'g> {
    // Declared in the order of release: other processes first.
    lock: Option<LockFileHeld<'g>>,
    _turn: TurnHeld<'g>,
}

impl GuardHeld<'_> {
    /// Fails when the lock file was deleted or replaced meanwhile, so that somebody else may have the guard, too.
    ///
    /// To be asked while the write lock of the engine is held, and before what is written under it counts. Whoever
    /// took the guard on a new lock file commits, checkpoints and erases only with the write lock, so that the two
    /// still take turns, and the first learns here that the guard is no longer its own.
    ///
    /// # Errors
    ///
    /// `Conflict`.
    pub(crate) fn check(&self) -> Result<()> {
        self.lock.as_ref().map_or(Ok(()), LockFileHeld::check)
    }
}

/// The path of a file that belongs to a store: its own path and a suffix.
pub(crate) fn beside(store: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(store);
    path.push(suffix);
    path.into()
}
