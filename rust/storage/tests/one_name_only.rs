//! A store that was moved, linked or deleted while it is open takes no write: its log and its guard belong to its path.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::fs;
use std::path::Path;

use recollect_model::{Call, ErrorCode};
use recollect_storage::rows::access;
use recollect_storage::{Database, OpenOptions};

fn open(path: &Path) -> Database {
    Database::open(OpenOptions::file(path), &Call::unlimited()).unwrap()
}

fn write(database: &Database, name: &str) -> Result<bool, ErrorCode> {
    let outcome = database.write(&Call::unlimited(), |transaction| access::create_channel(transaction, name));
    outcome.map_err(|error| error.code())
}

fn names(database: &Database) -> Vec<String> {
    access::channels(&database.read(&Call::unlimited()).unwrap()).unwrap()
}

#[test]
fn a_file_with_two_names_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("a.db"), folder.path().join("b.db"));
    open(&path).close(&Call::unlimited()).unwrap();
    fs::hard_link(&path, &link).unwrap();
    for name in [&path, &link] {
        let refused = Database::open(OpenOptions::file(name), &Call::unlimited()).err().unwrap();
        assert_eq!(refused.code(), ErrorCode::Unsupported);
    }
    fs::remove_file(&link).unwrap();
    assert_eq!(write(&open(&path), "room"), Ok(true));
}

#[test]
fn a_file_that_gets_a_second_name_takes_no_write_until_it_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("a.db"), folder.path().join("b.db"));
    let database = open(&path);
    fs::hard_link(&path, &link).unwrap();
    assert_eq!(write(&database, "one"), Err(ErrorCode::Conflict));
    fs::remove_file(&link).unwrap();
    assert_eq!(write(&database, "two"), Ok(true));
    assert_eq!(names(&database), ["two"]);
}

#[test]
fn a_file_that_was_moved_takes_no_write_until_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let (path, elsewhere) = (folder.path().join("a.db"), folder.path().join("b.db"));
    let database = open(&path);
    fs::rename(&path, &elsewhere).unwrap();
    assert_eq!(write(&database, "one"), Err(ErrorCode::Conflict));
    fs::write(&path, b"").unwrap();
    assert_eq!(write(&database, "one"), Err(ErrorCode::Conflict));
    fs::rename(&elsewhere, &path).unwrap();
    assert_eq!(write(&database, "two"), Ok(true));
}

#[test]
fn a_file_that_was_deleted_takes_no_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let database = open(&path);
    fs::remove_file(&path).unwrap();
    assert_eq!(write(&database, "one"), Err(ErrorCode::Conflict));
}

#[test]
fn a_file_that_was_replaced_takes_no_write_and_no_checkpoint_and_the_new_one_is_unharmed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, elsewhere) = (folder.path().join("a.db"), folder.path().join("elsewhere.db"));
    let (old, other) = (open(&path), open(&elsewhere));
    assert_eq!(write(&old, "old"), Ok(true));
    assert_eq!(write(&other, "new"), Ok(true));
    other.close(&Call::unlimited()).unwrap();
    // A restore by hand, under the feet of a store that is open, with a log that is not empty.
    fs::rename(&elsewhere, &path).unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(write(&old, "more"), Err(ErrorCode::Conflict));
    assert_eq!(old.checkpoint(&Call::unlimited()).err().unwrap().code(), ErrorCode::Conflict);
    assert_eq!(old.erase(&Call::unlimited()).err().unwrap().code(), ErrorCode::Conflict);
    old.close(&Call::unlimited()).unwrap();
    drop(old);
    assert!(fs::read(&path).unwrap() == before);
    // The log that stayed behind is not applied to it.
    let refused = Database::open(OpenOptions::file(&path), &Call::unlimited()).err().unwrap();
    assert_eq!(refused.code(), ErrorCode::Corrupt, "{refused:?}");
    fs::remove_file(folder.path().join("a.db-wal")).unwrap();
    assert_eq!(names(&open(&path)), ["new"]);
}

#[test]
fn a_file_that_was_moved_away_gets_what_is_in_the_log_when_the_store_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, elsewhere) = (folder.path().join("a.db"), folder.path().join("b.db"));
    let database = open(&path);
    assert_eq!(write(&database, "one"), Ok(true));
    fs::rename(&path, &elsewhere).unwrap();
    database.close(&Call::unlimited()).unwrap();
    drop(database);
    assert_eq!(names(&open(&elsewhere)), ["one"]);
}
