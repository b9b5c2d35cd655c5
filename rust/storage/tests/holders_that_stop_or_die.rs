//! Whoever waits for a holder of the guard that stopped, died or panicked is told in time, and goes on afterwards.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test may panic and speak")]

#[path = "support/child.rs"]
mod child;
mod support;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use recollect_model::ErrorCode;
use recollect_storage::{CheckpointMode, Database};
use support::{Place, insert, make_table, open, stored, unlimited};

fn store() -> (Place, Database) {
    let place = Place::new();
    let store = place.open();
    make_table(&store);
    (place, store)
}

/// A process that has inserted a row into a transaction that is still open.
fn holder(place: &Place) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut holder = child::start("role_holds", &place.path());
    let mut lines = child::said(&mut holder, "holding:");
    assert!(lines.next().is_some());
    (holder, lines)
}

#[test]
#[ignore = "a role in the tests of this file"]
fn role_holds() {
    let Some(path) = child::store() else { return };
    let store = open(&path);
    let until = Instant::now() + Duration::from_secs(30);
    store
        .write(&unlimited(), |transaction| {
            insert(transaction, 99)?;
            println!("holding: yes");
            while Instant::now() < until && !path.with_file_name("go").exists() {
                thread::sleep(Duration::from_millis(2));
            }
            Ok(())
        })
        .unwrap();
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

fn times_out(store: &Database) {
    let started = Instant::now();
    let call = unlimited().with_timeout(Duration::from_millis(150));
    for outcome in [
        store.write(&call, |transaction| insert(transaction, 1).map(|_| ())),
        store.checkpoint(&call).map(|_| ()),
        store.erase(&call).map(|_| ()),
        Database::open(support::options(store.path().unwrap()), &call).map(|_| ()),
    ] {
        assert_eq!(outcome.err().unwrap().code(), ErrorCode::Locked);
    }
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(stored(store), [0; 0], "reading waits for nobody");
}

#[test]
fn a_stopped_holder_costs_the_others_their_time_limit_only() {
    let (place, store) = store();
    let (mut holder, _lines) = holder(&place);
    signal(&holder, "-STOP");
    times_out(&store);
    signal(&holder, "-CONT");
    fs::write(place.folder().join("go"), "").unwrap();
    assert!(holder.wait().unwrap().success());
    store.write(&unlimited(), |transaction| insert(transaction, 1)).unwrap();
    assert_eq!(stored(&store), [99, 1], "what it did when it went on is there");
}

/// The first bytes of the `-shm` file, as a process of its own sees or writes them: this one has locks on the file.
fn index_header(place: &Place, script: &str) -> String {
    let index = format!("{}-shm", place.path().display());
    let output = Command::new("sh").args(["-c", &script.replace("{index}", &index)]).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_holder_that_stopped_within_its_commit_keeps_readers_no_longer_than_they_wait() {
    let (place, store) = store();
    let (mut holder, _lines) = holder(&place);
    signal(&holder, "-STOP");
    // The index begins with two copies of its header, and a commit writes one after the other. Stopped in between, the
    // process has the lock without which nobody else can mend them. Byte 8 counts the commits.
    let change = "od -An -tu1 -j8 -N1 {index} | tr -d ' \\n'";
    let counted: u8 = index_header(&place, change).parse().unwrap();
    let write = |byte: u8| format!("printf '\\{byte:03o}' | dd of={{index}} bs=1 seek=8 conv=notrunc status=none");
    index_header(&place, &write(counted.wrapping_sub(1)));
    for limit in [Duration::from_millis(50), Duration::from_millis(400)] {
        let started = Instant::now();
        let error = store.read(&unlimited().with_timeout(limit)).err().unwrap();
        assert_eq!(error.code(), ErrorCode::Locked, "{error}");
        let waited = started.elapsed();
        assert!(waited >= limit && waited < limit + Duration::from_secs(2), "{waited:?}: {error}");
    }
    index_header(&place, &write(counted));
    assert_eq!(stored(&store), [0; 0]);
    signal(&holder, "-CONT");
    fs::write(place.folder().join("go"), "").unwrap();
    assert!(holder.wait().unwrap().success());
    assert_eq!(stored(&store), [99]);
}

#[test]
fn a_holder_that_is_killed_while_others_wait_lets_them_in_at_once() {
    let (place, store) = store();
    let (mut holder, _lines) = holder(&place);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| store.write(&unlimited(), |transaction| insert(transaction, 1)));
        thread::sleep(Duration::from_millis(30));
        // Stopped first: a process that was stopped can be killed, too.
        signal(&holder, "-STOP");
        holder.kill().unwrap();
        holder.wait().unwrap();
        let killed = Instant::now();
        waiting.join().unwrap().unwrap();
        assert!(killed.elapsed() < Duration::from_secs(5));
    });
    assert_eq!(stored(&store), [1], "what it had not committed is not there");
    assert_eq!(store.integrity(&unlimited()).unwrap(), Vec::<String>::new());
}

#[test]
fn a_panic_in_a_write_lets_the_next_in() {
    let (place, store) = store();
    let other = open(&place.path());
    thread::scope(|scope| {
        let (begun, has_begun) = std::sync::mpsc::channel();
        let store = &store;
        let panicking = scope.spawn(move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                store.write(&unlimited(), |transaction| {
                    insert(transaction, 99)?;
                    begun.send(()).unwrap();
                    thread::sleep(Duration::from_millis(60));
                    assert_eq!(store.stats().commits, 0, "on purpose");
                    Ok(())
                })
            }));
            assert!(outcome.is_err());
        });
        has_begun.recv().unwrap();
        let (here, there) = (
            scope.spawn(|| store.write(&unlimited(), |transaction| insert(transaction, 1))),
            scope.spawn(|| other.write(&unlimited(), |transaction| insert(transaction, 1))),
        );
        panicking.join().unwrap();
        here.join().unwrap().unwrap();
        there.join().unwrap().unwrap();
    });
    assert_eq!(stored(&store), [1, 1]);
}

#[test]
#[ignore = "a role in `a_lock_file_that_is_deleted_while_its_holder_is_stopped_lets_nobody_in`"]
fn role_is_robbed() {
    let Some(path) = child::store() else { return };
    let store = open(&path);
    let outcome = store.write(&unlimited(), |transaction| {
        insert(transaction, 99)?;
        println!("holding: yes");
        while !path.with_file_name("go").exists() {
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    });
    println!("holding: {:?}", outcome.map_err(|error| (error.code(), error.message().to_owned())));
    // The next has a lock file again.
    store.write(&unlimited(), |transaction| insert(transaction, 98)).unwrap();
}

#[test]
fn a_lock_file_that_is_deleted_while_its_holder_is_stopped_lets_nobody_in() {
    let (place, store) = store();
    let other = open(&place.path());
    let mut holder = child::start("role_is_robbed", &place.path());
    let mut lines = child::said(&mut holder, "holding:");
    assert!(lines.next().is_some());
    signal(&holder, "-STOP");
    let file = fs::metadata(place.path()).unwrap().len();
    fs::remove_file(place.folder().join("store.db.lock")).unwrap();
    let call = || unlimited().with_timeout(Duration::from_millis(150));
    // Who has the deleted file open waits for its holder; who comes now makes a new one, and has the guard at once.
    let fresh = open(&place.path());
    for store in [&store, &other, &fresh] {
        let error = store.write(&call(), |transaction| insert(transaction, 1)).err().unwrap();
        assert_eq!(error.code(), ErrorCode::Locked, "{error}");
        assert_eq!(store.erase(&call()).err().unwrap().code(), ErrorCode::Locked);
    }
    assert!(fresh.checkpoint(&call()).unwrap().busy);
    assert!(fresh.checkpoint_with(CheckpointMode::Full, &call()).unwrap().busy);
    assert_eq!(fs::metadata(place.path()).unwrap().len(), file);
    signal(&holder, "-CONT");
    fs::write(place.folder().join("go"), "").unwrap();
    let told = lines.next().unwrap();
    assert!(told.contains("Conflict") && told.contains("was deleted or replaced"), "{told}");
    assert!(holder.wait().unwrap().success());
    store.write(&call(), |transaction| insert(transaction, 1)).unwrap();
    assert_eq!(stored(&other), [98, 1], "what the robbed write did was undone");
    assert_eq!(store.integrity(&unlimited()).unwrap(), Vec::<String>::new());
}

#[test]
fn a_write_whose_lock_file_was_replaced_is_undone() {
    let (place, store) = store();
    let lock = place.folder().join("store.db.lock");
    let error = store
        .write(&unlimited(), |transaction| {
            insert(transaction, 1)?;
            fs::remove_file(&lock).unwrap();
            // Another file is not the one that is held.
            fs::write(&lock, "").unwrap();
            Ok(())
        })
        .err()
        .unwrap();
    assert_eq!(error.code(), ErrorCode::Conflict);
    assert!(error.hint().contains("lock files"), "{}", error.hint());
    store.write(&unlimited(), |transaction| insert(transaction, 2)).unwrap();
    assert_eq!(stored(&store), [2]);
}

#[test]
fn lock_files_that_are_deleted_between_two_opens_are_made_anew() {
    let (place, store) = store();
    store.close(&unlimited()).unwrap();
    drop(store);
    for suffix in [".gate", ".lock"] {
        fs::remove_file(place.folder().join(format!("store.db{suffix}"))).unwrap();
    }
    let (store, other) = (place.open(), place.open());
    store
        .write(&unlimited(), |transaction| {
            let call = unlimited().with_timeout(Duration::from_millis(30));
            assert_eq!(other.write(&call, |_| Ok(())).err().unwrap().code(), ErrorCode::Locked);
            insert(transaction, 1)
        })
        .unwrap();
    assert_eq!(stored(&other), [1]);
}
