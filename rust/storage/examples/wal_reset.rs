//! What `tests/prove/wal_reset.py` runs: writers and checkpointers on one store, through the store's own code, and a
//! count of what is there afterwards.
//!
//! ```text
//! wal_reset prepare STORE
//! wal_reset run STORE WRITERS CHECKPOINTERS FIRST_WRITER SECONDS
//! wal_reset verify STORE
//! ```
//!
//! Each writer and each checkpointer is a thread with a store opened of its own. Lines on standard output begin with
//! `acknowledged`, `checkpoints`, `failed`, `readable` or `finding`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is what it is for")]

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use recollect_model::{Call, Error, ErrorCode, Result};
use recollect_storage::{CheckpointMode, Database, Durability, OpenOptions, params};

/// Rows of one commit, and bytes of each: a commit is a few pages, so that the log is soon copied and begun anew.
const ROWS: i64 = 8;
const BYTES: usize = 300;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["prepare", store] => prepare(Path::new(store)),
        ["verify", store] => verify(Path::new(store)),
        ["run", store, numbers @ ..] => run(Path::new(store), numbers),
        _ => Err(Error::invalid("use: prepare STORE | run STORE W C FIRST SECONDS | verify STORE")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("failed {} {error}", error.code().as_str());
            ExitCode::FAILURE
        }
    }
}

fn open(store: &Path, amplify: bool) -> Result<Database> {
    let options = OpenOptions { durability: Durability::Off, amplify, ..OpenOptions::file(store) };
    Database::open(options, &Call::unlimited())
}

/// Opens until it works: without the guard, openings meet other writers.
fn open_patiently(store: &Path, amplify: bool, until: Instant) -> Result<Database> {
    loop {
        match open(store, amplify) {
            Err(error) if error.code() == ErrorCode::Locked && Instant::now() < until => {}
            outcome => return outcome,
        }
    }
}

fn prepare(store: &Path) -> Result<()> {
    let store = open(store, false)?;
    let call = Call::unlimited();
    store.write(&call, |transaction| {
        transaction
            .execute("CREATE TABLE proof (id INTEGER PRIMARY KEY, writer INTEGER, n INTEGER, filler BLOB)", &[])?;
        transaction.execute("CREATE UNIQUE INDEX proof_by_writer ON proof (writer, n)", &[])
    })?;
    store.close(&call)
}

fn run(store: &Path, numbers: &[&str]) -> Result<()> {
    let numbers: Vec<u64> = numbers.iter().filter_map(|number| number.parse().ok()).collect();
    let &[writers, checkpointers, first, seconds] = numbers.as_slice() else {
        return Err(Error::invalid("run takes four numbers"));
    };
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut threads = Vec::new();
    for writer in first..first + writers {
        let store = PathBuf::from(store);
        threads.push(thread::spawn(move || {
            let (acknowledged, outcome) = write(&store, writer, until);
            println!("acknowledged {writer} {acknowledged}");
            outcome
        }));
    }
    for _ in 0..checkpointers {
        let store = PathBuf::from(store);
        threads.push(thread::spawn(move || {
            let (count, outcome) = checkpoint(&store, until);
            println!("checkpoints {count}");
            outcome
        }));
    }
    for thread in threads {
        if let Err(error) = thread.join().map_err(|_| Error::internal("a thread panicked"))? {
            println!("failed {} {error}", error.code().as_str());
        }
    }
    Ok(())
}

/// Commits rows until the time is over or a commit fails; how many rows were acknowledged.
fn write(store: &Path, writer: u64, until: Instant) -> (i64, Result<()>) {
    let mut acknowledged = 0;
    let outcome = (|| {
        let store = open_patiently(store, false, until)?;
        let call = Call::unlimited();
        let filler = vec![0x5A_u8; BYTES];
        while Instant::now() < until {
            store.write(&call, |transaction| {
                for n in acknowledged + 1..=acknowledged + ROWS {
                    transaction.execute(
                        "INSERT INTO proof (writer, n, filler) VALUES (?1, ?2, ?3)",
                        params![writer, n, &filler],
                    )?;
                }
                Ok(())
            })?;
            acknowledged += ROWS;
        }
        store.close(&call)
    })();
    (acknowledged, outcome)
}

/// Checkpoints until the time is over; how many copied something.
fn checkpoint(store: &Path, until: Instant) -> (u64, Result<()>) {
    let mut count = 0;
    let outcome = (|| {
        let store = open_patiently(store, true, until)?;
        let call = Call::unlimited();
        while Instant::now() < until {
            let done = store.checkpoint_with(CheckpointMode::Passive, &call)?;
            count += u64::from(done.checkpointed_frames > 0);
        }
        store.close(&call)
    })();
    (count, outcome)
}

/// Says what is damaged, and how many rows of each writer can be read without a gap.
fn verify(store: &Path) -> Result<()> {
    let store = open(store, false)?;
    let call = Call::unlimited();
    for finding in store.integrity(&call)?.iter().take(5) {
        println!("finding {}", finding.replace('\n', " "));
    }
    let snapshot = store.read(&call)?;
    let scanned = "SELECT writer, count(*), max(n) FROM proof NOT INDEXED GROUP BY writer";
    let by_index = "SELECT writer, count(*), max(n) FROM proof INDEXED BY proof_by_writer GROUP BY writer";
    let count = |sql| snapshot.query(sql, &[], |row| Ok((row.integer(0)?, row.integer(1)?, row.integer(2)?)));
    let rows = count(scanned)?;
    if rows != count(by_index)? {
        println!("finding the index and the table differ");
    }
    for (writer, count, last) in rows {
        if count != last {
            println!("finding writer {writer} has {count} rows and the last is {last}");
        }
        println!("readable {writer} {count}");
    }
    drop(snapshot);
    store.close(&call)
}
