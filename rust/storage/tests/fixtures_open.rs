//! A store of every schema version there ever was opens, and is brought up to date.
//!
//! `tests/fixtures/schema-NNNN.db` is a store as the release with that schema made it. To add the one of a new
//! version: `cargo test -p recollect-storage --test fixtures_open write_the_newest -- --ignored --exact`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::path::PathBuf;

use recollect_storage::params;
use support::{Place, unlimited};

fn fixture(version: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/schema-{version:04}.db"))
}

#[test]
fn a_store_of_every_version_opens() {
    let newest = Place::new().open().schema_version();
    for version in 1..=newest {
        let place = Place::new();
        fs::copy(fixture(version), place.path()).expect("there is a fixture of every version");
        let store = place.open();
        assert_eq!(store.schema_version(), newest);
        assert_eq!(store.integrity(&unlimited()).unwrap(), Vec::<String>::new());
        let snapshot = store.read(&unlimited()).unwrap();
        let tag = snapshot.query_one("SELECT name FROM tags WHERE name = ?1", params!["fixture"], |row| row.text(0));
        assert_eq!(tag.unwrap().as_deref(), Some("fixture"));
        assert_eq!(place.folder().join(format!("store.db.before-{:04}", version + 1)).exists(), version < newest);
    }
}

#[test]
#[ignore = "writes the fixture of a new version"]
fn write_the_newest() {
    let place = Place::new();
    let store = place.open();
    store
        .write(&unlimited(), |transaction| {
            transaction.execute("INSERT INTO tags (name) VALUES (?1)", params!["fixture"])
        })
        .unwrap();
    let path = fixture(store.schema_version());
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(!path.exists(), "a fixture is never changed");
    store.backup_to(&path, &unlimited()).unwrap();
}
