//! A close ends what runs in the background, refuses what comes after, and waits for what came before.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use recollect_model::{CancelToken, ErrorCode};
use recollect_storage::Database;
use support::{Place, insert, make_table, stored, unlimited};

/// The tests of this file count the threads and descriptors of the process, so they run one after the other.
static ALONE: Mutex<()> = Mutex::new(());

fn checkpointers() -> usize {
    fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|name| name.starts_with("recollect-check"))
        .count()
}

fn descriptors(place: &Place) -> usize {
    let path = fs::canonicalize(place.folder()).unwrap();
    fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|descriptor| fs::read_link(descriptor.ok()?.path()).ok())
        .filter(|target| target.starts_with(&path))
        .count()
}

fn code<T>(outcome: recollect_model::Result<T>) -> ErrorCode {
    outcome.err().unwrap().code()
}

#[test]
fn nothing_is_left_after_a_close() {
    let _alone = ALONE.lock();
    let place = Place::new();
    let store = place.open();
    make_table(&store);
    // A thread gives itself its name.
    let until = Instant::now() + Duration::from_secs(5);
    while checkpointers() == 0 && Instant::now() < until {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(checkpointers(), 1);
    assert!(descriptors(&place) > 0);
    store.close(&unlimited()).unwrap();
    assert_eq!(checkpointers(), 0);
    assert_eq!(code(store.read(&unlimited())), ErrorCode::Closed);
    assert_eq!(code(store.write(&unlimited(), |_| Ok(()))), ErrorCode::Closed);
    assert_eq!(code(store.checkpoint(&unlimited())), ErrorCode::Closed);
    store.close(&unlimited()).unwrap();
    drop(store);
    assert_eq!(descriptors(&place), 0);
}

#[test]
fn a_hundred_stores_leave_nothing() {
    let _alone = ALONE.lock();
    let place = Place::new();
    for n in 0..100 {
        let store = place.open();
        make_table(&store);
        store.write(&unlimited(), |transaction| insert(transaction, n)).unwrap();
        if n % 2 == 0 {
            store.close(&unlimited()).unwrap();
        }
    }
    assert_eq!((checkpointers(), descriptors(&place)), (0, 0));
    assert_eq!(stored(&place.open()).len(), 100);
}

#[test]
fn a_close_waits_for_a_write() {
    let _alone = ALONE.lock();
    let place = Place::new();
    let store = place.open();
    make_table(&store);
    let (begun, has_begun) = mpsc::channel();
    thread::scope(|scope| {
        let store = &store;
        scope.spawn(move || {
            store.write(&unlimited(), |transaction| {
                begun.send(()).unwrap();
                thread::sleep(Duration::from_millis(100));
                insert(transaction, 1)
            })
        });
        has_begun.recv().unwrap();
        store.close(&unlimited()).unwrap();
    });
    assert_eq!(stored(&place.open()), [1]);
}

#[test]
fn a_close_that_cannot_wait_leaves_the_store_open() {
    let _alone = ALONE.lock();
    let place = Place::new();
    let store = place.open();
    make_table(&store);
    let snapshot = thread::scope(|scope| scope.spawn(|| store.read(&unlimited()).unwrap()).join().unwrap());
    let close = |store: &Database| store.close(&unlimited().with_timeout(Duration::from_millis(40)));
    let error = close(&store).err().unwrap();
    assert_eq!(error.code(), ErrorCode::Locked);
    let cancel = CancelToken::default();
    cancel.cancel();
    assert_eq!(code(store.close(&unlimited().with_cancel(cancel))), ErrorCode::Cancelled);
    store.write(&unlimited(), |transaction| insert(transaction, 1)).unwrap();
    drop(snapshot);
    close(&store).unwrap();
}

#[test]
fn a_close_inside_a_call_of_the_same_thread_fails_at_once_and_closes_nothing() {
    let _alone = ALONE.lock();
    let place = Place::new();
    let store = place.open();
    make_table(&store);
    let refused = || {
        let started = Instant::now();
        let error = store.close(&unlimited()).err().unwrap();
        assert_eq!(error.code(), ErrorCode::Locked);
        assert!(error.message().contains("this thread is inside a call"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(1));
    };
    let written = store.write(&unlimited(), |transaction| {
        refused();
        // Nobody was told that the store is closing.
        thread::scope(|scope| scope.spawn(|| assert_eq!(stored(&store), [0; 0])).join().unwrap());
        insert(transaction, 1)
    });
    written.unwrap();
    let snapshot = store.read(&unlimited()).unwrap();
    refused();
    drop(snapshot);
    // Others wait for the call as ever, and end its handler's attempt no less soon.
    let (begun, has_begun) = mpsc::channel();
    thread::scope(|scope| {
        let store = &store;
        let closing = scope.spawn(move || {
            has_begun.recv().unwrap();
            store.close(&unlimited())
        });
        store
            .write(&unlimited(), |transaction| {
                begun.send(()).unwrap();
                thread::sleep(Duration::from_millis(60));
                refused();
                insert(transaction, 2)
            })
            .unwrap();
        closing.join().unwrap().unwrap();
    });
    store.close(&unlimited()).unwrap();
    assert_eq!(stored(&place.open()), [1, 2]);
}

#[test]
fn a_close_does_not_wait_for_the_checkpointer_to_get_the_guard() {
    let _alone = ALONE.lock();
    let place = Place::new();
    let (store, other) = (place.open(), place.open());
    make_table(&store);
    let (begun, has_begun) = mpsc::channel();
    let (free, is_free) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let other = &other;
        scope.spawn(move || {
            other.write(&unlimited(), |_| {
                begun.send(()).unwrap();
                is_free.recv().unwrap();
                Ok(())
            })
        });
        has_begun.recv().unwrap();
        let started = Instant::now();
        store.close(&unlimited()).unwrap();
        assert!(started.elapsed() < Duration::from_secs(5));
        free.send(()).unwrap();
    });
}
