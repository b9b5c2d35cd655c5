//! A call fails when it is told to, in the way it is told to, and no other does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod engine;

use engine::{Place, connect, count, insert, now, open};
use recollect_faults::{Fault, FaultKind, Lasts, Operation};

/// `SQLITE_FULL`.
const FULL: i32 = 13;
/// `SQLITE_IOERR_FSYNC`.
const FSYNC_FAILED: i32 = 1_034;

#[test]
fn a_full_disk_refuses_writes_until_there_is_room() {
    let place = Place::new();
    let connection = open(&place.path());
    insert(&connection, 1).unwrap();
    place.disk.fail(Fault { kind: FaultKind::Full, nth: 1, lasts: Lasts::UntilLifted });
    assert_eq!(insert(&connection, 2).unwrap_err(), FULL);
    assert_eq!(insert(&connection, 3).unwrap_err(), FULL);
    let (fired, counted) = place.disk.lift();
    assert!(fired.len() >= 2);
    assert_eq!(Ok(fired.len()), usize::try_from(counted));
    assert!(fired.iter().all(|fired| fired.operation == Operation::Write && fired.file == "store.db-wal"));
    insert(&connection, 4).unwrap();
    assert_eq!(count(&connection).unwrap(), 2);
}

#[test]
fn what_had_room_on_a_full_disk_is_written() {
    let place = Place::new();
    let connection = open(&place.path());
    let length = || std::fs::metadata(place.path().with_file_name("store.db-wal")).unwrap().len();
    let before = length();
    place.disk.fail(Fault { kind: FaultKind::Full, nth: 1, lasts: Lasts::UntilLifted });
    assert_eq!(insert(&connection, 1).unwrap_err(), FULL);
    assert!(length() > before);
}

#[test]
fn a_failed_sync_loses_what_was_unsynced_for_good() {
    let place = Place::new();
    let connection = open(&place.path());
    let synchronous = |how| now(connection.query(&format!("PRAGMA synchronous = {how}"), ())).map(drop).unwrap();
    insert(&connection, 1).unwrap();
    synchronous("OFF");
    insert(&connection, 2).unwrap();
    synchronous("FULL");
    place.disk.fail(Fault { kind: FaultKind::Sync, nth: 1, lasts: Lasts::Once });
    assert_eq!(insert(&connection, 3).unwrap_err(), FSYNC_FAILED);
    insert(&connection, 4).unwrap();
    assert_eq!(count(&connection), Ok(3));
    // The last commit is on the disk, behind one that is not, and so it is no part of the log.
    assert_eq!(count(&connect(&place.cut(None).path().join("store.db"))), Ok(1));
}

#[test]
fn the_nth_call_fails_once() {
    let place = Place::new();
    let connection = open(&place.path());
    place.disk.fail(Fault { kind: FaultKind::Sync, nth: 3, lasts: Lasts::Once });
    let answers: Vec<i32> = (0..6).map(|number| insert(&connection, number).err().unwrap_or(0)).collect();
    let failed: Vec<&i32> = answers.iter().filter(|code| **code != 0).collect();
    assert_eq!(failed, [&FSYNC_FAILED]);
    assert_eq!(place.disk.lift().0.len(), 1);
}

#[test]
fn a_paused_fault_neither_strikes_nor_counts() {
    let place = Place::new();
    let connection = open(&place.path());
    place.disk.fail(Fault { kind: FaultKind::Device, nth: 1, lasts: Lasts::UntilLifted });
    place.disk.pause(true);
    insert(&connection, 1).unwrap();
    assert_eq!(place.disk.fired(), []);
    place.disk.pause(false);
    insert(&connection, 2).unwrap_err();
    assert!(!place.disk.fired().is_empty());
}

#[test]
fn a_folder_that_is_not_watched_is_left_alone() {
    let (struck, other) = (Place::new(), tempfile::tempdir().unwrap());
    struck.disk.fail(Fault { kind: FaultKind::Device, nth: 1, lasts: Lasts::UntilLifted });
    let connection = open(&other.path().join("store.db"));
    insert(&connection, 1).unwrap();
    assert_eq!(struck.disk.fired(), []);
}
