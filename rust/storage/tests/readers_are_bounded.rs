//! The pool never has more connections than it may, makes readers wait, and counts what happened.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::thread;
use std::time::Duration;

use recollect_model::{CancelToken, ErrorCode};
use recollect_storage::{Database, OpenOptions};
use support::{Place, options, unlimited};

fn pool_of_two(place: &Place) -> Database {
    Database::open(OpenOptions { readers: 2, ..options(&place.path()) }, &unlimited()).unwrap()
}

#[test]
fn a_third_reader_waits_for_one_of_two() {
    let place = Place::new();
    let store = pool_of_two(&place);
    let (one, two) = (store.read(&unlimited()).unwrap(), store.read(&unlimited()).unwrap());
    let stats = store.stats().readers;
    assert_eq!((stats.max, stats.open, stats.in_use, stats.waits), (2, 2, 2, 0));

    let error = store.read(&unlimited().with_timeout(Duration::from_millis(40))).err().unwrap();
    assert_eq!(error.code(), ErrorCode::Timeout);
    let stats = store.stats().readers;
    assert_eq!(stats.waits, 1);
    assert!(stats.waited >= Duration::from_millis(40));

    thread::scope(|scope| {
        let waiting = scope.spawn(|| store.read(&unlimited()).map(|_| ()));
        thread::sleep(Duration::from_millis(50));
        assert!(!waiting.is_finished());
        drop(one);
        waiting.join().unwrap().unwrap();
    });
    drop(two);
    let stats = store.stats().readers;
    assert_eq!((stats.open, stats.in_use, stats.waits), (2, 0, 2));
}

#[test]
fn a_waiting_reader_can_be_cancelled() {
    let place = Place::new();
    let store = pool_of_two(&place);
    let _both = (store.read(&unlimited()).unwrap(), store.read(&unlimited()).unwrap());
    let cancel = CancelToken::default();
    thread::scope(|scope| {
        let token = cancel.clone();
        let waiting = scope.spawn(|| store.read(&unlimited().with_cancel(token)).err().map(|error| error.code()));
        thread::sleep(Duration::from_millis(30));
        cancel.cancel();
        assert_eq!(waiting.join().unwrap(), Some(ErrorCode::Cancelled));
    });
}

#[test]
fn many_threads_share_few_connections() {
    let place = Place::new();
    let store = pool_of_two(&place);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let snapshot = store.read(&unlimited()).unwrap();
                    assert_eq!(snapshot.query_one("SELECT 1", &[], |row| row.integer(0)).unwrap(), Some(1));
                }
            });
        }
    });
    let stats = store.stats().readers;
    assert!(stats.open <= 2, "{stats:?}");
    assert_eq!(stats.in_use, 0);
}
