//! One writer at a time: among threads, among stores opened twice in one process, and among processes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test may panic and speak")]

#[path = "support/child.rs"]
mod child;
mod support;

use std::fs::File;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use recollect_model::{CancelToken, Error, ErrorCode};
use recollect_storage::{Database, OpenOptions, params};
use support::{Place, insert, make_table, open, options, stored, unlimited};

/// Reads a number and writes it back one higher: two at once would lose a step.
fn step(store: &Database) {
    store
        .write(&unlimited(), |transaction| {
            let n = transaction.query_one("SELECT n FROM numbers WHERE id = 1", &[], |row| row.integer(0))?.unwrap();
            transaction.execute("UPDATE numbers SET n = ?1 WHERE id = 1", params![n + 1])
        })
        .unwrap();
}

fn counter(place: &Place) -> Database {
    let store = place.open();
    make_table(&store);
    store.write(&unlimited(), |transaction| insert(transaction, 0)).unwrap();
    store
}

#[test]
fn threads_of_one_store_take_turns() {
    let place = Place::new();
    let store = counter(&place);
    let inside = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    store
                        .write(&unlimited(), |_| {
                            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                            // Long enough for the others to come and wait.
                            thread::sleep(Duration::from_micros(300));
                            inside.fetch_sub(1, Ordering::SeqCst);
                            Ok(())
                        })
                        .unwrap();
                    step(&store);
                }
            });
        }
    });
    assert_eq!(stored(&store), [200]);
    assert!(store.stats().guard.waits > 0, "{:?}", store.stats().guard);
}

#[test]
fn the_lock_file_is_locked_during_a_write_and_free_after() {
    let place = Place::new();
    let store = counter(&place);
    let is_free = || {
        let file = File::open(place.folder().join("store.db.lock")).unwrap();
        file.try_lock().is_ok()
    };
    assert!(is_free());
    store
        .write(&unlimited(), |_| {
            assert!(!is_free());
            Ok(())
        })
        .unwrap();
    assert!(is_free());
    store.write(&unlimited(), |_| Err::<(), _>(Error::conflict("no"))).err().unwrap();
    assert!(is_free());
}

#[test]
fn two_stores_on_one_file_take_turns() {
    let place = Place::new();
    let store = counter(&place);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let store = open(&place.path());
                (0..50).for_each(|_| step(&store));
            });
        }
    });
    assert_eq!(stored(&store), [150]);
}

#[test]
fn processes_take_turns() {
    let place = Place::new();
    let store = counter(&place);
    let mut children: Vec<_> = (0..3).map(|_| child::start("role_steps", &place.path())).collect();
    (0..50).for_each(|_| step(&store));
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(stored(&store), [200]);
    assert_eq!(store.integrity(&unlimited()).unwrap(), Vec::<String>::new());
}

#[test]
#[ignore = "a role in `processes_take_turns`"]
fn role_steps() {
    let Some(path) = child::store() else { return };
    let store = open(&path);
    (0..50).for_each(|_| step(&store));
}

#[test]
fn a_guard_held_by_another_process_is_reported_with_its_file() {
    let place = Place::new();
    let store = counter(&place);
    let mut holder = child::start("role_holds", &place.path());
    assert!(child::said(&mut holder, "holding:").next().is_some());
    let started = Instant::now();
    let call = unlimited().with_timeout(Duration::from_millis(100));
    let error = store.write(&call, |transaction| insert(transaction, 9)).err().unwrap();
    assert_eq!(error.code(), ErrorCode::Locked);
    assert!(error.message().contains("store.db.lock"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(2));
    // A store whose calls have no limit of their own has one.
    let other =
        Database::open(OpenOptions { lock_timeout: Duration::from_millis(50), ..options(&place.path()) }, &unlimited());
    assert_eq!(other.err().unwrap().code(), ErrorCode::Locked);
    // Readers do not need the guard.
    assert_eq!(stored(&store), [0]);
    // Nor does the end of the store.
    store.close(&unlimited()).unwrap();
    holder.kill().unwrap();
    holder.wait().unwrap();
    // The system freed it.
    step(&place.open());
}

#[test]
#[ignore = "a role in `a_guard_held_by_another_process_is_reported_with_its_file`"]
fn role_holds() {
    let Some(path) = child::store() else { return };
    let store = open(&path);
    store
        .write(&unlimited(), |_| {
            println!("holding: yes");
            thread::sleep(Duration::from_secs(20));
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_waiting_writer_can_be_cancelled() {
    let place = Place::new();
    let store = counter(&place);
    let cancel = CancelToken::default();
    let (begun, has_begun) = mpsc::channel();
    let (free, is_free) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let store = &store;
        scope.spawn(move || {
            store.write(&unlimited(), |_| {
                begun.send(()).unwrap();
                is_free.recv().unwrap();
                Ok(())
            })
        });
        has_begun.recv().unwrap();
        let call = unlimited().with_cancel(cancel.clone());
        let waiting = scope.spawn(move || store.write(&call, |transaction| insert(transaction, 9)));
        thread::sleep(Duration::from_millis(30));
        cancel.cancel();
        assert_eq!(waiting.join().unwrap().err().unwrap().code(), ErrorCode::Cancelled);
        free.send(()).unwrap();
    });
    step(&store);
    assert_eq!(stored(&store), [1]);
}

#[test]
fn a_deleted_lock_file_still_excludes() {
    let place = Place::new();
    let store = counter(&place);
    std::fs::remove_file(place.folder().join("store.db.lock")).unwrap();
    std::fs::remove_file(place.folder().join("store.db.gate")).unwrap();
    let other = open(&place.path());
    store
        .write(&unlimited(), |_| {
            let call = unlimited().with_timeout(Duration::from_millis(40));
            let error = other.write(&call, |_| Ok(())).err().unwrap();
            // The guard says so, and not the lock of libSQL behind it.
            assert!(error.message().contains("store.db.lock"), "{error}");
            Ok(())
        })
        .unwrap();
    step(&other);
    step(&store);
    assert_eq!(stored(&store), [2]);
}

#[test]
fn a_thread_that_writes_inside_a_write_is_told_at_once() {
    let place = Place::new();
    let store = counter(&place);
    let memory = Database::open(OpenOptions::memory(), &unlimited()).unwrap();
    make_table(&memory);
    for (store, said) in [(&store, "already inside a write"), (&memory, "already uses the store in memory")] {
        let started = Instant::now();
        store
            .write(&unlimited(), |transaction| {
                let error = store.write(&unlimited(), |_| Ok(())).err().unwrap();
                assert_eq!(error.code(), ErrorCode::Locked);
                assert!(error.message().contains(said), "{error}");
                insert(transaction, 7)
            })
            .unwrap();
        assert!(started.elapsed() < Duration::from_secs(5), "it did not wait for itself");
        assert_eq!(stored(store).last(), Some(&7));
    }
    // Reading inside a write is no write: it sees what was committed before.
    let seen = store.write(&unlimited(), |_| Ok(stored(&store))).unwrap();
    assert_eq!(seen, [0, 7]);
}
