//! The database files this process has open, and the one safe moment to look into one.
//!
//! A process that closes any descriptor of a file loses all its POSIX locks on it, those of libSQL included. So a file
//! is read by path only while no connection of this process has it open, and what is open must be known to the
//! process as a whole.
//!
//! The engine, too, knows what its process has locked. A forked child inherits that knowledge without the locks, so a
//! file that the parent had open at the fork cannot be opened in the child, not even anew.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use recollect_model::{Error, Result};

use crate::errors::from_system;
use crate::guard::beside;
use crate::leftover::check_log;
use crate::process::{FORK_HINT, Process};

/// `PRAGMA application_id` of every store: "RCLT".
pub(crate) const APPLICATION_ID: u32 = 0x5243_4C54;

/// Device and inode.
type Identity = (u64, u64);

static OPEN: Mutex<Option<HashMap<Identity, Users>>> = Mutex::new(None);

/// How long to wait for the list. Only in a child that was forked while another thread used the list is it never free.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many stores of which process use a file.
struct Users {
    process: Process,
    count: usize,
}

/// A file this process has open, until it is dropped: drop it after the last connection.
pub(crate) struct OpenFile {
    identity: Identity,
    process: Process,
}

impl OpenFile {
    /// Enters a file into the list. When it is the first entry for this file, the header is looked at first, and what is
    /// no store is refused without a byte written.
    pub(crate) fn enter(path: &Path) -> Result<Self> {
        Self::enter_with(path, false)
    }

    /// As [`Self::enter`], for whoever holds the guard: makes the file if it is not there and that is wanted, and
    /// refuses a log beside it that belongs to another file.
    pub(crate) fn enter_guarded(path: &Path, create: bool) -> Result<Self> {
        if create {
            Self::make(path)?;
        }
        Self::enter_with(path, true)
    }

    fn make(path: &Path) -> Result<()> {
        let mut open = list()?;
        // One that exists is opened only to be closed again, which must not happen to one that is in use.
        let is_known = identity(path).is_ok_and(|identity| open.get_or_insert_default().contains_key(&identity));
        if !is_known {
            OpenOptions::new().append(true).create(true).open(path).map_err(|error| denied(path, error))?;
        }
        Ok(())
    }

    fn enter_with(path: &Path, is_guarded: bool) -> Result<Self> {
        let mut open = list()?;
        let open = open.get_or_insert_default();
        let identity = sole_identity(path)?;
        if let Some(users) = open.get_mut(&identity) {
            refuse_inherited(users, path)?;
            users.count += 1;
        } else {
            let page_size = check_header(path)?;
            if is_guarded && let Some(page_size) = page_size {
                check_log(path, page_size)?;
            }
            open.insert(identity, Users { process: Process::current(), count: 1 });
        }
        Ok(Self { identity, process: Process::current() })
    }

    /// Fails unless the path still leads to this file and no other path does: the log and the lock files belong to the
    /// path, so that two names of one file would have two logs and two guards.
    pub(crate) fn check_place(&self, path: &Path) -> Result<()> {
        if sole_identity(path).is_ok_and(|found| found == self.identity) {
            return Ok(());
        }
        Err(Error::conflict(format!("{} is no longer the file that was opened, or has a second name", path.display()))
            .with_hint("close the store; undo the move, link or deletion of its file; then open it again"))
    }

    /// Refuses a file that was open when this process was forked.
    pub(crate) fn check_fork(path: &Path) -> Result<()> {
        let Ok(identity) = identity(path) else { return Ok(()) };
        list()?.get_or_insert_default().get(&identity).map_or(Ok(()), |users| refuse_inherited(users, path))
    }

    /// Looks at the header of a file unless this process has it open, in which case that was done before.
    pub(crate) fn inspect(path: &Path) -> Result<()> {
        drop(Self::enter(path)?);
        Ok(())
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        if !self.process.is_current() {
            return;
        }
        let Ok(mut open) = list() else { return };
        let Some(open) = open.as_mut() else { return };
        if let Some(users) = open.get_mut(&self.identity) {
            users.count -= 1;
            if users.count == 0 {
                open.remove(&self.identity);
            }
        }
    }
}

fn list() -> Result<MutexGuard<'static, Option<HashMap<Identity, Users>>>> {
    let until = Instant::now() + PATIENCE;
    loop {
        match OPEN.try_lock() {
            Ok(list) => return Ok(list),
            Err(TryLockError::Poisoned(list)) => return Ok(list.into_inner()),
            Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(Duration::from_micros(200)),
            Err(TryLockError::WouldBlock) => {
                return Err(
                    Error::closed("this process was forked while another thread opened a store").with_hint(FORK_HINT)
                );
            }
        }
    }
}

fn refuse_inherited(users: &Users, path: &Path) -> Result<()> {
    if users.process.is_current() {
        return Ok(());
    }
    let shown = path.display();
    Err(Error::closed(format!("{shown} was open in the process that forked this one, and cannot be opened here"))
        .with_hint(FORK_HINT))
}

/// The identity of a file that has one name only.
fn sole_identity(path: &Path) -> Result<Identity> {
    let metadata = std::fs::metadata(path).map_err(|error| denied(path, error))?;
    if metadata.nlink() > 1 {
        return Err(Error::unsupported(format!("{} has {} names (hard links)", path.display(), metadata.nlink()))
            .with_hint("keep one name only: the write-ahead log and the locks of a store belong to its path"));
    }
    Ok((metadata.dev(), metadata.ino()))
}

fn identity(path: &Path) -> std::io::Result<Identity> {
    std::fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

fn denied(path: &Path, error: std::io::Error) -> Error {
    from_system(format!("{} cannot be opened", path.display()), error)
}

/// The first hundred bytes of a database file; see <https://www.sqlite.org/fileformat2.html>, section 1.3. Answers with
/// the size of its pages, if it has any.
fn check_header(path: &Path) -> Result<Option<usize>> {
    let mut header = Vec::with_capacity(100);
    let mut file = File::open(path).map_err(|error| denied(path, error))?;
    file.by_ref().take(100).read_to_end(&mut header).map_err(|error| denied(path, error))?;
    // After the header: a file that grows meanwhile is not taken for one that was cut.
    let length = file.metadata().map_err(|error| denied(path, error))?.len();
    drop(file);
    if header.is_empty() || was_being_made(path) {
        return Ok(None);
    }
    let shown = path.display();
    let foreign = |what: &str| {
        Error::corrupt(format!("{shown} is no recollect store: {what}"))
            .with_hint("give the path of a store, or of a file that does not exist yet")
    };
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(foreign("it is not a database file"));
    }
    let Some(fields) = Fields::read(&header) else {
        return Err(truncated(path, length, 100));
    };
    if fields.application_id != APPLICATION_ID {
        return Err(foreign("it is a database of another program"));
    }
    // The page count of the header may run ahead of the file only while the write-ahead log holds the pages.
    let log_is_empty = std::fs::metadata(beside(path, "-wal")).map_or(true, |log| log.len() == 0);
    if log_is_empty && length < fields.length {
        return Err(truncated(path, length, fields.length));
    }
    Ok(Some(fields.page_size))
}

/// Whether the power failed in the first transaction of a new file: its rollback journal says that the file was empty,
/// which the engine makes it again, whatever of the transaction the file holds. The format of the journal is in
/// <https://www.sqlite.org/fileformat2.html>, section 3.
fn was_being_made(path: &Path) -> bool {
    let mut journal = [0; 20];
    let is_read = File::open(beside(path, "-journal")).and_then(|mut file| file.read_exact(&mut journal)).is_ok();
    is_read && journal.starts_with(&[0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7]) && journal.ends_with(&[0; 4])
}

fn truncated(path: &Path, length: u64, wanted: u64) -> Error {
    let shown = path.display();
    Error::corrupt(format!("{shown} is cut short: it has {length} bytes and should have {wanted}"))
        .with_hint("restore the store from a backup")
}

struct Fields {
    application_id: u32,
    page_size: usize,
    length: u64,
}

impl Fields {
    fn read(header: &[u8]) -> Option<Self> {
        let number = |at: usize| {
            let bytes = header.get(at..at.checked_add(4)?)?;
            Some(u32::from_be_bytes(bytes.try_into().ok()?))
        };
        let page_size = match u16::from_be_bytes(header.get(16..18)?.try_into().ok()?) {
            1 => 65_536,
            size => usize::from(size),
        };
        // The page count is valid only if it was written by the same change as the version.
        let pages = if number(24)? == number(92)? { number(28)? } else { 0 };
        Some(Self { application_id: number(68)?, page_size, length: page_size as u64 * u64::from(pages) })
    }
}
