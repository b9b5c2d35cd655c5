//! What the calls and the checkpointer of one opened store share.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

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

/// How long the guard is held while the readers that use the log end.
pub(crate) const CUT_LIMIT: Duration = Duration::from_millis(200);

/// Between two attempts to cut the log under the guard.
const CUT_PAUSE: Duration = Duration::from_millis(1);

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
        match self.checkpoint_lease(call)? {
            Some(lease) => self.checkpoint_by(&lease, mode),
            None => Ok(Checkpoint::default()),
        }
    }

    /// Empties the log under the guard; see [`Self::cut_by`].
    pub(crate) fn cut(&self, call: &Call) -> Result<Checkpoint> {
        match self.checkpoint_lease(call)? {
            Some(lease) => self.cut_by(&lease, CUT_LIMIT, call),
            None => Ok(Checkpoint::default()),
        }
    }

    /// The writer, for a checkpoint. None for a store in memory, which has no log.
    pub(crate) fn checkpoint_lease(&self, call: &Call) -> Result<Option<WriterLease<'_>>> {
        if self.path.is_none() {
            return Ok(None);
        }
        let lease = self.writer()?.lease(call)?;
        self.check_not_replaced()?;
        Ok(Some(lease))
    }

    /// As [`Self::checkpoint`], by somebody who has the writer already.
    pub(crate) fn checkpoint_by(&self, lease: &WriterLease<'_>, mode: CheckpointMode) -> Result<Checkpoint> {
        let outcome = Self::attempt(lease, mode);
        self.count(&outcome);
        outcome
    }

    /// Copies the whole log and cuts it to nothing. Tries for as long as `limit`, and holds the guard meanwhile.
    ///
    /// Readers that overlap keep the log in use for ever, so long as anybody commits. While nobody does, each new
    /// reader begins at the end of the log, and once all of it is copied, new readers read the file alone; so those
    /// that use the log end one after the other.
    pub(crate) fn cut_by(&self, lease: &WriterLease<'_>, limit: Duration, call: &Call) -> Result<Checkpoint> {
        let until = Instant::now() + limit;
        let until = call.deadline().map_or(until, |deadline| deadline.min(until));
        let outcome = loop {
            let outcome = Self::attempt(lease, CheckpointMode::Truncate);
            let is_busy = outcome.as_ref().is_ok_and(|outcome| outcome.busy);
            if !is_busy || Instant::now() >= until || call.check().is_err() {
                break outcome;
            }
            thread::sleep(CUT_PAUSE);
        };
        self.count(&outcome);
        outcome
    }

    fn attempt(lease: &WriterLease<'_>, mode: CheckpointMode) -> Result<Checkpoint> {
        lease.check_guard()?;
        let frames = lease.handle().checkpoint(mode).map_err(|failure| {
            let error = lease.explain(&failure);
            lease.check_loss().err().unwrap_or(error)
        })?;
        Ok(Checkpoint { busy: frames.is_busy, log_frames: frames.log, checkpointed_frames: frames.checkpointed })
    }

    fn count(&self, outcome: &Result<Checkpoint>) {
        let counter = match outcome {
            Ok(done) if done.is_complete() => &self.counters.done,
            Ok(_) => &self.counters.busy,
            Err(_) => &self.counters.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        let frames = outcome.as_ref().map_or(0, |outcome| outcome.checkpointed_frames);
        self.counters.frames.fetch_add(frames, Ordering::Relaxed);
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
