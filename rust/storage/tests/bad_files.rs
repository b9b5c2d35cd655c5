//! What is no store is refused with an error that says so, and is left as it was.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::fs;
use std::path::Path;

use recollect_model::{Error, ErrorCode};
use recollect_storage::{Database, OpenOptions, params};
use support::{Place, insert, make_table, open, options, read_only, stored, unlimited};

/// Opens for writing and for reading, both refused alike, and the file as it was with nothing beside it.
fn refused(path: &Path) -> Error {
    let before = fs::read(path).unwrap();
    let neighbours = || fs::read_dir(path.parent().unwrap()).unwrap().count();
    let count = neighbours();
    let error = Database::open(options(path), &unlimited()).err().expect("it is refused for writing");
    let other = Database::open(read_only(path), &unlimited()).err().expect("it is refused for reading");
    assert_eq!(error.code(), other.code(), "{error:?} and {other:?}");
    assert_eq!(fs::read(path).unwrap(), before, "the file is as it was");
    assert_eq!(neighbours(), count, "nothing was made beside it");
    assert!(!error.hint().is_empty());
    error
}

/// The bytes of a store that is closed.
fn store_bytes() -> Vec<u8> {
    let place = Place::new();
    let store = place.open();
    make_table(&store);
    store.write(&unlimited(), |transaction| (0..500).try_for_each(|n| insert(transaction, n).map(|_| ()))).unwrap();
    store.close(&unlimited()).unwrap();
    fs::read(place.path()).unwrap()
}

#[test]
fn random_bytes_are_refused() {
    let place = Place::new();
    for length in [1, 15, 16, 99, 100, 5_000] {
        let bytes: Vec<u8> = (0..length).map(|n: u32| u8::try_from(n * 37 % 251).unwrap()).collect();
        fs::write(place.path(), bytes).unwrap();
        assert_eq!(refused(&place.path()).code(), ErrorCode::Corrupt, "{length} bytes");
    }
}

#[test]
fn a_database_of_another_program_is_refused() {
    let place = Place::new();
    let mut bytes = store_bytes();
    bytes[68..72].copy_from_slice(&[0, 0, 0, 0]);
    fs::write(place.path(), &bytes).unwrap();
    let error = refused(&place.path());
    assert_eq!(error.code(), ErrorCode::Corrupt);
    assert!(error.message().contains("another program"), "{error}");
}

#[test]
fn a_store_cut_short_is_refused() {
    let bytes = store_bytes();
    for length in [50, 512, 4_096, bytes.len() - 4_096, bytes.len() - 1] {
        let place = Place::new();
        fs::write(place.path(), &bytes[..length]).unwrap();
        let error = refused(&place.path());
        assert_eq!(error.code(), ErrorCode::Corrupt, "{length} bytes");
    }
}

#[test]
fn a_store_with_an_overwritten_page_reports_damage() {
    let place = Place::new();
    let mut bytes = store_bytes();
    let end = bytes.len();
    bytes[4_096..end].fill(0xA5);
    fs::write(place.path(), &bytes).unwrap();
    match Database::open(options(&place.path()), &unlimited()) {
        Err(error) => assert_eq!(error.code(), ErrorCode::Corrupt, "{error:?}"),
        Ok(store) => assert_ne!(store.integrity(&unlimited()).unwrap(), Vec::<String>::new()),
    }
}

#[test]
fn a_folder_and_paths_that_cannot_be_are_refused() {
    let place = Place::new();
    let code = |path: &Path| Database::open(options(path), &unlimited()).err().unwrap().code();
    assert_eq!(code(place.folder()), ErrorCode::InvalidInput);
    assert_eq!(code(Path::new("/dev/null")), ErrorCode::InvalidInput);
    assert_eq!(code(&place.folder().join("no/such/store.db")), ErrorCode::NotFound);
    assert_eq!(code(&place.folder().join("a\0b")), ErrorCode::InvalidInput);
    fs::write(place.path(), b"x").unwrap();
    assert_eq!(code(&place.path().join("store.db")), ErrorCode::InvalidInput);
    let bytes = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff.db");
    assert_eq!(code(&place.folder().join(<&std::ffi::OsStr>::clone(&bytes))), ErrorCode::InvalidInput);
}

#[test]
fn an_empty_file_becomes_a_store_but_is_none_to_read() {
    let place = Place::new();
    fs::write(place.path(), b"").unwrap();
    let error = Database::open(read_only(&place.path()), &unlimited()).err().unwrap();
    assert_eq!(error.code(), ErrorCode::NotFound);
    let store = place.open();
    make_table(&store);
    assert_eq!(stored(&store), Vec::<i64>::new());
}

#[test]
fn a_store_of_a_newer_release_is_refused() {
    for sql in ["PRAGMA user_version = 9999", "INSERT INTO migrations VALUES (9999, 'x', zeroblob(32), 0)"] {
        let place = Place::new();
        let store = place.open();
        store.write(&unlimited(), |transaction| transaction.execute(sql, &[])).unwrap();
        store.close(&unlimited()).unwrap();
        let before = fs::read(place.path()).unwrap();
        for options in [options(&place.path()), read_only(&place.path())] {
            let error = Database::open(options, &unlimited()).err().unwrap();
            assert_eq!(error.code(), ErrorCode::Unsupported, "{error:?}");
            assert!(error.hint().contains("update"), "{}", error.hint());
        }
        assert_eq!(fs::read(place.path()).unwrap(), before);
    }
}

#[test]
fn a_store_of_another_form_of_the_schema_is_refused() {
    let place = Place::new();
    let store = place.open();
    store
        .write(&unlimited(), |transaction| {
            transaction.execute("UPDATE migrations SET hash = ?1 WHERE version = 1", params![[1_u8; 32]])
        })
        .unwrap();
    drop(store);
    let error = Database::open(options(&place.path()), &unlimited()).err().unwrap();
    assert_eq!(error.code(), ErrorCode::Unsupported);
}

#[test]
fn text_that_is_no_utf8_is_damage_and_no_panic() {
    let place = Place::new();
    let store = open(&place.path());
    let snapshot = store.read(&unlimited()).unwrap();
    let read = |sql| snapshot.query_one(sql, &[], |row| row.text(0)).err().unwrap().code();
    assert_eq!(read("SELECT CAST(x'41ff' AS TEXT)"), ErrorCode::Corrupt);
    assert_eq!(read("SELECT 1"), ErrorCode::Corrupt);
    assert_eq!(read("SELECT NULL"), ErrorCode::Corrupt);
    let missing = snapshot.query_one("SELECT 1", &[], |row| row.text(1)).err().unwrap();
    assert_eq!(missing.code(), ErrorCode::Internal);
}

#[test]
fn memory_cannot_be_read_only() {
    let options = OpenOptions { mode: recollect_storage::OpenMode::ReadOnly, ..OpenOptions::memory() };
    assert_eq!(Database::open(options, &unlimited()).err().unwrap().code(), ErrorCode::InvalidInput);
}
