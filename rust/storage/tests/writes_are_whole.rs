//! A write happens as a whole or not at all: after an error, a panic, a deadline, a cancel, and Ctrl-C.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use recollect_model::{Call, CancelToken, Error, ErrorCode, Interrupt};
use recollect_storage::{Database, OpenOptions, Transaction, params};
use support::{ENDLESS, Place, insert, make_table, stored, unlimited};

fn endless_write(transaction: &Transaction<'_>) -> recollect_model::Result<u64> {
    insert(transaction, 1)?;
    transaction.execute_dynamic(&format!("INSERT INTO numbers (n) {ENDLESS}"), params![])
}

/// The store takes a write and a read after whatever happened, and holds only what was committed.
fn check_sound(store: &Database) {
    assert_eq!(stored(store), Vec::<i64>::new());
    store.write(&unlimited(), |transaction| insert(transaction, 5)).unwrap();
    assert_eq!(stored(store), [5]);
    assert_eq!(store.integrity(&unlimited()).unwrap(), Vec::<String>::new());
}

fn on_both(check: impl Fn(Database)) {
    let place = Place::new();
    for store in [place.open(), Database::open(OpenOptions::memory(), &unlimited()).unwrap()] {
        make_table(&store);
        check(store);
    }
}

#[test]
fn an_error_undoes_the_write() {
    on_both(|store| {
        let outcome = store.write(&unlimited(), |transaction| {
            insert(transaction, 1)?;
            Err::<(), _>(Error::conflict("no"))
        });
        assert_eq!(outcome.err().unwrap().code(), ErrorCode::Conflict);
        check_sound(&store);
    });
}

#[test]
fn a_panic_undoes_the_write() {
    on_both(|store| {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            store.write(&unlimited(), |transaction| {
                insert(transaction, 1)?;
                assert_ne!(insert(transaction, 2)?, 1, "on purpose");
                Ok(())
            })
        }));
        assert!(outcome.is_err());
        check_sound(&store);
    });
}

#[test]
fn a_constraint_that_does_not_hold_is_a_conflict() {
    on_both(|store| {
        let outcome = store.write(&unlimited(), |transaction| {
            transaction.execute("INSERT INTO numbers (id) VALUES (?1)", params![1])?;
            transaction.execute("INSERT INTO numbers (id) VALUES (?1)", params![1])
        });
        assert_eq!(outcome.err().unwrap().code(), ErrorCode::Conflict);
        check_sound(&store);
    });
}

#[test]
fn a_deadline_undoes_the_write() {
    on_both(|store| {
        let started = Instant::now();
        let call = unlimited().with_timeout(Duration::from_millis(60));
        let error = store.write(&call, endless_write).err().unwrap();
        assert_eq!(error.code(), ErrorCode::Timeout);
        assert!(error.message().contains("undone as a whole"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(5));
        check_sound(&store);
    });
}

#[test]
fn a_deadline_that_passes_between_statements_undoes_the_write() {
    on_both(|store| {
        let call = unlimited().with_timeout(Duration::from_millis(30));
        let outcome = store.write(&call, |transaction| {
            insert(transaction, 1)?;
            thread::sleep(Duration::from_millis(50));
            Ok(())
        });
        assert_eq!(outcome.err().unwrap().code(), ErrorCode::Timeout);
        check_sound(&store);
    });
}

#[test]
fn nothing_is_written_after_a_swallowed_interrupt() {
    on_both(|store| {
        let call = unlimited().with_timeout(Duration::from_millis(30));
        let outcome = store.write(&call, |transaction| {
            assert!(endless_write(transaction).is_err());
            // The transaction is gone; this would be a commit of its own.
            assert_eq!(insert(transaction, 2).err().unwrap().code(), ErrorCode::Timeout);
            Ok(())
        });
        assert_eq!(outcome.err().unwrap().code(), ErrorCode::Timeout);
        check_sound(&store);
    });
}

#[test]
fn a_cancel_undoes_the_write() {
    on_both(|store| {
        let cancel = CancelToken::default();
        let call = unlimited().with_cancel(cancel.clone());
        let canceller = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            cancel.cancel();
        });
        assert_eq!(store.write(&call, endless_write).err().unwrap().code(), ErrorCode::Cancelled);
        canceller.join().unwrap();
        check_sound(&store);
    });
}

struct Pressed(AtomicBool);

impl Interrupt for Pressed {
    fn is_interrupted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn ctrl_c_undoes_the_write() {
    on_both(|store| {
        let pressed = Arc::new(Pressed(AtomicBool::new(false)));
        let call = Call::unlimited().with_interrupt(pressed.clone());
        let person = thread::spawn(move || {
            thread::sleep(Duration::from_millis(80));
            pressed.0.store(true, Ordering::Relaxed);
        });
        assert_eq!(store.write(&call, endless_write).err().unwrap().code(), ErrorCode::Cancelled);
        person.join().unwrap();
        check_sound(&store);
    });
}
