//! A snapshot sees one moment, ends at its deadline, and changes nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::thread;
use std::time::{Duration, Instant};

use recollect_model::{CancelToken, ErrorCode};
use recollect_storage::{Database, OpenOptions};
use support::{ENDLESS, Place, insert, make_table, numbers, stored, unlimited};

#[test]
fn a_commit_is_not_seen_by_an_older_snapshot() {
    let place = Place::new();
    let store = place.open();
    make_table(&store);
    let before = store.read(&unlimited()).unwrap();
    store.write(&unlimited(), |transaction| insert(transaction, 1)).unwrap();
    // Nothing was read before the commit: the moment was fixed by the beginning.
    assert_eq!(numbers(&before), Vec::<i64>::new());
    let after = store.read(&unlimited()).unwrap();
    assert_eq!(numbers(&after), [1]);
    assert_eq!(numbers(&before), Vec::<i64>::new());
}

#[test]
fn a_snapshot_changes_nothing() {
    let place = Place::new();
    for store in [place.open(), Database::open(OpenOptions::memory(), &unlimited()).unwrap()] {
        make_table(&store);
        let snapshot = store.read(&unlimited()).unwrap();
        let insert = "INSERT INTO numbers (n) VALUES (1)";
        assert_eq!(snapshot.execute(insert, &[]).err().unwrap().code(), ErrorCode::Internal);
        assert_eq!(snapshot.query(insert, &[], |_| Ok(())).err().unwrap().code(), ErrorCode::Internal);
        drop(snapshot);
        assert_eq!(stored(&store), Vec::<i64>::new());
    }
}

#[test]
fn a_query_ends_at_its_deadline_and_the_connection_serves_on() {
    let place = Place::new();
    let store = place.open();
    make_table(&store);
    for _ in 0..3 {
        let started = Instant::now();
        let snapshot = store.read(&unlimited().with_timeout(Duration::from_millis(50))).unwrap();
        let error = snapshot.query_one(ENDLESS, &[], |row| row.integer(0)).err().unwrap();
        assert_eq!(error.code(), ErrorCode::Timeout);
        let elapsed = started.elapsed();
        assert!(elapsed >= Duration::from_millis(50) && elapsed < Duration::from_secs(5), "{elapsed:?}");
        drop(snapshot);
        assert_eq!(stored(&store), Vec::<i64>::new());
    }
    assert_eq!(store.stats().readers.open, 1);
}

#[test]
fn a_query_ends_when_it_is_cancelled() {
    let place = Place::new();
    let store = place.open();
    let cancel = CancelToken::default();
    let snapshot = store.read(&unlimited().with_cancel(cancel.clone())).unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            thread::sleep(Duration::from_millis(50));
            cancel.cancel();
        });
        let error = snapshot.query_one(ENDLESS, &[], |row| row.integer(0)).err().unwrap();
        assert_eq!(error.code(), ErrorCode::Cancelled);
    });
}
