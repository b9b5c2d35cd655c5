//! The database files this process has open, and the one safe moment to look into one.
//!
//! A process that closes any descriptor of a file loses all its POSIX locks on it, those of libSQL included. So a file
//! is read by path only while no connection of this process has it open, and what is open must be known to the
//! process as a whole.
//!
//! The engine, too, knows what its process has locked. A forked child inherits that knowledge without the locks, so a
//! file that the parent had open at the fork cannot be opened in the child, not even anew.

use std::collections::HashMap;
use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use recollect_model::{Error, Result};

use crate::errors::from_system;
use crate::guard::beside;
use crate::leftover::{check_log, check_log_in_use};
use crate::patience::Patience;
use crate::process::{FORK_HINT, Process};

/// `PRAGMA application_id` of every store: "RCLT".
pub(crate) const APPLICATION_ID: u32 = 0x5243_4C54;

/// Device and inode.
type Identity = (u64, u64);

static OPEN: Mutex<Option<HashMap<Identity, Entry>>> = Mutex::new(None);

/// The process that has [`OPEN`] locked, or 0.
static LISTING: AtomicU32 = AtomicU32::new(0);

/// What is known of a file.
struct Entry {
    process: Process,
    /// How many stores use it; none while somebody looks into it by path, when nobody may open or close it.
    users: Option<usize>,
}

/// A file this process has open, until it is dropped: drop it after the last connection.
pub(crate) struct OpenFile {
    identity: Identity,
    process: Process,
}

/// How much of a file is looked at before it is opened. The look is left out where this process has the file open: then
/// it was done before, and must not be done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Header,
    /// The log, too, by somebody who holds the guard.
    Log,
    /// The log, too, beside others that may write.
    LogInUse,
}

impl OpenFile {
    /// Enters a file into the list. When it is the first entry for this file, what is no store is refused without a byte
    /// written, and so is a log beside it that belongs to another file.
    pub(crate) fn enter(path: &Path, patience: &mut Patience<'_>) -> Result<Self> {
        Self::enter_with(path, Look::LogInUse, patience)
    }

    /// As [`Self::enter`], for whoever holds the guard: makes the file if it is not there and that is wanted.
    pub(crate) fn enter_guarded(path: &Path, create: bool, patience: &mut Patience<'_>) -> Result<Self> {
        if create {
            make(path)?;
        }
        Self::enter_with(path, Look::Log, patience)
    }

    fn enter_with(path: &Path, look: Look, patience: &mut Patience<'_>) -> Result<Self> {
        let identity = sole_identity(path)?;
        let process = Process::current();
        loop {
            let mut list = list()?;
            match list.entries().entry(identity) {
                Occupied(entry) => {
                    let entry = entry.into_mut();
                    refuse_inherited(entry, path)?;
                    if let Some(users) = &mut entry.users {
                        *users += 1;
                        return Ok(Self { identity, process });
                    }
                }
                Vacant(entry) => {
                    entry.insert(Entry { process, users: None });
                    break;
                }
            }
            drop(list);
            if !patience.lasts()? {
                return Err(Error::locked(format!("another thread is opening {} all the time", path.display())));
            }
            thread::sleep(Duration::from_micros(200));
        }
        // The list is free meanwhile: a long log takes its time. What is returned takes the entry away if this fails.
        let entered = Self { identity, process };
        look_into(path, look, patience)?;
        if let Some(entry) = list()?.entries().get_mut(&identity) {
            entry.users = Some(1);
        }
        Ok(entered)
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
        list()?.entries().get(&identity).map_or(Ok(()), |entry| refuse_inherited(entry, path))
    }

    /// Looks at the header of a file unless this process has it open, in which case that was done before.
    pub(crate) fn inspect(path: &Path, patience: &mut Patience<'_>) -> Result<()> {
        drop(Self::enter_with(path, Look::Header, patience)?);
        Ok(())
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        if !self.process.is_current() {
            return;
        }
        // It fails in a forked child alone.
        let Ok(mut list) = list() else { return };
        if let Occupied(mut entry) = list.entries().entry(self.identity) {
            match &mut entry.get_mut().users {
                Some(users) if *users > 1 => *users -= 1,
                _ => drop(entry.remove()),
            }
        }
    }
}

/// Makes a file that is not there. One that is there is not opened, since to close it again would drop the locks of
/// whoever uses it in this process.
fn make(path: &Path) -> Result<()> {
    match OpenOptions::new().append(true).create_new(true).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(denied(path, error)),
        _ => Ok(()),
    }
}

/// The list, until it is dropped.
struct List {
    // Declared in the order of release.
    entries: MutexGuard<'static, Option<HashMap<Identity, Entry>>>,
    _listing: Listing,
}

/// [`LISTING`] says which process this is.
struct Listing;

impl List {
    fn entries(&mut self) -> &mut HashMap<Identity, Entry> {
        self.entries.get_or_insert_default()
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        LISTING.store(0, Ordering::Release);
    }
}

/// Waits for the list, which nobody keeps for longer than it takes to look something up.
///
/// Who has it has written its process down first. So a child that was forked at that moment, in which nobody is left to
/// free the list, knows it.
fn list() -> Result<List> {
    while !claim(&LISTING)? {
        thread::sleep(Duration::from_micros(50));
    }
    let listing = Listing;
    let entries = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(List { entries, _listing: listing })
}

/// Writes this process down if nobody is. False when another thread of it is.
fn claim(holder: &AtomicU32) -> Result<bool> {
    let this = std::process::id();
    match holder.compare_exchange(0, this, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Ok(true),
        Err(process) if process == this => Ok(false),
        Err(_) => {
            Err(Error::closed("this process was forked while another thread opened a store").with_hint(FORK_HINT))
        }
    }
}

fn refuse_inherited(entry: &Entry, path: &Path) -> Result<()> {
    if entry.process.is_current() {
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

fn look_into(path: &Path, look: Look, patience: &mut Patience<'_>) -> Result<()> {
    match (check_header(path)?, look) {
        (Some(page_size), Look::Log) => check_log(path, page_size),
        (Some(page_size), Look::LogInUse) => check_log_in_use(path, page_size, patience),
        _ => Ok(()),
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::path::PathBuf;
    use std::process::Command;
    use std::sync::mpsc;

    use recollect_model::{Call, ErrorCode};

    use super::*;
    use crate::Database;

    /// Two stores that are closed.
    fn two_stores() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        let (one, two) = (path.join("one.db"), path.join("two.db"));
        for path in [&one, &two] {
            Database::open(crate::OpenOptions::file(path), &Call::unlimited()).unwrap();
        }
        (folder, one, two)
    }

    fn enter(path: &Path, limit: Duration) -> Result<OpenFile> {
        OpenFile::enter(path, &mut Patience::new(&Call::unlimited(), limit))
    }

    /// How many use a file; 0 while it is looked into, and none when it is not listed.
    fn users(path: &Path) -> Option<usize> {
        let identity = identity(path).unwrap();
        list().unwrap().entries().get(&identity).map(|entry| entry.users.unwrap_or(0))
    }

    #[test]
    fn a_look_that_takes_long_holds_up_its_own_file_alone() {
        const LONG: Duration = Duration::from_secs(20);
        let (_folder, slow, other) = two_stores();
        // To open a pipe waits for somebody to write to it.
        let pipe = beside(&slow, "-journal");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let (entered, has_entered) = mpsc::channel();
        thread::scope(|scope| {
            let (first, is_looking) = mpsc::channel();
            let looked_at = &slow;
            scope.spawn(move || first.send(enter(looked_at, LONG)).unwrap());
            while users(&slow).is_none() {
                thread::yield_now();
            }
            let other = &other;
            scope.spawn(move || entered.send(enter(other, LONG)).unwrap());
            let outcome = has_entered.recv_timeout(LONG);
            let again = enter(&slow, Duration::from_millis(30));
            // Free the thread before anything is judged.
            drop(std::fs::OpenOptions::new().write(true).open(&pipe).unwrap());
            let first = is_looking.recv().unwrap().unwrap();
            let entered = outcome.unwrap().unwrap();
            assert_eq!(again.err().unwrap().code(), ErrorCode::Locked);
            let second = enter(&slow, LONG).unwrap();
            assert_eq!(users(&slow), Some(2));
            drop(first);
            assert_eq!(users(&slow), Some(1));
            drop((second, entered));
            assert_eq!((users(&slow), users(other)), (None, None));
        });
    }

    #[test]
    fn a_file_that_is_refused_is_not_listed() {
        let (_folder, one, _) = two_stores();
        std::fs::write(&one, "this is no store, and long enough to be told from one").unwrap();
        assert_eq!(enter(&one, Duration::ZERO).err().unwrap().code(), ErrorCode::Corrupt);
        assert_eq!(users(&one), None);
    }

    #[test]
    fn a_list_that_another_process_had_is_known_at_once() {
        let this = std::process::id();
        let holder = AtomicU32::new(0);
        assert!(claim(&holder).unwrap());
        assert!(!claim(&holder).unwrap(), "another thread of this process waits");
        assert_eq!(claim(&AtomicU32::new(this + 1)).err().unwrap().code(), ErrorCode::Closed);
    }
}
