//! A database on a watched folder, through `libsql` alone.
#![allow(dead_code, reason = "no test file uses all of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use libsql::{Builder, Connection, Error};
use recollect_faults::Disk;

pub struct Place {
    // Declared first: nothing is watched that is gone.
    pub disk: Disk,
    folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        recollect_faults::install();
        let folder = tempfile::tempdir().unwrap();
        Self { disk: Disk::watch(folder.path()).unwrap(), folder }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    /// What a power cut now would leave.
    pub fn cut(&self, seed: Option<u64>) -> tempfile::TempDir {
        let image = tempfile::tempdir().unwrap();
        self.disk.cut(seed, image.path()).unwrap();
        image
    }
}

/// Local work of `libsql` is done at the first poll.
pub fn now<F: Future>(work: F) -> F::Output {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("libSQL waits for something"),
    }
}

/// A table of numbers in a database with a write-ahead log, and every commit synced.
pub fn open(path: &Path) -> Connection {
    let connection = connect(path);
    for setting in ["journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 0"] {
        now(connection.query(&format!("PRAGMA {setting}"), ())).map(drop).unwrap();
    }
    now(connection.execute("CREATE TABLE IF NOT EXISTS numbers (n INTEGER)", ())).unwrap();
    connection
}

pub fn connect(path: &Path) -> Connection {
    now(Builder::new_local(path).build()).unwrap().connect().unwrap()
}

/// Adds a number; the result code if that fails.
pub fn insert(connection: &Connection, number: i64) -> Result<u64, i32> {
    now(connection.execute("INSERT INTO numbers VALUES (?1)", [number])).map_err(|error| code(&error))
}

/// How many numbers there are.
pub fn count(connection: &Connection) -> Result<i64, i32> {
    let answer = now(connection.query("SELECT count(*) FROM numbers", ()));
    let row = answer.and_then(|mut rows| now(rows.next()));
    row.and_then(|row| row.unwrap().get(0)).map_err(|error| code(&error))
}

fn code(error: &Error) -> i32 {
    match error {
        Error::SqliteFailure(code, _) => *code,
        other => panic!("{other}"),
    }
}
