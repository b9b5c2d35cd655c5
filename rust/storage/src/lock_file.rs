//! A lock file: excluded between processes and between descriptors of one process, freed by the kernel when its
//! holder dies, unless it forked while it held the lock: then when the child dies, too.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use recollect_model::{Error, Result};

use crate::patience::Patience;
use crate::process::Process;

/// One lock file. Locking is polled, so that it can be given up at a deadline.
pub(crate) struct LockFile {
    path: PathBuf,
    file: Mutex<Arc<File>>,
}

impl LockFile {
    /// Opens the file, and makes it if it is not there.
    pub(crate) fn open(path: PathBuf) -> Result<Self> {
        let file = open(&path)?;
        Ok(Self { path, file: Mutex::new(Arc::new(file)) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Locks the file; none when the time ran out. Says in `waited` whether it was not free at once. One thread of a
    /// process at a time calls this: descriptors are what is excluded, not threads.
    pub(crate) fn lock(&self, patience: &mut Patience<'_>, waited: &mut bool) -> Result<Option<LockFileHeld>> {
        let mut random = Jitter::new();
        loop {
            let file = Arc::clone(&self.file());
            match file.try_lock() {
                Ok(()) => {
                    let held = LockFileHeld { file, process: Process::current() };
                    if self.is_still_there(&held.file) {
                        return Ok(Some(held));
                    }
                    // Somebody deleted the file: a lock on what is no longer there excludes nobody.
                    drop(held);
                    *self.file() = Arc::new(open(&self.path)?);
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => {
                    return Err(Error::io(format!("{} cannot be locked", self.path.display())).with_source(error));
                }
            }
            *waited = true;
            if !patience.lasts()? {
                return Ok(None);
            }
            thread::sleep(random.pause());
        }
    }

    fn file(&self) -> MutexGuard<'_, Arc<File>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_still_there(&self, file: &File) -> bool {
        let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
        let there = std::fs::metadata(&self.path).map(identity);
        let held = file.metadata().map(identity);
        matches!((there, held), (Ok(there), Ok(held)) if there == held)
    }
}

fn open(path: &Path) -> Result<File> {
    OpenOptions::new().read(true).append(true).create(true).open(path).map_err(|error| {
        let said = format!("the lock file {} cannot be opened", path.display());
        match error.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Error::permission_denied(said)
                    .with_hint("the folder of a store must be writable; to read only, open it read-only")
                    .with_source(error)
            }
            _ => Error::io(said).with_source(error),
        }
    })
}

/// The lock, until it is dropped.
pub(crate) struct LockFileHeld {
    file: Arc<File>,
    process: Process,
}

impl Drop for LockFileHeld {
    fn drop(&mut self) {
        // A forked child shares the lock, and must not give up the parent's.
        if self.process.is_current() {
            // An explicit unlock, since a forked child may keep the descriptor open. It fails only for a descriptor
            // that is no longer open.
            let _unlocked = self.file.unlock();
        }
    }
}

/// Pauses of 50 to 400 µs, so that those who wait do not ask in step.
struct Jitter(u64);

impl Jitter {
    fn new() -> Self {
        use std::hash::{BuildHasher, RandomState};
        Self(RandomState::new().hash_one(0) | 1)
    }

    fn pause(&mut self) -> Duration {
        // xorshift64 (Marsaglia, 2003).
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Duration::from_micros(50 + self.0 % 351)
    }
}
