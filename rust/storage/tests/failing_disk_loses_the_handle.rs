//! After a failure of the disk the handle says so to every call, closes, and what was acknowledged is there when the
//! store is opened again. A read that fails costs its connection only.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod support;

use std::time::{Duration, Instant};

use recollect_faults::{Disk, Fault, FaultKind, Lasts, Operation, install};
use recollect_model::{Error, ErrorCode};
use recollect_storage::{CheckpointMode, Database, OpenOptions};
use support::{Place, insert, make_table, stored, unlimited};

/// A store with one acknowledged row, whose disk obeys.
fn store() -> (Place, Disk, Database) {
    install();
    let place = Place::new();
    let disk = Disk::watch(&place.folder().canonicalize().unwrap()).unwrap();
    let store = Database::open(OpenOptions::file(place.path()), &unlimited()).unwrap();
    make_table(&store);
    store.write(&unlimited(), |transaction| insert(transaction, 1)).unwrap();
    (place, disk, store)
}

fn is_lost(error: &Error) -> bool {
    error.code() == ErrorCode::Io
        && error.message().starts_with("the handle is lost")
        && error.hint().contains("open it again")
}

/// Every call says that the handle is lost, a close works, and a new handle has the rows that were acknowledged. What was
/// not may be there as a whole, or not at all.
fn check_lost(place: &Place, disk: &Disk, store: Database, rows: &[i64], unacknowledged: &[i64]) {
    disk.lift();
    let copy = place.folder().join("copy.db");
    for error in [
        store.read(&unlimited()).err(),
        store.write(&unlimited(), |_| Ok(())).err(),
        store.checkpoint(&unlimited()).err(),
        store.checkpoint_with(CheckpointMode::Full, &unlimited()).err(),
        store.erase(&unlimited()).err(),
        store.integrity(&unlimited()).err(),
        store.backup_to(&copy, &unlimited()).err(),
    ] {
        assert!(error.as_ref().is_some_and(is_lost), "{error:?}");
    }
    store.close(&unlimited()).unwrap();
    assert_eq!(store.read(&unlimited()).err().unwrap().code(), ErrorCode::Closed);
    drop(store);
    let store = place.open();
    let found = stored(&store);
    assert!(found == rows || found == [rows, unacknowledged].concat(), "{found:?}");
    store.write(&unlimited(), |transaction| insert(transaction, 9)).unwrap();
    assert_eq!(store.integrity(&unlimited()).unwrap(), Vec::<String>::new());
}

fn fault(kind: FaultKind, nth: u64, lasts: Lasts) -> Fault {
    Fault { kind, nth, lasts }
}

#[test]
fn a_write_whose_disk_fails_loses_the_handle() {
    for kind in [FaultKind::Device, FaultKind::Sync] {
        for lasts in [Lasts::Once, Lasts::UntilLifted] {
            let (place, disk, store) = store();
            disk.fail(fault(kind, 1, lasts));
            let error = store.write(&unlimited(), |transaction| insert(transaction, 2)).err().unwrap();
            assert!(is_lost(&error), "{kind:?} {lasts:?}: {error:?}");
            assert!(!disk.fired().is_empty());
            check_lost(&place, &disk, store, &[1], &[2]);
        }
    }
}

#[test]
fn every_failure_of_a_write_loses_the_handle_or_leaves_it_sound() {
    let mut has_ended = false;
    for nth in 1..100 {
        let (place, disk, store) = store();
        disk.fail(fault(FaultKind::Device, nth, Lasts::Once));
        let outcome =
            store.write(&unlimited(), |transaction| (2..400).try_for_each(|n| insert(transaction, n).map(|_| ())));
        if disk.fired().is_empty() {
            outcome.unwrap();
            has_ended = true;
            break;
        }
        match outcome {
            Err(error) => {
                if !is_lost(&error) {
                    // What failed changed nothing on the disk.
                    assert_eq!(error.code(), ErrorCode::Io, "call {nth}: {error:?}");
                    assert!(disk.fired().iter().all(|fired| is_harmless(fired.operation)), "{:?}", disk.fired());
                    assert_eq!(stored(&store), [1], "call {nth}");
                    store.write(&unlimited(), |transaction| insert(transaction, 9)).unwrap();
                    continue;
                }
                check_lost(&place, &disk, store, &[1], &(2..400).collect::<Vec<_>>());
            }
            Ok(()) => assert_eq!(stored(&store).len(), 399, "call {nth}, {:?}", disk.fired()),
        }
    }
    assert!(has_ended);
}

fn is_harmless(operation: Operation) -> bool {
    use Operation::{Access, GrowIndex, MapIndex, Open, Read, Size};
    matches!(operation, Open | Read | Access | Size | MapIndex | GrowIndex)
}

#[test]
fn a_write_that_cannot_read_is_undone_and_the_handle_goes_on() {
    for is_swallowed in [false, true] {
        let (place, disk, store) = store();
        let text = "x".repeat(3_000);
        for n in 2..40 {
            store
                .write(&unlimited(), |transaction| {
                    transaction
                        .execute("INSERT INTO numbers (n, text) VALUES (?1, ?2)", &[n.into(), text.as_str().into()])
                })
                .unwrap();
        }
        store.close(&unlimited()).unwrap();
        drop(store);
        let store = Database::open(OpenOptions::file(place.path()), &unlimited()).unwrap();
        let error = store
            .write(&unlimited(), |transaction| {
                insert(transaction, 100)?;
                disk.fail(fault(FaultKind::Device, 1, Lasts::Once));
                let read = transaction.query("SELECT n, text FROM numbers", &[], |row| row.text(1));
                if is_swallowed { Ok(()) } else { read.map(drop) }
            })
            .err()
            .unwrap();
        let fired = disk.fired();
        assert!(fired.len() == 1 && is_harmless(fired[0].operation), "{fired:?}");
        assert_eq!(error.code(), ErrorCode::Io);
        assert!(!is_lost(&error), "{error:?}");
        disk.lift();
        assert_eq!(stored(&store).len(), 39, "the write was undone");
        store.write(&unlimited(), |transaction| insert(transaction, 101)).unwrap();
        assert_eq!(stored(&store).last(), Some(&101));
        assert_eq!(store.integrity(&unlimited()).unwrap(), Vec::<String>::new());
    }
}

#[test]
fn a_failure_that_the_write_kept_to_itself_loses_the_handle_all_the_same() {
    let (place, disk, store) = store();
    let error = store
        .write(&unlimited(), |transaction| {
            // The log is written at the latest when the cache is full.
            disk.fail(fault(FaultKind::Device, 1, Lasts::Once));
            let text = "x".repeat(1 << 20);
            for n in 0..40 {
                let values = [(2 + n).into(), text.as_str().into()];
                let _swallowed = transaction.execute("INSERT INTO numbers (n, text) VALUES (?1, ?2)", &values);
            }
            Ok(())
        })
        .err()
        .unwrap();
    assert!(is_lost(&error), "{error:?}");
    check_lost(&place, &disk, store, &[1], &[2]);
}

#[test]
fn a_checkpoint_whose_disk_fails_loses_the_handle() {
    for kind in [FaultKind::Device, FaultKind::Sync] {
        let (place, disk, store) = store();
        disk.fail(fault(kind, 1, Lasts::Once));
        let error = store.checkpoint(&unlimited()).err().unwrap();
        assert!(is_lost(&error), "{error:?}");
        assert_eq!(store.stats().checkpoints.failed, 1);
        check_lost(&place, &disk, store, &[1], &[2]);
    }
}

#[test]
fn the_checkpoint_in_the_background_loses_the_handle_too() {
    install();
    let place = Place::new();
    let disk = Disk::watch(&place.folder().canonicalize().unwrap()).unwrap();
    let options = OpenOptions { checkpoint_frames: 1, ..support::options(&place.path()) };
    let store = Database::open(options, &unlimited()).unwrap();
    make_table(&store);
    // With normal durability a commit does not sync, so that only the checkpointer can fail.
    disk.fail(fault(FaultKind::Sync, 1, Lasts::Once));
    let until = Instant::now() + Duration::from_secs(20);
    let mut acknowledged = Vec::new();
    let error = loop {
        let next = i64::try_from(acknowledged.len()).unwrap();
        match store.write(&unlimited(), |transaction| insert(transaction, next)) {
            Ok(_) => acknowledged.push(next),
            Err(error) => break error,
        }
        assert!(Instant::now() < until, "the checkpointer never failed");
    };
    assert!(is_lost(&error), "{error:?}");
    let last = i64::try_from(acknowledged.len()).unwrap();
    check_lost(&place, &disk, store, &acknowledged, &[last]);
}

#[test]
fn an_erasure_whose_disk_fails_loses_the_handle() {
    for nth in 1..200 {
        let (place, disk, store) = store();
        store.write(&unlimited(), |transaction| (2..900).try_for_each(|n| insert(transaction, n).map(|_| ()))).unwrap();
        store
            .write(&unlimited(), |transaction| transaction.execute("DELETE FROM numbers WHERE n % 3 = 0", &[]))
            .unwrap();
        let rows = stored(&store);
        disk.fail(fault(FaultKind::Device, nth, Lasts::Once));
        let outcome = store.erase(&unlimited());
        if disk.fired().is_empty() {
            outcome.unwrap();
            return;
        }
        // The new connection may fail to open, which loses nothing; whatever a checkpoint or a page meets does.
        if let Err(error) = outcome {
            assert_eq!(error.code(), ErrorCode::Io, "call {nth}: {error:?}");
            if is_lost(&error) {
                check_lost(&place, &disk, store, &rows, &[]);
                continue;
            }
        }
        assert_eq!(stored(&store), rows, "call {nth}, {:?}", disk.fired());
        store.erase(&unlimited()).unwrap();
        assert_eq!(store.integrity(&unlimited()).unwrap(), Vec::<String>::new());
    }
    panic!("an erasure makes more calls than were tried");
}

#[test]
fn a_read_whose_disk_fails_costs_its_connection_only() {
    let mut failures = 0;
    for nth in 1..100 {
        let (_place, disk, store) = store();
        disk.fail(fault(FaultKind::Device, nth, Lasts::Once));
        let outcome = store
            .read(&unlimited())
            .and_then(|snapshot| snapshot.query_one("SELECT count(*) FROM numbers", &[], |row| row.integer(0)));
        let fired = disk.lift().0;
        if let Err(error) = &outcome {
            assert_eq!(error.code(), ErrorCode::Io, "call {nth}: {error:?}");
            assert!(!is_lost(error), "call {nth}: {error:?}");
            failures += 1;
            if fired.first().is_some_and(|fired| fired.operation == Operation::Read) {
                assert_eq!(store.stats().readers.open, 0, "call {nth}: the connection is gone");
            }
        }
        assert_eq!(stored(&store), [1]);
        store.write(&unlimited(), |transaction| insert(transaction, 2)).unwrap();
        if fired.is_empty() {
            break;
        }
    }
    assert!(failures > 0);
}

#[test]
fn a_close_and_a_drop_on_a_dead_disk_end() {
    for close in [true, false] {
        let (place, disk, store) = store();
        store.write(&unlimited(), |transaction| insert(transaction, 2)).unwrap();
        disk.fail(fault(FaultKind::Device, 1, Lasts::UntilLifted));
        let started = Instant::now();
        if close {
            store.close(&unlimited()).unwrap();
        }
        drop(store);
        assert!(started.elapsed() < Duration::from_secs(5));
        disk.lift();
        assert_eq!(stored(&place.open()), [1, 2]);
    }
}

#[test]
fn what_is_acknowledged_after_opening_again_survives_a_power_cut() {
    for nth in 1..4 {
        let (place, disk, store) = store();
        // The disk has nothing of what a failed sync was to bring there, though it can be read for as long as there is
        // power.
        disk.fail(fault(FaultKind::Sync, nth, Lasts::Once));
        while store.write(&unlimited(), |transaction| insert(transaction, 2)).is_ok() {}
        disk.lift();
        drop(store);
        let store = Database::open(OpenOptions::file(place.path()), &unlimited()).unwrap();
        let read = stored(&store);
        store.write(&unlimited(), |transaction| insert(transaction, 9)).unwrap();
        let after = Place::new();
        disk.cut(None, after.folder()).unwrap();
        assert_eq!(stored(&after.open()), [&read[..], &[9]].concat(), "sync {nth}");
    }
}

#[test]
fn a_store_that_cannot_be_opened_says_why_and_opens_when_the_disk_works() {
    install();
    for kind in [FaultKind::Sync, FaultKind::Device] {
        for nth in 1.. {
            let place = Place::new();
            let disk = Disk::watch(&place.folder().canonicalize().unwrap()).unwrap();
            disk.fail(fault(kind, nth, Lasts::Once));
            let outcome = Database::open(OpenOptions::file(place.path()), &unlimited());
            let fired = disk.lift().0;
            match outcome {
                Ok(store) => {
                    let sql = "PRAGMA journal_mode";
                    let mode = store.write(&unlimited(), |on| on.query_one(sql, &[], |row| row.text(0))).unwrap();
                    assert_eq!(mode.as_deref(), Some("wal"), "{kind:?} {nth}, {fired:?}");
                }
                Err(error) => assert_eq!(error.code(), ErrorCode::Io, "{kind:?} {nth}, {fired:?}: {error:?}"),
            }
            let store = place.open();
            make_table(&store);
            store.write(&unlimited(), |transaction| insert(transaction, 1)).unwrap();
            assert_eq!(stored(&store), [1]);
            if fired.is_empty() {
                break;
            }
        }
    }
}
