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
