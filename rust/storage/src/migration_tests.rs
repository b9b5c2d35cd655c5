//! Steps of the schema are applied once, each as a whole, and only those that this release knows.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::path::Path;

use recollect_model::{Call, ErrorCode, Result};

use crate::migrations::Migration;
use crate::options::{OpenMode, OpenOptions};
use crate::{core::Core, opening};

const FIRST: Migration = Migration {
    version: 1,
    name: "0001_make_a",
    sql: "CREATE TABLE a (x INTEGER); -- the first\nINSERT INTO a VALUES (1);\n",
};
const SECOND: Migration = Migration {
    version: 2,
    name: "0002_make_b",
    sql: "CREATE TABLE b (y INTEGER); INSERT INTO b SELECT x + 1 FROM a;",
};
const BROKEN: Migration =
    Migration { version: 2, name: "0002_make_b", sql: "CREATE TABLE b (y INTEGER); INSERT INTO nothing VALUES (1);" };
const CHANGED: Migration = Migration { version: 1, name: "0001_make_a", sql: "CREATE TABLE a (x INTEGER, z INTEGER);" };

fn open(path: &Path, all: &[Migration]) -> Result<Core> {
    opening::open(OpenOptions::file(path), all, &Call::unlimited())
}

fn number(core: &Core, sql: &'static str) -> Result<Option<i64>> {
    core.readers.as_ref().unwrap().lease(&Call::unlimited(), || Ok(()))?.query_one(sql, &[], |row| row.integer(0))
}

#[test]
fn a_new_step_is_applied_once_and_after_a_copy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let copy = folder.path().join("store.db.before-0002");
    drop(open(&path, &[FIRST]).unwrap());
    assert!(!copy.exists());
    for _ in 0..2 {
        let core = open(&path, &[FIRST, SECOND]).unwrap();
        assert_eq!(core.schema_version, 2);
        assert_eq!(number(&core, "SELECT sum(y) FROM b").unwrap(), Some(2));
        assert_eq!(number(&core, "SELECT count(*) FROM migrations").unwrap(), Some(2));
    }
    let core = open(&copy, &[FIRST]).unwrap();
    assert_eq!(core.schema_version, 1);
    assert_eq!(number(&core, "SELECT sum(x) FROM a").unwrap(), Some(1));
}

#[test]
fn a_step_that_fails_leaves_the_store_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(open(&path, &[FIRST]).unwrap());
    assert!(open(&path, &[FIRST, BROKEN]).is_err());
    let core = open(&path, &[FIRST]).unwrap();
    assert_eq!(core.schema_version, 1);
    assert_eq!(number(&core, "SELECT count(*) FROM sqlite_schema WHERE name = 'b'").unwrap(), Some(0));
    drop(core);
    assert_eq!(open(&path, &[FIRST, SECOND]).unwrap().schema_version, 2);
}

#[test]
fn unknown_and_changed_steps_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(open(&path, &[FIRST, SECOND]).unwrap());
    for all in [&[FIRST][..], &[CHANGED, SECOND]] {
        let error = open(&path, all).err().unwrap();
        assert_eq!(error.code(), ErrorCode::Unsupported, "{error:?}");
    }
    assert_eq!(open(&path, &[FIRST, SECOND]).unwrap().schema_version, 2);
}

#[test]
fn an_older_store_is_not_migrated_by_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(open(&path, &[FIRST]).unwrap());
    let options = OpenOptions { mode: OpenMode::ReadOnly, ..OpenOptions::file(&path) };
    let error = opening::open(options, &[FIRST, SECOND], &Call::unlimited()).err().unwrap();
    assert_eq!(error.code(), ErrorCode::Unsupported);
    assert!(error.hint().contains("for writing"), "{}", error.hint());
}
