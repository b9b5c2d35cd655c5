//! A disk that fails gives typed errors: a full one is waited for, one that fails a write loses the handle.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use recollect_faults::{Disk, Fault, FaultKind, Lasts, Operation};
use recollect_model::{Error, ErrorCode};
use recollect_storage::{Database, OpenOptions};
use support::{insert, make_table, stored, unlimited};

/// A store with the number 1 in it, on a disk that fails when it is told to.
struct Place {
    disk: Disk,
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> (Self, Database) {
        recollect_faults::install();
        let folder = tempfile::tempdir().unwrap();
        let place = Self { disk: Disk::watch(folder.path()).unwrap(), folder };
        let store = place.open();
        make_table(&store);
        write(&store, 1).unwrap();
        (place, store)
    }

    fn open(&self) -> Database {
        self.try_open().unwrap()
    }

    fn try_open(&self) -> Result<Database, Error> {
        Database::open(OpenOptions::file(self.folder.path().join("store.db")), &unlimited())
    }

    fn fail(&self, kind: FaultKind, lasts: Lasts) {
        self.disk.fail(Fault { kind, nth: 1, lasts });
    }
}

fn write(store: &Database, number: i64) -> Result<u64, Error> {
    store.write(&unlimited(), |transaction| insert(transaction, number))
}

fn is_loss(error: &Error) -> bool {
    error.code() == ErrorCode::Io && error.message().contains("the handle is lost") && error.hint().contains("open")
}

#[test]
fn a_full_disk_does_not_lose_the_handle() {
    let (place, store) = Place::new();
    place.fail(FaultKind::Full, Lasts::UntilLifted);
    for number in 2..5 {
        let error = write(&store, number).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Io);
        assert!(error.message().contains("the disk is full") && error.hint().contains("room"), "{error:?}");
        assert_eq!(stored(&store), [1]);
    }
    place.disk.lift();
    write(&store, 9).unwrap();
    assert_eq!(stored(&store), [1, 9]);
}

#[test]
fn a_failed_sync_loses_the_handle_until_the_store_is_opened_again() {
    let (place, store) = Place::new();
    place.fail(FaultKind::Sync, Lasts::Once);
    assert_eq!(write(&store, 2).unwrap_err().code(), ErrorCode::Io);
    assert_eq!(place.disk.lift().0.len(), 1);
    assert!(is_loss(&write(&store, 3).unwrap_err()));
    assert!(store.read(&unlimited()).is_err_and(|error| is_loss(&error)));
    assert!(is_loss(&store.checkpoint(&unlimited()).unwrap_err()));
    store.close(&unlimited()).unwrap();
    let store = place.open();
    write(&store, 4).unwrap();
    let (image, now) = (tempfile::tempdir().unwrap(), stored(&store));
    assert!(now == [1, 4] || now == [1, 2, 4], "{now:?}");
    // What is acknowledged now must not stand behind what the failed sync has lost.
    place.disk.cut(None, image.path()).unwrap();
    let left = Database::open(OpenOptions::file(image.path().join("store.db")), &unlimited()).unwrap();
    assert_eq!(stored(&left), now);
}

#[test]
fn a_failed_checkpoint_loses_the_handle_and_no_commit() {
    let (place, store) = Place::new();
    place.fail(FaultKind::Device, Lasts::UntilLifted);
    assert_eq!(store.checkpoint(&unlimited()).unwrap_err().code(), ErrorCode::Io);
    place.disk.lift();
    assert!(is_loss(&write(&store, 2).unwrap_err()));
    store.close(&unlimited()).unwrap();
    assert_eq!(stored(&place.open()), [1]);
}

#[test]
fn a_failed_read_is_an_error_of_that_call_alone() {
    let (place, store) = Place::new();
    store.checkpoint(&unlimited()).unwrap();
    store.close(&unlimited()).unwrap();
    let store = place.open();
    place.fail(FaultKind::Device, Lasts::Once);
    let read = store
        .read(&unlimited())
        .and_then(|snapshot| snapshot.query("SELECT n FROM numbers", &[], |row| row.integer(0)));
    assert_eq!(read.unwrap_err().code(), ErrorCode::Io);
    let fired = place.disk.lift().0;
    assert!(matches!(fired[0].operation, Operation::Open | Operation::Read | Operation::Access), "{fired:?}");
    assert_eq!(stored(&store), [1]);
    write(&store, 2).unwrap();
}

#[test]
fn opening_fails_with_a_typed_error_and_works_afterwards() {
    let (place, store) = Place::new();
    store.close(&unlimited()).unwrap();
    let mut nth = 1;
    loop {
        place.disk.fail(Fault { kind: FaultKind::Device, nth, lasts: Lasts::Once });
        let opened = place.try_open();
        if place.disk.lift().0.is_empty() {
            assert!(nth > 5);
            break;
        }
        match opened {
            Ok(store) => store.close(&unlimited()).unwrap(),
            Err(error) => assert_eq!(error.code(), ErrorCode::Io, "{nth}: {error:?}"),
        }
        let store = place.open();
        assert_eq!(stored(&store), [1]);
        store.close(&unlimited()).unwrap();
        nth += 1;
    }
}
