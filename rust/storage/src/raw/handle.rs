//! One connection: what `libsql` opened, and the handle caught while it did.

use std::cell::Cell;
use std::ffi::{c_char, c_int, c_uint, c_void};
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};

use libsql::ffi;
use recollect_model::{Call, Error, Result};

use super::connect::{Access, connect};
use super::failure::Failure;
use super::progress::{INSTRUCTIONS, Progress, tick};
use super::statement::Statement;
use crate::process::Process;

/// How a checkpoint behaves towards others. See <https://www.sqlite.org/c3ref/wal_checkpoint_v2.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckpointMode {
    /// Copies what it can without the write lock, so that nothing but the guard keeps a commit away. Only for the proof
    /// of what the guard is for; in no release.
    #[cfg(feature = "amplifier")]
    Passive,
    /// Copies what readers allow, and is busy if that is not everything. Nobody can commit meanwhile, not even somebody
    /// who does not know of the guard.
    Full,
    /// Copies everything and cuts the write-ahead log to nothing; busy while a reader still uses the log.
    Truncate,
}

/// What a checkpoint did, in frames (one page of the write-ahead log each).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frames {
    pub(crate) is_busy: bool,
    pub(crate) log: u64,
    pub(crate) checkpointed: u64,
}

/// What the handlers of one connection share with it, at an address that does not move.
#[derive(Default)]
struct Shared {
    progress: Progress,
    /// Frames in the write-ahead log after the last commit of this connection.
    wal_frames: Cell<u64>,
}

/// A connection of `libsql` together with its `sqlite3*`.
///
/// It may move between threads, and one thread at a time uses it.
pub(crate) struct Handle {
    raw: NonNull<ffi::sqlite3>,
    shared: NonNull<Shared>,
    owner: ManuallyDrop<libsql::Connection>,
    process: Process,
}

// SAFETY: the engine is compiled thread-safe, and a connection opened without its own mutex may be used by different
// threads one after the other. `Handle` is not `Sync`, so that is all that can happen.
unsafe impl Send for Handle {}

impl Handle {
    /// Opens a connection; see [`connect`].
    pub(crate) fn open(path: &str, access: Access) -> Result<Self> {
        connect(path, access)
    }

    /// # Safety
    ///
    /// `raw` is the handle of `owner`.
    pub(super) unsafe fn new(owner: libsql::Connection, raw: NonNull<ffi::sqlite3>) -> Result<Self> {
        let shared = NonNull::from(Box::leak(Box::<Shared>::default()));
        let handle = Self { raw, shared, owner: ManuallyDrop::new(owner), process: Process::current() };
        // A close must never checkpoint: it would do so without the guard.
        handle.configure(ffi::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE)?;
        handle.configure(ffi::SQLITE_DBCONFIG_DEFENSIVE)?;
        // SAFETY: the handle is open; `shared` lives until `drop` has taken the handler away.
        unsafe {
            let progress = ptr::from_ref(&handle.shared().progress).cast_mut().cast::<c_void>();
            ffi::sqlite3_progress_handler(raw.as_ptr(), INSTRUCTIONS, Some(tick), progress);
        }
        Ok(handle)
    }

    fn shared(&self) -> &Shared {
        // SAFETY: made by `new`, freed by `drop`, never handed out mutably.
        unsafe { self.shared.as_ref() }
    }

    /// Switches a boolean option on and reads it back.
    fn configure(&self, option: c_int) -> Result<()> {
        let mut is_on: c_int = 0;
        // SAFETY: the options used here take an `int` and a pointer to an `int`.
        let code = unsafe { ffi::sqlite3_db_config(self.raw.as_ptr(), option, 1 as c_int, &raw mut is_on) };
        if code == ffi::SQLITE_OK && is_on == 1 {
            return Ok(());
        }
        Err(Error::internal(format!("libSQL refuses the connection option {option} (result code {code})")))
    }

    /// Counts the frames of the write-ahead log at each commit from now on. `PRAGMA wal_autocheckpoint` uses the same
    /// hook, so it must have been set before.
    pub(crate) fn watch_wal(&self) {
        // SAFETY: the handle is open; `shared` lives until `drop` has taken the hook away.
        unsafe {
            ffi::sqlite3_wal_hook(self.raw.as_ptr(), Some(committed), self.shared.as_ptr().cast());
        }
    }

    /// Frames in the write-ahead log after the last commit or checkpoint of this connection.
    pub(crate) fn wal_frames(&self) -> u64 {
        self.shared().wal_frames.get()
    }

    /// Applies the limits of `call` to the statements that run next.
    pub(crate) fn arm(&self, call: &Call) {
        self.shared().progress.arm(call);
    }

    /// Lifts the limits.
    pub(crate) fn disarm(&self) {
        self.shared().progress.disarm();
    }

    /// Why the last statement was stopped, if a limit stopped it.
    pub(crate) fn take_reason(&self) -> Option<Error> {
        self.shared().progress.take_reason()
    }

    /// Compiles the first statement of `sql`, and says how many bytes it took. None for a comment or white space.
    pub(crate) fn prepare(&self, sql: &str) -> Result<(Option<Statement>, usize), Failure> {
        let start = sql.as_ptr().cast::<c_char>();
        let length = c_int::try_from(sql.len()).map_err(|_| Failure::of_code(ffi::SQLITE_TOOBIG))?;
        let mut statement = ptr::null_mut();
        let mut tail = ptr::null();
        // SAFETY: the text is `length` bytes long and outlives the call, which keeps no pointer to it.
        let code = unsafe {
            ffi::sqlite3_prepare_v3(
                self.raw.as_ptr(),
                start,
                length,
                ffi::SQLITE_PREPARE_PERSISTENT as c_uint,
                &raw mut statement,
                &raw mut tail,
            )
        };
        if code != ffi::SQLITE_OK {
            return Err(self.failure());
        }
        let used = if tail.is_null() { sql.len() } else { (tail as usize).saturating_sub(start as usize) };
        // SAFETY: a statement that was just compiled and that nobody else has.
        let statement = NonNull::new(statement).map(|statement| unsafe { Statement::new(statement) });
        Ok((statement, used))
    }

    /// Whether no transaction is open.
    pub(crate) fn is_autocommit(&self) -> bool {
        // SAFETY: the handle is open.
        unsafe { ffi::sqlite3_get_autocommit(self.raw.as_ptr()) != 0 }
    }

    /// Whether the file could be opened for reading only.
    pub(crate) fn is_read_only(&self) -> bool {
        // SAFETY: the handle is open, and the name ends with NUL.
        unsafe { ffi::sqlite3_db_readonly(self.raw.as_ptr(), c"main".as_ptr()) == 1 }
    }

    /// Rows that the last statement inserted, changed or deleted.
    pub(crate) fn changes(&self) -> u64 {
        // SAFETY: the handle is open.
        u64::try_from(unsafe { ffi::sqlite3_changes64(self.raw.as_ptr()) }).unwrap_or(0)
    }

    /// Checkpoints without waiting for anybody. The caller holds the guard.
    pub(crate) fn checkpoint(&self, mode: CheckpointMode) -> Result<Frames, Failure> {
        let mode = match mode {
            #[cfg(feature = "amplifier")]
            CheckpointMode::Passive => ffi::SQLITE_CHECKPOINT_PASSIVE,
            CheckpointMode::Full => ffi::SQLITE_CHECKPOINT_FULL,
            CheckpointMode::Truncate => ffi::SQLITE_CHECKPOINT_TRUNCATE,
        };
        let (mut log, mut checkpointed): (c_int, c_int) = (-1, -1);
        // SAFETY: the handle is open, the name ends with NUL, and both counts outlive the call.
        let code = unsafe {
            ffi::sqlite3_wal_checkpoint_v2(
                self.raw.as_ptr(),
                c"main".as_ptr(),
                mode,
                &raw mut log,
                &raw mut checkpointed,
            )
        };
        let is_busy = code & 0xff == ffi::SQLITE_BUSY;
        if code != ffi::SQLITE_OK && !is_busy {
            return Err(self.failure());
        }
        let count = |frames: c_int| u64::try_from(frames).unwrap_or(0);
        let frames = Frames { is_busy, log: count(log), checkpointed: count(checkpointed) };
        if !is_busy {
            self.shared().wal_frames.set(frames.log.saturating_sub(frames.checkpointed));
        }
        Ok(frames)
    }

    /// The last error of the connection.
    pub(super) fn failure(&self) -> Failure {
        // SAFETY: the handle is open, and this thread is the one that uses it.
        unsafe { Failure::of(self.raw.as_ptr()) }
    }

    pub(super) fn as_ptr(&self) -> *mut ffi::sqlite3 {
        self.raw.as_ptr()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if !self.process.is_current() {
            // A forked child shares the file descriptors and must not touch the engine: its locks are the parent's.
            return;
        }
        // SAFETY: the handle is open until `owner` is dropped below; with the handlers gone nothing points to
        // `shared`, which `new` took from a box. `owner` is dropped nowhere else.
        unsafe {
            ffi::sqlite3_progress_handler(self.raw.as_ptr(), 0, None, ptr::null_mut());
            ffi::sqlite3_wal_hook(self.raw.as_ptr(), None, ptr::null_mut());
            drop(Box::from_raw(self.shared.as_ptr()));
            ManuallyDrop::drop(&mut self.owner);
        }
    }
}

/// What libSQL calls after a commit. `data` is the [`Shared`] of the connection.
unsafe extern "C" fn committed(
    data: *mut c_void,
    _database: *mut ffi::sqlite3,
    _name: *const c_char,
    frames: c_int,
) -> c_int {
    // SAFETY: `watch_wal` registers the connection's own `Shared`, which is freed after the hook is taken away.
    let shared = unsafe { &*data.cast::<Shared>() };
    shared.wal_frames.set(u64::try_from(frames).unwrap_or(0));
    ffi::SQLITE_OK
}
