//! Steps of the schema are applied once, each as a whole, and only those that this release knows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test may panic and speak")]

use std::fs;
use std::path::Path;
use std::process::abort;

use recollect_faults::{Disk, install};
use recollect_model::{Call, ErrorCode, Result};

use crate::migrations::Migration;
use crate::options::{OpenMode, OpenOptions};
use crate::{core::Core, opening};

#[path = "../tests/support/child.rs"]
mod child;

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

const FILLED: Migration = Migration {
    version: 1,
    name: "0001_fill_a",
    sql: "CREATE TABLE a (x INTEGER, filler BLOB);\n\
          WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 400)\n\
          INSERT INTO a SELECT x, zeroblob(x % 97 * 10) FROM c;",
};
const MOVED: Migration = Migration {
    version: 2,
    name: "0002_move_a_to_b",
    sql: "CREATE TABLE b (y INTEGER, filler BLOB); INSERT INTO b SELECT x, filler FROM a; DROP TABLE a;",
};

/// A process that dies at a change of the files, at whichever, leaves a store that the next one opens: with everything
/// it held, up to date, and with a whole copy of what it was.
#[test]
fn a_migration_that_is_cut_off_anywhere_is_finished_by_the_next_open() {
    /// The process, to die at a change; how many changes it made, if it did not die.
    fn migrate(path: &Path, change: u64) -> Option<u64> {
        fs::write(path.with_file_name("change"), format!("{change}")).unwrap();
        let mut migrating = child::start("migration_tests::role_migrates_and_dies", path);
        let changes = child::said(&mut migrating, "migrated:").next().map(|said| said.parse().unwrap());
        migrating.wait().unwrap();
        changes
    }

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(open(&path, &[FILLED]).unwrap());
    let changes = migrate(&path, u64::MAX).unwrap();
    assert!(changes > 40, "{changes}");
    for change in (1..=changes).step_by(usize::try_from(changes / 24).unwrap()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        drop(open(&path, &[FILLED]).unwrap());
        assert_eq!(migrate(&path, change), None, "it died");

        let core = open(&path, &[FILLED, MOVED]).unwrap();
        assert_eq!(number(&core, "SELECT sum(y) FROM b").unwrap(), Some(80_200), "cut off at change {change}");
        assert_eq!(
            number(&core, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'").unwrap(),
            Some(0)
        );
        assert_eq!(number(&core, "SELECT count(*) FROM migrations").unwrap(), Some(2));
        drop(core);
        let copy = folder.path().join("store.db.before-0002");
        assert_eq!(number(&open(&copy, &[FILLED]).unwrap(), "SELECT sum(x) FROM a").unwrap(), Some(80_200));
        assert!(!folder.path().join("store.db.before-0002.part").exists());
    }
}

#[test]
#[ignore = "a role in `a_migration_that_is_cut_off_anywhere_is_finished_by_the_next_open`"]
fn role_migrates_and_dies() {
    let Some(path) = child::store() else { return };
    let last: u64 = fs::read_to_string(path.with_file_name("change")).unwrap().parse().unwrap();
    install();
    let disk = Disk::watch(&path.parent().unwrap().canonicalize().unwrap()).unwrap();
    disk.look(move |moment| {
        if moment.number() >= last {
            abort();
        }
    });
    drop(open(&path, &[FILLED, MOVED]).unwrap());
    println!("migrated: {}", disk.changes());
}
