//! The files that a process leaves when it is killed.
#![allow(dead_code, reason = "no test file uses all of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test may panic and speak")]

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use recollect_model::Result;
use recollect_storage::rows::meta::{self, Meta};
use recollect_storage::{Database, OpenOptions, params};

use super::child;
use super::support::{Place, make_table, options, unlimited};

/// Commits rows `first ..= last` one by one, each with its number in the row that says how far the store has come.
pub fn commit(store: &Database, first: i64, last: i64) {
    for n in first..=last {
        store
            .write(&unlimited(), |transaction| -> Result<()> {
                let meta = meta::read(transaction)?;
                meta::advance(transaction, &Meta { seq: meta.seq + 1, ..meta })?;
                let text = "x".repeat(usize::try_from(n * 977 % 6_000).unwrap());
                transaction.execute("INSERT INTO numbers (n, text) VALUES (?1, ?2)", params![n, text])?;
                Ok(())
            })
            .unwrap();
    }
}

/// What a role does that is to be killed: commits `first ..= last`, says so, and waits for its end.
pub fn commit_and_wait(range: &str) {
    let Some(path) = child::store() else { return };
    let (first, last) = range.split_once("..").unwrap();
    let store = Database::open(OpenOptions { checkpoint_frames: u64::MAX, ..options(&path) }, &unlimited()).unwrap();
    make_table(&store);
    commit(&store, first.parse().unwrap(), last.parse().unwrap());
    println!("committed: all");
    thread::sleep(Duration::from_mins(1));
}

/// Has the role run on the store until it has committed everything, and kills it.
pub fn crash(role: &str, store: &Path) {
    let mut writer = child::start(role, store);
    assert!(child::said(&mut writer, "committed:").next().is_some());
    writer.kill().unwrap();
    writer.wait().unwrap();
}

/// The path of a file that goes with a store.
pub fn beside(store: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", store.display()))
}

/// A copy of a store and what is beside it, in a folder of its own.
pub fn copied(store: &Path) -> Place {
    let place = Place::new();
    for suffix in ["", "-wal", "-shm"] {
        if beside(store, suffix).exists() {
            fs::copy(beside(store, suffix), beside(&place.path(), suffix)).unwrap();
        }
    }
    place
}
