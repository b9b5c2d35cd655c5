//! The background checkpointer keeps the log short, readers do not stop it for good, and counts are true.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test may panic and speak")]

#[path = "support/child.rs"]
mod child;
mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use recollect_model::ErrorCode;
use recollect_storage::{Database, OpenMode, OpenOptions, params};
use support::{Place, insert, make_table, numbers, options, stored, unlimited};

fn fill(store: &Database, rows: i64) {
    for n in 0..rows {
        store
            .write(&unlimited(), |transaction| {
                transaction.execute("INSERT INTO numbers (n, text) VALUES (?1, ?2)", params![n, "x".repeat(3_000)])
            })
            .unwrap();
    }
}

fn eventually(what: impl Fn() -> bool) -> bool {
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until {
        if what() {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}

#[test]
fn many_commits_leave_a_short_log() {
    let place = Place::new();
    let store = Database::open(OpenOptions { checkpoint_frames: 50, ..options(&place.path()) }, &unlimited()).unwrap();
    make_table(&store);
    fill(&store, 1_500);
    assert!(eventually(|| store.stats().checkpoints.done > 0));
    let stats = store.stats();
    assert_eq!(stats.commits, 1_501);
    // Fifteen hundred rows of a page and more each, far more than the log ever held.
    assert!(stats.wal_bytes < 3_000_000, "{stats:?}");
    assert!(stats.file_bytes > 3_000_000, "{stats:?}");
    assert_eq!(store.integrity(&unlimited()).unwrap(), Vec::<String>::new());
}

/// Reads without a break, each for as long as a longer list takes.
fn read_on(store: &Database, is_over: impl Fn() -> bool) {
    while !is_over() {
        let snapshot = store.read(&unlimited()).unwrap();
        thread::sleep(Duration::from_millis(4));
        assert!(snapshot.query_one("SELECT max(id) FROM numbers", &[], |row| row.optional_integer(0)).is_ok());
    }
}

#[test]
#[ignore = "a role in the tests of this file"]
fn role_reads() {
    let Some(path) = child::store() else { return };
    let store = support::open(&path);
    println!("reading: yes");
    read_on(&store, || path.with_file_name("stop").exists());
}

#[test]
fn readers_that_overlap_do_not_let_the_log_grow() {
    let place = Place::new();
    let frames = OpenOptions { checkpoint_frames: 50, ..options(&place.path()) };
    let store = Database::open(frames.clone(), &unlimited()).unwrap();
    make_table(&store);
    let mut reader = child::start("role_reads", &place.path());
    let mut lines = child::said(&mut reader, "reading:");
    assert!(lines.next().is_some());
    let is_over = AtomicBool::new(false);
    let mut longest = 0;
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let store = Database::open(frames.clone(), &unlimited()).unwrap();
                read_on(&store, || is_over.load(Ordering::Relaxed));
            });
        }
        for _ in 0..60 {
            fill(&store, 100);
            // Readers are what is in the way here; the pace leaves the checkpointer its turn on a busy machine.
            thread::sleep(Duration::from_millis(20));
            longest = longest.max(store.stats().wal_bytes);
        }
        // Also when it is asked for at once.
        let outcomes: Vec<_> = (0..5)
            .map(|_| {
                fill(&store, 1);
                store.checkpoint(&unlimited()).unwrap()
            })
            .collect();
        is_over.store(true, Ordering::Relaxed);
        assert!(outcomes.iter().filter(|outcome| !outcome.busy).count() >= 4, "{outcomes:?}");
    });
    std::fs::write(place.folder().join("stop"), "").unwrap();
    assert!(reader.wait().unwrap().success());
    assert!(store.stats().file_bytes > 20_000_000, "{:?}", store.stats());
    assert!(longest < 10_000_000, "the log came to {longest} bytes");
}

#[test]
fn a_reader_makes_a_checkpoint_busy_and_keeps_what_it_sees() {
    let place = Place::new();
    let store = place.open();
    make_table(&store);
    store.write(&unlimited(), |transaction| insert(transaction, 1)).unwrap();
    let snapshot = store.read(&unlimited()).unwrap();
    store.write(&unlimited(), |transaction| insert(transaction, 2)).unwrap();
    let started = Instant::now();
    let busy = store.checkpoint(&unlimited()).unwrap();
    assert!(busy.busy && started.elapsed() < Duration::from_secs(1), "{busy:?}");
    assert_eq!(numbers(&snapshot), [1]);
    drop(snapshot);
    let done = store.checkpoint(&unlimited()).unwrap();
    assert!(!done.busy, "{done:?}");
    assert_eq!(store.stats().wal_bytes, 0);
    assert_eq!(stored(&store), [1, 2]);
    assert_eq!(store.stats().checkpoints.busy, 1);
}

#[test]
fn a_backup_is_one_file_that_opens() {
    let place = Place::new();
    let store = place.open();
    make_table(&store);
    fill(&store, 300);
    let copy = place.folder().join("copy.db");
    store.backup_to(&copy, &unlimited()).unwrap();
    assert_eq!(store.backup_to(&copy, &unlimited()).err().unwrap().code(), ErrorCode::AlreadyExists);
    fill(&store, 1);
    let names: Vec<_> = std::fs::read_dir(place.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().starts_with("copy.db.")), "{names:?}");

    let reader = OpenOptions { mode: OpenMode::ReadOnly, ..options(&copy) };
    let opened = Database::open(reader, &unlimited()).unwrap();
    assert_eq!(stored(&opened).len(), 300);
    drop(opened);
    let opened = support::open(&copy);
    fill(&opened, 1);
    assert_eq!(stored(&opened).len(), 301);
    assert_eq!(opened.integrity(&unlimited()).unwrap(), Vec::<String>::new());
}

#[test]
fn a_backup_that_is_stopped_leaves_nothing() {
    let place = Place::new();
    let store = place.open();
    make_table(&store);
    fill(&store, 600);
    let copy = place.folder().join("copy.db");
    let cancel = recollect_model::CancelToken::default();
    let call = unlimited().with_cancel(cancel.clone());
    let snapshot = store.read(&call).unwrap();
    drop(snapshot);
    cancel.cancel();
    assert_eq!(store.backup_to(&copy, &call).err().unwrap().code(), ErrorCode::Cancelled);
    assert!(!copy.exists() && !place.folder().join("copy.db.part").exists());
}
