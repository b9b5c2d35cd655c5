//! Opening a store: everything that is checked, made and migrated before the first call.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use recollect_model::{Call, Error, ErrorCode, Result};

use crate::backup::copy_to;
use crate::connection::Connection;
use crate::core::Core;
use crate::engine::check_engine;
use crate::errors::is_disk_full;
use crate::guard::{Guard, beside};
use crate::migrations::{self, Migration};
use crate::open_files::{APPLICATION_ID, OpenFile};
use crate::options::{Location, OpenMode, OpenOptions};
use crate::patience::{Patience, while_locked};
use crate::place::{Found, resolve};
use crate::pragmas::{self, Role};
use crate::raw::{self, Access, CheckpointMode};
use crate::readers::{self, Readers};
use crate::writer::{self, Writer};

/// How often, and at what distance, opening tries to empty the log while a reader is in the way.
const SETTLING: (u32, Duration) = (20, Duration::from_millis(2));

/// Opens a store as the options say, with the given steps of the schema.
pub(crate) fn open(options: OpenOptions, all: &[Migration], call: &Call) -> Result<Core> {
    raw::start()?;
    match (&options.location, options.mode) {
        (Location::Memory, OpenMode::ReadOnly) => {
            Err(Error::invalid("a store in memory is new, so there is nothing to open read-only"))
        }
        (Location::Memory, OpenMode::ReadWrite { .. }) => open_memory(options, all, call),
        (Location::File(path), OpenMode::ReadOnly) => {
            let path = path.clone();
            open_read_only(&path, options, all, call)
        }
        (Location::File(path), OpenMode::ReadWrite { create }) => {
            let path = path.clone();
            open_file(&path, create, options, all, call)
        }
    }
}

fn open_memory(options: OpenOptions, all: &[Migration], call: &Call) -> Result<Core> {
    let connection = Connection::open(":memory:", Access::Create)?;
    pragmas::apply(&connection, &options, Role::Memory)?;
    migrations::apply(&connection, all, 0, call)?;
    let guard = Guard::of_memory(options.lock_timeout);
    let core = Core::new(options.clone(), migrations::newest(all));
    Ok(core.with_writer(Writer::new(guard, None, options, connection)))
}

fn open_read_only(path: &Path, options: OpenOptions, all: &[Migration], call: &Call) -> Result<Core> {
    let (path, found) = resolve(path)?;
    if found != Found::File {
        return Err(nothing_there(&path, found));
    }
    let file = OpenFile::enter(&path, &mut Patience::new(call, options.lock_timeout))?;
    let name = text(&path)?.to_owned();
    let reached = while_locked(call, options.lock_timeout, || {
        let connection = readers::open(&name, &options)?;
        check_identity(&connection, &path)?;
        migrations::check(&connection, all)
    })
    .map_err(|error| explain_read_only(error, &path))?;
    let newest = migrations::newest(all);
    if reached < newest {
        return Err(Error::unsupported(format!(
            "{} has schema version {reached}, and this release reads version {newest}",
            path.display()
        ))
        .with_hint("open it once for writing, which brings it up to date"));
    }
    let readers = Readers::new(name, options.clone());
    Ok(Core::new(options, reached).with_file(path, file, readers))
}

fn open_file(path: &Path, create: bool, options: OpenOptions, all: &[Migration], call: &Call) -> Result<Core> {
    let (path, found) = resolve(path)?;
    if found != Found::File && !create {
        return Err(nothing_there(&path, found));
    }
    OpenFile::check_fork(&path)?;
    let mut patience = Patience::new(call, options.lock_timeout);
    if found == Found::File && !Guard::exists(&path) {
        // Before any file is made beside what may not be ours.
        OpenFile::inspect(&path, &mut patience)?;
    }
    if found != Found::File {
        refuse_orphan(&path)?;
    }
    let guard = Guard::of_file(&path, options.lock_timeout)?;
    let held = guard.acquire(call)?;
    let file = OpenFile::enter_guarded(&path, create, &mut patience)?;
    let name = text(&path)?.to_owned();
    let connection = while_locked(call, options.lock_timeout, || {
        let connection = writer::open(&name, &options, Access::ReadWrite)?;
        establish(&connection, &path)?;
        Ok(connection)
    })?;
    settle_log(&connection, &path)?;
    let schema_version = migrate(&connection, &path, all, call)?;
    check_engine(&connection, &name)?;
    drop(held);
    let readers = Readers::new(name.clone(), options.clone());
    let writer = Writer::new(guard, Some(name), options.clone(), connection);
    Ok(Core::new(options, schema_version).with_file(path, file, readers).with_writer(writer))
}

/// Makes a new file a store, or checks that an old one is. The number that says so is written before the file has a
/// write-ahead log, so that it can always be read from the file itself.
fn establish(connection: &Connection, path: &Path) -> Result<()> {
    let id = pragmas::get(connection, "application_id")?;
    if id == 0 && migrations::is_new(connection)? {
        pragmas::set(connection, "application_id", i64::from(APPLICATION_ID))?;
    } else {
        check_identity(connection, path)?;
    }
    pragmas::use_wal(connection)
}

fn check_identity(connection: &Connection, path: &Path) -> Result<()> {
    let id = pragmas::get(connection, "application_id")?;
    if id == i64::from(APPLICATION_ID) {
        return Ok(());
    }
    Err(Error::corrupt(format!("{} is no recollect store: it is a database of another program", path.display()))
        .with_hint("give the path of a store, or of a file that does not exist yet"))
}

/// Copies what is in the log into the file before anything is written behind it.
///
/// When a sync of the log failed, what was written before is read from the memory of the system as if nothing had
/// happened, while the disk does not have it, and no later sync writes it: commits that follow it in the log would be
/// gone with it when the power fails. A checkpoint writes all of it anew. The caller holds the guard.
fn settle_log(connection: &Connection, path: &Path) -> Result<()> {
    let is_empty = || std::fs::metadata(beside(path, "-wal")).map_or(true, |log| log.len() == 0);
    for _ in 0..SETTLING.0 {
        if is_empty() {
            break;
        }
        match connection.handle().checkpoint(CheckpointMode::Truncate) {
            // A reader uses the log, and with it its index in memory, which knows what was committed and what failed.
            Ok(frames) if frames.is_busy => thread::sleep(SETTLING.1),
            // What is there can be read all the same.
            Err(failure) if is_disk_full(&failure) => break,
            Err(failure) => return Err(connection.explain(&failure)),
            Ok(_) => break,
        }
    }
    Ok(())
}

/// Brings the schema up to date. A store that holds something is copied first.
fn migrate(connection: &Connection, path: &Path, all: &[Migration], call: &Call) -> Result<u32> {
    let reached = migrations::check(connection, all)?;
    let Some(next) = all.iter().find(|migration| migration.version > reached) else { return Ok(reached) };
    if reached > 0 {
        let copy = copy_path(path, next.version);
        connection.begin(call, "BEGIN")?;
        let copied = connection
            .query_one("SELECT count(*) FROM sqlite_schema", &[], |row| row.integer(0))
            .and_then(|_| copy_to(connection, &copy, true, call));
        connection.end("ROLLBACK")?;
        copied?;
    }
    migrations::apply(connection, all, reached, call)?;
    migrations::check(connection, all)
}

/// Where the copy of a store stands that was made before a step of the schema.
fn copy_path(path: &Path, version: u32) -> PathBuf {
    beside(path, &format!(".before-{version:04}"))
}

/// A log without its file: making a store here would throw away what only the log holds. (A file has its first page
/// before it has a log.)
fn refuse_orphan(path: &Path) -> Result<()> {
    let log = beside(path, "-wal");
    if std::fs::metadata(&log).map_or(true, |log| log.len() == 0) {
        return Ok(());
    }
    let (shown, log) = (path.display(), log.display());
    Err(Error::conflict(format!("{log} is the log of a store whose file is no longer at {shown}"))
        .with_hint(format!("put the file back; or, to make a new store here, move {log} away")))
}

fn nothing_there(path: &Path, found: Found) -> Error {
    let what = if found == Found::Empty { "is an empty file" } else { "does not exist" };
    Error::not_found(format!("{} {what}", path.display())).with_hint("create the store first: `recollect init`")
}

fn explain_read_only(error: Error, path: &Path) -> Error {
    if error.code() != ErrorCode::Io {
        return error;
    }
    Error::permission_denied(format!("{} cannot be read where it is", path.display()))
        .with_hint(
            "libSQL needs the store's -wal and -shm files, or may make them: open the store for writing once, or copy \
             it to a folder that can be written",
        )
        .with_source(error)
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| Error::invalid(format!("the path {} is not UTF-8", path.display())))
}

/// Touches the schema, so that the moment a read transaction sees is fixed now.
pub(crate) fn fix_snapshot(connection: &Connection) -> Result<()> {
    connection.query_one("SELECT 1 FROM sqlite_schema LIMIT 1", &[], |_| Ok(())).map(|_| ())
}
