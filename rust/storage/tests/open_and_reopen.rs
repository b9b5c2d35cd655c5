//! What was committed is there when the store is opened again, and every setting is what it should be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::fs;

use recollect_model::ErrorCode;
use recollect_storage::{Connection, Database, OpenMode, OpenOptions};
use support::{Place, insert, make_table, open, options, read_only, stored, unlimited};

#[test]
fn a_closed_store_opens_with_what_was_committed() {
    let place = Place::new();
    let store = place.open();
    let steps = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations")).unwrap().count();
    assert_eq!(usize::try_from(store.schema_version()).unwrap(), steps);
    assert!(!store.is_read_only());
    make_table(&store);
    store.write(&unlimited(), |transaction| insert(transaction, 7)).unwrap();
    store.close(&unlimited()).unwrap();
    assert_eq!(store.stats().wal_bytes, 0, "closing leaves no log");

    let again = place.open();
    assert_eq!(stored(&again), [7]);
    assert_eq!(again.integrity(&unlimited()).unwrap(), Vec::<String>::new());
}

#[test]
fn a_store_dropped_without_close_opens_with_what_was_committed() {
    let place = Place::new();
    let store = place.open();
    make_table(&store);
    store.write(&unlimited(), |transaction| insert(transaction, 7)).unwrap();
    drop(store);
    assert_eq!(stored(&place.open()), [7]);
}

#[test]
fn every_path_to_a_file_uses_the_same_lock_files() {
    let place = Place::new();
    drop(place.open());
    let link = place.folder().join("link.db");
    std::os::unix::fs::symlink(place.path(), &link).unwrap();
    let store = open(&link);
    assert_eq!(store.path().unwrap(), fs::canonicalize(place.path()).unwrap());
    assert!(!place.folder().join("link.db.lock").exists());
}

#[test]
fn a_store_in_memory_reads_and_writes() {
    let store = Database::open(OpenOptions::memory(), &unlimited()).unwrap();
    make_table(&store);
    store.write(&unlimited(), |transaction| insert(transaction, 1)).unwrap();
    assert_eq!(stored(&store), [1]);
    assert_eq!(store.path(), None);
    store.checkpoint(&unlimited()).unwrap();
    store.close(&unlimited()).unwrap();
    assert_eq!(store.read(&unlimited()).err().unwrap().code(), ErrorCode::Closed);
}

#[test]
fn a_store_that_is_not_to_be_made_is_not_made() {
    let place = Place::new();
    let options = OpenOptions { mode: OpenMode::ReadWrite { create: false }, ..options(&place.path()) };
    let error = Database::open(options.clone(), &unlimited()).err().unwrap();
    assert_eq!(error.code(), ErrorCode::NotFound);
    assert_eq!(fs::read_dir(place.folder()).unwrap().count(), 0);
    drop(place.open());
    Database::open(options, &unlimited()).unwrap();
}

#[test]
fn a_read_only_store_reads_and_does_not_write() {
    let place = Place::new();
    let writer = place.open();
    make_table(&writer);
    writer.write(&unlimited(), |transaction| insert(transaction, 3)).unwrap();

    let reader = Database::open(read_only(&place.path()), &unlimited()).unwrap();
    assert!(reader.is_read_only());
    assert_eq!(stored(&reader), [3]);
    let error = reader.write(&unlimited(), |transaction| insert(transaction, 4)).err().unwrap();
    assert_eq!(error.code(), ErrorCode::PermissionDenied);
    assert_eq!(reader.checkpoint(&unlimited()).err().unwrap().code(), ErrorCode::PermissionDenied);

    writer.write(&unlimited(), |transaction| insert(transaction, 4)).unwrap();
    assert_eq!(stored(&reader), [3, 4]);
    drop(writer);
    assert_eq!(stored(&reader), [3, 4]);
}

#[test]
fn the_settings_are_as_documented() {
    let place = Place::new();
    let store = place.open();
    let wanted = [
        ("synchronous", 1),
        ("foreign_keys", 1),
        ("temp_store", 2),
        ("busy_timeout", 0),
        ("secure_delete", 1),
        ("trusted_schema", 0),
        ("wal_autocheckpoint", 0),
        ("application_id", 0x5243_4C54),
    ];
    let check = |connection: &Connection, role: &str| {
        for (name, value) in wanted {
            let sql = format!("PRAGMA {name}");
            let is = connection.query_one_dynamic(&sql, &[], |row| row.integer(0)).unwrap();
            assert_eq!(is, Some(value), "{name} of the {role}");
        }
    };
    check(&store.read(&unlimited()).unwrap(), "reader");
    store
        .write(&unlimited(), |transaction| {
            check(transaction, "writer");
            let mode = transaction.query_one("PRAGMA journal_mode", &[], |row| row.text(0))?;
            assert_eq!(mode.as_deref(), Some("wal"));
            Ok(())
        })
        .unwrap();
}
