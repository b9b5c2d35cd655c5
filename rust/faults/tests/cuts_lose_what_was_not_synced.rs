//! What a cut leaves is what was synced, and nothing that was never written.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod engine;

use std::collections::HashSet;
use std::fs;
use std::sync::{Arc, Mutex};

use engine::{Place, connect, count, insert, now, open};
use recollect_faults::Operation;

#[test]
fn what_was_synced_is_there() {
    let place = Place::new();
    let connection = open(&place.path());
    for number in 0..5 {
        insert(&connection, number).unwrap();
    }
    let image = place.cut(None);
    assert_eq!(count(&connect(&image.path().join("store.db"))), Ok(5));
}

#[test]
fn what_was_not_synced_is_lost_kept_or_torn() {
    let place = Place::new();
    let connection = open(&place.path());
    insert(&connection, 1).unwrap();
    now(connection.query("PRAGMA synchronous = OFF", ())).map(drop).unwrap();
    for number in 0..20 {
        insert(&connection, number).unwrap();
    }
    assert_eq!(count(&connect(&place.cut(None).path().join("store.db"))), Ok(1));
    let left: HashSet<i64> =
        (0..60).map(|seed| count(&connect(&place.cut(Some(seed)).path().join("store.db"))).unwrap()).collect();
    assert!(left.contains(&1) && left.contains(&21) && left.len() > 4, "{left:?}");
}

#[test]
fn a_disk_that_lies_keeps_nothing() {
    let place = Place::new();
    place.disk.lie(true);
    let connection = open(&place.path());
    insert(&connection, 1).unwrap();
    assert_eq!(fs::read_dir(place.cut(None).path()).unwrap().count(), 0);
}

#[test]
fn a_name_is_on_the_disk_when_its_folder_was_synced() {
    let place = Place::new();
    let connection = connect(&place.path());
    now(connection.query("PRAGMA journal_mode = DELETE", ())).map(drop).unwrap();
    let journals: Arc<Mutex<Vec<bool>>> = Arc::default();
    let (seen, image) = (Arc::clone(&journals), tempfile::tempdir().unwrap());
    place.disk.look(move |moment| {
        if moment.operation() == Operation::Write {
            let into = image.path().join(moment.number().to_string());
            moment.cut(None, &into).unwrap();
            seen.lock().unwrap().push(into.join("store.db-journal").exists());
        }
    });
    now(connection.execute("CREATE TABLE numbers (n INTEGER)", ())).unwrap();
    now(connection.execute("INSERT INTO numbers VALUES (1)", ())).unwrap();
    let journals = journals.lock().unwrap();
    // Not while it is being written for the first time, but before the database itself is.
    assert_eq!(journals.first(), Some(&false));
    assert_eq!(journals.last(), Some(&true));
}

#[test]
fn the_same_seed_leaves_the_same() {
    let place = Place::new();
    let connection = open(&place.path());
    now(connection.query("PRAGMA synchronous = OFF", ())).map(drop).unwrap();
    for number in 0..20 {
        insert(&connection, number).unwrap();
    }
    let bytes = |seed| fs::read(place.cut(Some(seed)).path().join("store.db-wal")).unwrap_or_default();
    let all: Vec<Vec<u8>> = (0..20).map(bytes).collect();
    assert_eq!(all, (0..20).map(bytes).collect::<Vec<_>>());
    assert!(all.iter().collect::<HashSet<_>>().len() > 5);
}
