//! A lock file: excluded between processes and between descriptors of one process, freed by the kernel when its
//! holder dies, unless it forked while it held the lock: then when the child dies, too.

use std::fs::{File, OpenOptions, TryLockError};
use std::ops::Deref;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use recollect_model::{Error, ErrorCode, Result};

use crate::errors::from_system;
use crate::patience::Patience;
use crate::process::Process;

/// One lock file. Locking is polled, so that it can be given up at a deadline.
pub(crate) struct LockFile {
    path: PathBuf,
    file: Mutex<Arc<Listed>>,
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
    pub(crate) fn lock(&self, patience: &mut Patience<'_>, waited: &mut bool) -> Result<Option<LockFileHeld<'_>>> {
        let mut random = Jitter::new();
        loop {
            let file = Arc::clone(&self.file());
            match file.try_lock() {
                Ok(()) => {
                    let held = LockFileHeld { lock: self, file, process: Process::current() };
                    if held.is_still_there() {
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

    fn file(&self) -> MutexGuard<'_, Arc<Listed>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_still_there(&self, file: &File) -> bool {
        let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
        let there = std::fs::metadata(&self.path).map(identity);
        let held = file.metadata().map(identity);
        matches!((there, held), (Ok(there), Ok(held)) if there == held)
    }
}

fn open(path: &Path) -> Result<Listed> {
    let opened = OpenOptions::new().read(true).append(true).create(true).open(path);
    opened.map(Listed::enter).map_err(|error| {
        let error = from_system(format!("the lock file {} cannot be opened", path.display()), error);
        match error.code() {
            ErrorCode::PermissionDenied => {
                error.with_hint("the folder of a store must be writable; to read only, open it read-only")
            }
            _ => error,
        }
    })
}

/// The lock, until it is dropped.
pub(crate) struct LockFileHeld<'l> {
    lock: &'l LockFile,
    file: Arc<Listed>,
    process: Process,
}

impl LockFileHeld<'_> {
    /// Fails when the file was deleted or replaced since it was locked: then it excludes nobody any more.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_still_there() {
            return Ok(());
        }
        let shown = self.lock.path.display();
        Err(Error::conflict(format!("the lock file {shown} was deleted or replaced while this call held it"))
            .with_hint("leave the lock files of a store alone while a process has it open; then call again"))
    }

    fn is_still_there(&self) -> bool {
        self.lock.is_still_there(&self.file)
    }
}

impl Drop for LockFileHeld<'_> {
    fn drop(&mut self) {
        // A forked child shares the lock, and must not give up the parent's.
        if self.process.is_current() {
            // An explicit unlock, since a forked child may keep the descriptor open. It fails only for a descriptor
            // that is no longer open.
            let _unlocked = self.file.unlock();
        }
    }
}

/// The descriptors of every lock file that this process has open, locked or not.
///
/// A child that is forked shares them, and with them the locks: one that a parent held when it died stays for as long
/// as the child lives. So a child is to put another open file (`/dev/null`) in the place of each, with `dup2`. Nothing
/// in the child depends on them: a store that was opened before the fork refuses every call there.
///
/// It takes no lock, so that it can be called in a child right after the fork.
pub fn lock_descriptors() -> Vec<RawFd> {
    let mut descriptors = Vec::new();
    let mut place = Some(&FIRST);
    while let Some(here) = place {
        let descriptor = here.descriptor.load(Ordering::Acquire);
        if descriptor != FREE {
            descriptors.push(descriptor);
        }
        place = here.next.get().map(Box::as_ref);
    }
    descriptors
}

/// A place in the list of descriptors. Places are used again and never freed: there are as many as lock files were
/// ever open at once.
struct Place {
    descriptor: AtomicI32,
    next: OnceLock<Box<Place>>,
}

const FREE: RawFd = -1;

static FIRST: Place = Place::new();

impl Place {
    const fn new() -> Self {
        Self { descriptor: AtomicI32::new(FREE), next: OnceLock::new() }
    }

    /// Enters a descriptor at the first place that is free.
    fn take(descriptor: RawFd) -> &'static Self {
        let mut place = &FIRST;
        while place.descriptor.compare_exchange(FREE, descriptor, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            place = place.next.get_or_init(|| Box::new(Self::new()));
        }
        place
    }
}

/// An open lock file that [`lock_descriptors`] knows of.
struct Listed {
    file: File,
    place: &'static Place,
}

impl Listed {
    fn enter(file: File) -> Self {
        let place = Place::take(file.as_raw_fd());
        Self { file, place }
    }
}

impl Deref for Listed {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        // Before the descriptor is closed, and may become another file's.
        self.place.descriptor.store(FREE, Ordering::Release);
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
