//! A log beside a file it was not written for is refused, and nothing is touched; one that follows from the file is
//! applied.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test may panic and speak")]

#[path = "support/child.rs"]
mod child;
#[path = "support/crash.rs"]
mod crash;
mod support;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crash::{beside, commit, commit_and_wait, copied, crash};
use recollect_model::ErrorCode;
use recollect_storage::rows::meta;
use recollect_storage::{Database, OpenOptions};
use support::{Place, insert, make_table, open, options, stored, unlimited};

/// A store after 5 commits, after 10, and after 15 of which the last five are in the log, each in a folder of its own.
fn three_states() -> [Place; 3] {
    let place = Place::new();
    let grown = |first, last| {
        let store = place.open();
        make_table(&store);
        commit(&store, first, last);
        store.close(&unlimited()).unwrap();
        drop(store);
        copied(&place.path())
    };
    let (five, ten) = (grown(1, 5), grown(6, 10));
    crash("role_commits", &place.path());
    [five, ten, copied(&place.path())]
}

#[test]
#[ignore = "a role of `three_states`"]
fn role_commits() {
    commit_and_wait("11..15");
}

fn refused(path: &Path, said: &str) {
    let bytes = || ["", "-wal"].map(|suffix| fs::read(beside(path, suffix)).unwrap());
    let before = bytes();
    let error = Database::open(options(path), &unlimited()).err().expect("it is refused");
    assert_eq!(error.code(), ErrorCode::Corrupt, "{error:?}");
    assert!(error.message().contains(said), "{error}");
    assert!(error.hint().contains("-wal away"), "{}", error.hint());
    assert!(before == bytes(), "nothing was changed");
    // One that only reads would lie. It looks again for a while: somebody might be writing.
    let error = Database::open(support::read_only(path), &unlimited()).err().expect("it is refused to readers");
    assert_eq!(error.code(), ErrorCode::Corrupt, "{error:?}");
    assert!(error.message().contains(said), "{error}");
    assert!(before == bytes(), "nothing was changed");
}

fn rows(path: &Path) -> Vec<i64> {
    let store = open(path);
    assert_eq!(store.integrity(&unlimited()).unwrap(), Vec::<String>::new());
    let rows = stored(&store);
    store.close(&unlimited()).unwrap();
    rows
}

#[test]
fn an_older_file_beside_the_log_of_a_newer_one_is_refused() {
    let [five, _, fifteen] = three_states();
    fs::copy(five.path(), fifteen.path()).unwrap();
    refused(&fifteen.path(), "the file ends at commit 5, and the log begins with commit 11");
    // As the hint says: without the log it is the older store.
    fs::remove_file(beside(&fifteen.path(), "-wal")).unwrap();
    assert_eq!(rows(&fifteen.path()), (1..=5).collect::<Vec<_>>());
}

#[test]
fn the_file_that_the_log_follows_from_is_recovered() {
    let [_, ten, fifteen] = three_states();
    fs::copy(ten.path(), fifteen.path()).unwrap();
    assert_eq!(rows(&fifteen.path()), (1..=15).collect::<Vec<_>>());
}

#[test]
fn a_newer_file_beside_the_log_of_an_older_one_is_refused() {
    let [_, _, fifteen] = three_states();
    let newer = copied(&fifteen.path());
    let store = newer.open();
    commit(&store, 16, 20);
    store.close(&unlimited()).unwrap();
    drop(store);
    fs::copy(newer.path(), fifteen.path()).unwrap();
    refused(&fifteen.path(), "the file has come to commit 20, and the log ends at commit 15");
}

#[test]
fn the_log_of_another_store_is_refused() {
    let [_, _, fifteen] = three_states();
    let [_, other, _] = three_states();
    fs::copy(other.path(), fifteen.path()).unwrap();
    refused(&fifteen.path(), "another store");
}

#[test]
fn an_older_copy_of_a_closed_store_is_that_older_store() {
    let [five, ten, _] = three_states();
    fs::copy(five.path(), ten.path()).unwrap();
    assert_eq!(rows(&ten.path()), (1..=5).collect::<Vec<_>>());
    // Also where the files that a close leaves are still there.
    let store = open(&ten.path());
    commit(&store, 6, 7);
    assert_eq!(stored(&store).len(), 7);
}

#[test]
fn a_copied_store_is_a_store_of_its_own_with_the_same_identity() {
    let [_, _, fifteen] = three_states();
    let copy = copied(&fifteen.path());
    let stores = [open(&fifteen.path()), open(&copy.path())];
    let identity = |store: &Database| meta::read(&store.read(&unlimited()).unwrap()).unwrap().store_uuid;
    let [original, copied] = &stores;
    assert_eq!(identity(original), identity(copied));
    // Each has its own guard: a write to one inside a write to the other waits for nobody.
    original
        .write(&unlimited(), |outer| {
            copied.write(&unlimited(), |inner| insert(inner, 200))?;
            insert(outer, 100)
        })
        .unwrap();
    assert_eq!((stored(original).last(), stored(copied).last()), (Some(&100), Some(&200)));
}

#[test]
fn a_store_that_others_have_open_is_opened_beside_them() {
    let place = Place::new();
    let first = Database::open(OpenOptions { checkpoint_frames: u64::MAX, ..options(&place.path()) }, &unlimited());
    let first = first.unwrap();
    make_table(&first);
    // The log of a store at work is no stale one, however far it is ahead of the file: asked by another process, which
    // has nothing open.
    commit(&first, 1, 10);
    let mut other = child::start("role_commits", &place.path());
    assert!(child::said(&mut other, "committed:").next().is_some());
    commit(&first, 16, 20);
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(stored(&first), (1..=20).collect::<Vec<_>>());
}

#[test]
#[ignore = "a role in `readers_open_beside_a_store_at_work`"]
fn role_opens() {
    let Some(path) = child::store() else { return };
    let mut opened = 0;
    while !path.with_file_name("stop").exists() {
        let store = Database::open(support::read_only(&path), &unlimited()).unwrap();
        drop(store);
        opened += 1;
    }
    println!("opened: {opened}");
}

#[test]
fn readers_open_beside_a_store_at_work() {
    let place = Place::new();
    let store = Database::open(OpenOptions { checkpoint_frames: 5, ..options(&place.path()) }, &unlimited()).unwrap();
    make_table(&store);
    let mut reader = child::start("role_opens", &place.path());
    let until = Instant::now() + Duration::from_secs(2);
    let mut n = 0;
    while Instant::now() < until {
        n += 1;
        commit(&store, n, n);
        if n % 7 == 0 {
            store.checkpoint(&unlimited()).unwrap();
        }
    }
    fs::write(place.folder().join("stop"), "").unwrap();
    let mut lines = child::said(&mut reader, "opened:");
    let opened: u32 = lines.next().expect("it was never refused").parse().unwrap();
    assert!(opened > 20 && n > 50, "{opened} openings beside {n} commits");
    assert!(reader.wait().unwrap().success());
}
