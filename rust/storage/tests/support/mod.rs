//! What every test of this crate needs: a folder with a store in it.
#![allow(dead_code, reason = "no test file uses all of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use recollect_model::{Call, Result};
use recollect_storage::{Database, Durability, OpenMode, OpenOptions, Snapshot, Transaction, params};

/// A folder that goes with its store.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    pub fn open(&self) -> Database {
        open(&self.path())
    }
}

/// How tests open a store: as users do, without waiting for the disk.
pub fn options(path: &Path) -> OpenOptions {
    OpenOptions { durability: Durability::Normal, ..OpenOptions::file(path) }
}

pub fn read_only(path: &Path) -> OpenOptions {
    OpenOptions { mode: OpenMode::ReadOnly, ..OpenOptions::file(path) }
}

pub fn open(path: &Path) -> Database {
    Database::open(options(path), &unlimited()).expect("the store opens")
}

pub fn unlimited() -> Call {
    Call::unlimited()
}

/// A table for the tests, beside those of the schema.
pub fn make_table(store: &Database) {
    store
        .write(&unlimited(), |transaction| {
            transaction
                .execute("CREATE TABLE IF NOT EXISTS numbers (id INTEGER PRIMARY KEY, n INTEGER, text TEXT)", &[])
        })
        .expect("the table is made");
}

pub fn insert(transaction: &Transaction<'_>, number: i64) -> Result<u64> {
    transaction.execute("INSERT INTO numbers (n) VALUES (?1)", params![number])
}

pub fn numbers(snapshot: &Snapshot<'_>) -> Vec<i64> {
    snapshot.query("SELECT n FROM numbers ORDER BY id", &[], |row| row.integer(0)).expect("the numbers are read")
}

pub fn stored(store: &Database) -> Vec<i64> {
    numbers(&store.read(&unlimited()).expect("a snapshot"))
}

/// A statement that runs until it is stopped.
pub const ENDLESS: &str = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";
