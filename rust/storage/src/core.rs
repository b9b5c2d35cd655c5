//! What the calls and the checkpointer of one opened store share.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use recollect_model::{Call, Error, Result};

use crate::checkpointer::Signal;
use crate::guard::beside;
use crate::lifecycle::{Lifecycle, RunningCall};
use crate::open_files::OpenFile;
use crate::options::OpenOptions;
use crate::raw::CheckpointMode;
use crate::readers::Readers;
use crate::stats::{Checkpoint, CheckpointStats, DatabaseStats};
use crate::writer::{Writer, WriterLease};

/// One opened store.
pub(crate) struct Core {
    pub(crate) lifecycle: Lifecycle,
    /// None for a store in memory.
    pub(crate) readers: Option<Readers>,
    /// None for a store that is opened read-only.
    pub(crate) writer: Option<Writer>,
    pub(crate) path: Option<PathBuf>,
    pub(crate) schema_version: u32,
    options: OpenOptions,
    signal: Signal,
    counters: Counters,
    // Declared after the connections: it must go after them.
    open_file: Mutex<Option<OpenFile>>,
}

#[derive(Default)]
struct Counters {
    commits: AtomicU64,
    done: AtomicU64,
    busy: AtomicU64,
    failed: AtomicU64,
    frames: AtomicU64,
}

impl Core {
    pub(crate) fn new(options: OpenOptions, schema_version: u32) -> Self {
        Self {
            lifecycle: Lifecycle::new(),
            readers: None,
            writer: None,
            path: None,
            schema_version,
            options,
            signal: Signal::default(),
            counters: Counters::default(),
            open_file: Mutex::new(None),
        }
    }

    pub(crate) fn with_file(mut self, path: PathBuf, file: OpenFile, readers: Readers) -> Self {
        self.path = Some(path);
        self.readers = Some(readers);
        self.open_file = Mutex::new(Some(file));
        self
    }

    pub(crate) fn with_writer(mut self, writer: Writer) -> Self {
        self.writer = Some(writer);
        self
    }

    pub(crate) fn options(&self) -> &OpenOptions {
        &self.options
    }

    pub(crate) fn signal(&self) -> &Signal {
        &self.signal
    }

    /// The writer, or why there is none.
    pub(crate) fn writer(&self) -> Result<&Writer> {
        self.writer
            .as_ref()
            .ok_or_else(|| Error::permission_denied("the store is opened read-only").with_hint("open it for writing"))
    }

    /// Counts a call in, until what is returned is dropped.
    ///
    /// # Errors
    ///
    /// `Closed`, also in a forked child; `Io` when the handle is lost.
    pub(crate) fn enter(&self) -> Result<RunningCall<'_>> {
        let running = self.lifecycle.enter()?;
        if let Some(writer) = &self.writer {
            writer.loss().check()?;
        }
        Ok(running)
    }

    /// Counts a commit, and wakes the checkpointer when the log has grown enough.
    pub(crate) fn committed(&self, wal_frames: u64) {
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
        self.signal.committed(wal_frames, self.options.checkpoint_frames.max(1));
    }

    /// Checkpoints under the guard, without waiting for readers.
    pub(crate) fn checkpoint(&self, mode: CheckpointMode, call: &Call) -> Result<Checkpoint> {
        if self.path.is_none() {
            return Ok(Checkpoint { busy: false, log_frames: 0, checkpointed_frames: 0 });
        }
        let lease = self.writer()?.lease(call)?;
        self.check_not_replaced()?;
        self.checkpoint_by(&lease, mode)
    }

    /// As [`Self::checkpoint`], by somebody who has the writer already.
    pub(crate) fn checkpoint_by(&self, lease: &WriterLease<'_>, mode: CheckpointMode) -> Result<Checkpoint> {
        match lease.handle().checkpoint(mode) {
            Ok(frames) => {
                let is_done = !frames.is_busy && frames.checkpointed == frames.log;
                let counter = if is_done { &self.counters.done } else { &self.counters.busy };
                counter.fetch_add(1, Ordering::Relaxed);
                self.counters.frames.fetch_add(frames.checkpointed, Ordering::Relaxed);
                Ok(Checkpoint {
                    busy: frames.is_busy,
                    log_frames: frames.log,
                    checkpointed_frames: frames.checkpointed,
                })
            }
            Err(failure) => {
                self.counters.failed.fetch_add(1, Ordering::Relaxed);
                let error = lease.explain(&failure);
                lease.check_disk()?;
                Err(error)
            }
        }
    }

    /// Fails if the file was moved, linked or deleted since it was opened. To be asked under the guard, before a write.
    pub(crate) fn check_place(&self) -> Result<()> {
        let file = self.open_file.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*file, &self.path) {
            (Some(file), Some(path)) => file.check_place(path),
            _ => Ok(()),
        }
    }

    /// Fails if another file stands at the path. To be asked under the guard, before a checkpoint: the log belongs to
    /// the path, and what it holds now may be meant for the other file. A file that was moved away with nothing in its
    /// place still gets what is in the log.
    fn check_not_replaced(&self) -> Result<()> {
        let file = self.open_file.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*file, &self.path) {
            (Some(file), Some(path)) if path.exists() => file.check_place(path),
            _ => Ok(()),
        }
    }

    /// Lets go of the file, after the last connection to it is closed.
    pub(crate) fn forget_file(&self) {
        drop(self.open_file.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    pub(crate) fn stats(&self) -> DatabaseStats {
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        DatabaseStats {
            readers: self.readers.as_ref().map(Readers::stats).unwrap_or_default(),
            guard: self.writer.as_ref().map(|writer| writer.guard().stats()).unwrap_or_default(),
            checkpoints: CheckpointStats {
                done: count(&self.counters.done),
                busy: count(&self.counters.busy),
                failed: count(&self.counters.failed),
                frames: count(&self.counters.frames),
            },
            file_bytes: self.path.as_deref().map_or(0, size),
            wal_bytes: self.path.as_deref().map_or(0, |path| size(&beside(path, "-wal"))),
            commits: count(&self.counters.commits),
        }
    }
}
