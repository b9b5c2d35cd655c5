//! The descriptors that a forked child must give up are known: those of every lock file that is open, and no other.
//!
//! One test only: the list is the process's own.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::thread;

use recollect_storage::{Database, OpenOptions, lock_descriptors};
use support::{Place, insert, make_table, open, unlimited};

/// What the listed descriptors lead to.
fn listed() -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        lock_descriptors().iter().map(|number| fs::read_link(format!("/proc/self/fd/{number}")).unwrap()).collect();
    paths.sort();
    paths
}

fn lock_files(places: &[&Place]) -> Vec<PathBuf> {
    let mut paths: Vec<_> = places
        .iter()
        .flat_map(|place| {
            [".gate", ".lock"].map(|end| place.folder().canonicalize().unwrap().join(format!("store.db{end}")))
        })
        .collect();
    paths.sort();
    paths
}

#[test]
fn the_list_is_that_of_the_open_lock_files() {
    assert_eq!(listed(), Vec::<PathBuf>::new());
    let (one, two) = (Place::new(), Place::new());
    let first = one.open();
    assert_eq!(listed(), lock_files(&[&one]));
    let second = two.open();
    let again = open(&one.path());
    let _memory = Database::open(OpenOptions::memory(), &unlimited()).unwrap();
    assert_eq!(listed(), lock_files(&[&one, &one, &two]));
    // Locked or not.
    make_table(&first);
    let during = first.write(&unlimited(), |_| Ok(listed())).unwrap();
    assert_eq!(during, lock_files(&[&one, &one, &two]));
    // One that is made anew takes the place of the one that was deleted.
    fs::remove_file(one.folder().join("store.db.lock")).unwrap();
    first.write(&unlimited(), |transaction| insert(transaction, 1)).unwrap();
    again.write(&unlimited(), |transaction| insert(transaction, 1)).unwrap();
    assert_eq!(listed(), lock_files(&[&one, &one, &two]));
    drop((first, second));
    assert_eq!(listed(), lock_files(&[&one]));
    drop(again);
    assert_eq!(listed(), Vec::<PathBuf>::new());

    // While stores come and go in many threads, no descriptor is listed twice.
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..12 {
                    let place = Place::new();
                    let _store = place.open();
                    let numbers = lock_descriptors();
                    assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len(), "{numbers:?}");
                }
            });
        }
    });
    assert_eq!(lock_descriptors(), Vec::<i32>::new());
}
