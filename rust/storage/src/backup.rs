//! Copies of a store, page by page.

use std::fs::{self, File};
use std::path::Path;

use recollect_model::{Call, Error, Result};

use crate::connection::Connection;
use crate::errors::{from_failure, from_system};
use crate::guard::beside;
use crate::raw::{Access, Backup};

/// Pages between two questions whether to go on: a mebibyte.
const PAGES: i32 = 256;

/// Copies what `source` sees in its open transaction into a file of its own, which needs no other file beside it. The
/// file appears under its name when it is whole and on the disk.
pub(crate) fn copy_to(source: &Connection, path: &Path, replace: bool, call: &Call) -> Result<()> {
    if !replace && path.exists() {
        return Err(Error::already_exists(format!("{} exists already", path.display()))
            .with_hint("choose another path, or remove the file"));
    }
    let part = beside(path, ".part");
    let failed = |error| from_system(format!("{} cannot be written", path.display()), error);
    remove(&part).map_err(failed)?;
    let copied = fill(source, &part, call).and_then(|()| publish(&part, path).map_err(failed));
    if copied.is_err() {
        // What failed is what the caller must know; an unfinished copy is overwritten by the next one.
        let _removed = remove(&part);
    }
    copied
}

fn fill(source: &Connection, part: &Path, call: &Call) -> Result<()> {
    let name = part.to_str().ok_or_else(|| Error::invalid(format!("the path {} is not UTF-8", part.display())))?;
    let target = Connection::open(name, Access::Create)?;
    target.script("PRAGMA synchronous = OFF")?;
    let mut backup = Backup::new(source.handle(), target.handle()).map_err(|failure| from_failure(&failure, None))?;
    while !backup.step(PAGES).map_err(|failure| from_failure(&failure, None))? {
        call.check_interrupt()?;
    }
    drop(backup);
    // The copy is one file, without a log of its own.
    target.script("PRAGMA journal_mode = DELETE")
}

fn publish(part: &Path, path: &Path) -> std::io::Result<()> {
    // No connection has this file open any more, so that it may be opened by path.
    File::open(part)?.sync_all()?;
    fs::rename(part, path)?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

fn remove(part: &Path) -> std::io::Result<()> {
    for path in [part.to_owned(), beside(part, "-journal"), beside(part, "-wal"), beside(part, "-shm")] {
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
