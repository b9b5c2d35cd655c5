//! A full disk is told of, costs nothing that was acknowledged, and the same handle goes on when there is room again.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::time::{Duration, Instant};

use recollect_faults::{Disk, Fault, FaultKind, Lasts, install};
use recollect_model::{Error, ErrorCode};
use recollect_storage::{Database, OpenOptions, params};
use support::{Place, insert, make_table, stored, unlimited};

fn watched() -> (Place, Disk) {
    install();
    let place = Place::new();
    let disk = Disk::watch(&place.folder().canonicalize().unwrap()).unwrap();
    (place, disk)
}

fn is_full(error: &Error) -> bool {
    error.code() == ErrorCode::Io
        && error.message().starts_with("the disk is full")
        && error.hint().contains("make room")
}

fn fill_up(disk: &Disk, nth: u64) {
    disk.fail(Fault { kind: FaultKind::Full, nth, lasts: Lasts::UntilLifted });
}

fn write(store: &Database, first: i64) -> recollect_model::Result<()> {
    store.write(&unlimited(), |transaction| {
        for n in first..first + 120 {
            transaction.execute("INSERT INTO numbers (n, text) VALUES (?1, ?2)", params![n, "x".repeat(2_000)])?;
        }
        Ok(())
    })
}

#[test]
fn a_write_goes_through_when_there_is_room_again() {
    for nth in 1..400 {
        let (place, disk) = watched();
        let store = Database::open(OpenOptions::file(place.path()), &unlimited()).unwrap();
        make_table(&store);
        write(&store, 0).unwrap();
        fill_up(&disk, nth);
        let outcome = write(&store, 1_000);
        if outcome.is_ok() && disk.fired().is_empty() {
            return;
        }
        let error = outcome.err().unwrap();
        assert!(is_full(&error), "call {nth}, {:?}: {error:?}", disk.fired());
        // Still full: reading works, writing says so again.
        assert_eq!(stored(&store).len(), 120);
        assert!(is_full(&write(&store, 1_000).err().unwrap()));
        disk.lift();
        write(&store, 2_000).unwrap();
        assert_eq!(stored(&store).len(), 240);
        assert_eq!(store.integrity(&unlimited()).unwrap(), Vec::<String>::new());
    }
}

#[test]
fn checkpoints_and_erasures_go_through_when_there_is_room_again() {
    for nth in [1, 2, 3, 7] {
        let (place, disk) = watched();
        let store = Database::open(OpenOptions::file(place.path()), &unlimited()).unwrap();
        make_table(&store);
        write(&store, 0).unwrap();
        fill_up(&disk, nth);
        assert!(is_full(&store.checkpoint(&unlimited()).err().unwrap()));
        assert!(is_full(&store.erase(&unlimited()).err().unwrap()));
        assert_eq!(stored(&store).len(), 120);
        disk.lift();
        assert!(!store.checkpoint(&unlimited()).unwrap().busy);
        store.erase(&unlimited()).unwrap();
        assert_eq!(stored(&store).len(), 120);
        assert_eq!(store.integrity(&unlimited()).unwrap(), Vec::<String>::new());
    }
}

#[test]
fn a_store_closes_on_a_full_disk_and_opens_if_there_is_room_for_the_index_of_its_log() {
    let mut opened = 0;
    for nth in 1..12 {
        let (place, disk) = watched();
        let store = Database::open(OpenOptions::file(place.path()), &unlimited()).unwrap();
        make_table(&store);
        write(&store, 0).unwrap();
        fill_up(&disk, 1);
        let started = Instant::now();
        store.close(&unlimited()).unwrap();
        assert!(started.elapsed() < Duration::from_secs(5));
        // The log is left over, and cannot be emptied now.
        fill_up(&disk, nth);
        match Database::open(OpenOptions::file(place.path()), &unlimited()) {
            Ok(store) => {
                opened += 1;
                assert_eq!(stored(&store).len(), 120);
                assert!(is_full(&write(&store, 1_000).err().unwrap()));
                disk.lift();
                write(&store, 2_000).unwrap();
                assert_eq!(stored(&store).len(), 240);
            }
            Err(error) => {
                assert!(is_full(&error), "call {nth}, {:?}: {error:?}", disk.fired());
                disk.lift();
                assert_eq!(stored(&place.open()).len(), 120);
            }
        }
    }
    assert!(opened > 0);
}

#[test]
fn a_store_that_cannot_be_made_is_made_when_there_is_room() {
    let mut failures = 0;
    for nth in 1..400 {
        let (place, disk) = watched();
        fill_up(&disk, nth);
        let outcome = Database::open(OpenOptions::file(place.path()), &unlimited());
        let is_done = disk.lift().0.is_empty();
        if let Err(error) = outcome {
            assert!(is_full(&error), "call {nth}: {error:?}");
            failures += 1;
        }
        let store = place.open();
        make_table(&store);
        store.write(&unlimited(), |transaction| insert(transaction, 1)).unwrap();
        assert_eq!(stored(&store), [1]);
        if is_done {
            assert!(failures > 0);
            return;
        }
    }
}
