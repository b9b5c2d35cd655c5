//! What was deleted is gone from the bytes of the files after an erasure, whoever else has the store open.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::panic, reason = "tests")]

#[path = "support/child.rs"]
mod child;
mod support;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use recollect_faults::{Disk, Fault, FaultKind, Lasts, install};
use recollect_model::ErrorCode;
use recollect_storage::{Database, Erased, OpenMode, OpenOptions, params};
use support::{Place, insert, make_table, open, options, stored, unlimited};

const CANARY: &str = "canary-of-the-deleted-";

/// How often the canary stands in the files of a store that no connection of this process has open.
fn canaries(store: &Path) -> usize {
    ["", "-wal"]
        .iter()
        .filter_map(|suffix| fs::read(format!("{}{suffix}", store.display())).ok())
        .map(|bytes| bytes.windows(CANARY.len()).filter(|window| *window == CANARY.as_bytes()).count())
        .sum()
}

/// As [`canaries`], by a process of its own, since the store is open in this one.
fn canaries_seen_by_another(store: &Path) -> usize {
    let mut looker = child::start("role_looks", store);
    let found = child::said(&mut looker, "found:").next().unwrap().parse().unwrap();
    looker.wait().unwrap();
    found
}

#[test]
#[ignore = "a role of `canaries_seen_by_another`"]
fn role_looks() {
    let Some(path) = child::store() else { return };
    println!("found: {}", canaries(&path));
}

/// Rows of many sizes, in an order that splits pages and moves cells; every `nth` holds canaries.
fn fill(store: &Database, seed: u64, rows: i64, nth: i64) {
    make_table(store);
    store
        .write(&unlimited(), |transaction| {
            transaction.execute("CREATE INDEX IF NOT EXISTS texts ON numbers (text)", &[])?;
            let mut random = seed | 1;
            for n in 0..rows {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let id = i64::try_from(random >> 33).unwrap() * 100_000 + n;
                let length = usize::try_from(random >> 40).unwrap() % 900;
                let text = if n % nth == 0 { CANARY.repeat(1 + length / 60) } else { "kept ".repeat(1 + length / 5) };
                let text = format!("{random:x} {text}");
                transaction.execute(
                    "INSERT OR REPLACE INTO numbers (id, n, text) VALUES (?1, ?2, ?3)",
                    params![id, n % nth, text],
                )?;
            }
            Ok(())
        })
        .unwrap();
}

fn delete_canaries(store: &Database) {
    store.write(&unlimited(), |transaction| transaction.execute("DELETE FROM numbers WHERE n = 0", &[])).unwrap();
}

fn sound(store: &Database, kept: usize) {
    assert_eq!(store.integrity(&unlimited()).unwrap(), Vec::<String>::new());
    assert_eq!(stored(store).len(), kept);
}

#[test]
fn deleting_alone_leaves_copies_and_erasing_leaves_none() {
    let place = Place::new();
    let store = place.open();
    fill(&store, 7, 3_000, 4);
    delete_canaries(&store);
    store.checkpoint(&unlimited()).unwrap();
    assert!(
        canaries_seen_by_another(&place.path()) > 0,
        "the engine leaves nothing by itself: this test proves nothing"
    );
    let erased = store.erase(&unlimited()).unwrap();
    assert!(erased.pages > 0 && erased.bytes > erased.pages, "{erased:?}");
    assert_eq!(canaries_seen_by_another(&place.path()), 0);
    sound(&store, 2_250);
    assert_eq!(store.erase(&unlimited()).unwrap(), Erased::default(), "the second time there is nothing left");
    // The store goes on, and a close brings nothing back.
    store.write(&unlimited(), |transaction| insert(transaction, 1)).unwrap();
    store.close(&unlimited()).unwrap();
    assert_eq!(canaries(&place.path()), 0);
    sound(&place.open(), 2_251);
}

#[test]
fn what_other_connections_had_in_their_caches_does_not_come_back() {
    let place = Place::new();
    let store = place.open();
    fill(&store, 11, 3_000, 4);
    delete_canaries(&store);
    // Another store in this process, and one in another process, read every page, and then change each.
    let second = open(&place.path());
    let mut third = child::start("role_reads_then_writes", &place.path());
    let mut lines = child::said(&mut third, "third:");
    assert_eq!(lines.next().unwrap(), "read");
    // The writing connections, too, have the pages: each has changed some before.
    second.write(&unlimited(), |transaction| transaction.execute("UPDATE numbers SET n = n + 1", &[])).unwrap();
    assert_eq!(stored(&second).len(), 2_250);
    assert!(store.erase(&unlimited()).unwrap().pages > 0);
    second.write(&unlimited(), |transaction| transaction.execute("UPDATE numbers SET n = n + 1", &[])).unwrap();
    fs::write(place.folder().join("go"), "").unwrap();
    assert_eq!(lines.next().unwrap(), "written");
    store.write(&unlimited(), |transaction| transaction.execute("UPDATE numbers SET n = n + 1", &[])).unwrap();
    store.checkpoint(&unlimited()).unwrap();
    assert_eq!(canaries_seen_by_another(&place.path()), 0);
    sound(&store, 2_250);
    third.wait().unwrap();
}

#[test]
#[ignore = "a role in `what_other_connections_had_in_their_caches_does_not_come_back`"]
fn role_reads_then_writes() {
    let Some(path) = child::store() else { return };
    let store = open(&path);
    let update = |store: &Database| {
        store.write(&unlimited(), |transaction| transaction.execute("UPDATE numbers SET n = n + 1", &[])).unwrap();
    };
    update(&store);
    println!("third: read");
    let go = path.with_file_name("go");
    while !go.exists() {
        thread::sleep(Duration::from_millis(2));
    }
    update(&store);
    println!("third: written");
}

#[test]
fn a_reader_that_pins_the_log_is_told_of_in_time() {
    let place = Place::new();
    let store = place.open();
    fill(&store, 3, 500, 2);
    let snapshot = store.read(&unlimited()).unwrap();
    delete_canaries(&store);
    let started = Instant::now();
    let error = store.erase(&unlimited().with_timeout(Duration::from_millis(80))).err().unwrap();
    assert_eq!(error.code(), ErrorCode::Locked);
    assert!(error.message().contains("still in the write-ahead log"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(3));
    // Writers are not kept waiting by an erasure that waits.
    thread::scope(|scope| {
        let waiting = scope.spawn(|| store.erase(&unlimited()));
        for n in 0..20 {
            store.write(&unlimited(), |transaction| insert(transaction, n)).unwrap();
        }
        drop(snapshot);
        assert!(waiting.join().unwrap().unwrap().pages > 0);
    });
    assert_eq!(canaries_seen_by_another(&place.path()), 0);
}

#[test]
fn readers_that_overlap_do_not_keep_an_erasure_waiting() {
    let place = Place::new();
    let store = place.open();
    fill(&store, 6, 300, 4);
    let mut readers: Vec<_> = (0..3).map(|_| child::start("role_reads", &place.path())).collect();
    let mut lines: Vec<_> = readers.iter_mut().map(|reader| child::said(reader, "reading:")).collect();
    assert!(lines.iter_mut().all(|lines| lines.next().is_some()));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        // Each commit gives the readers that come next a log to read from.
        scope.spawn(|| {
            let store = open(&place.path());
            while !is_over.load(Ordering::Relaxed) {
                store.write(&unlimited(), |transaction| insert(transaction, 1)).unwrap();
                thread::sleep(Duration::from_millis(1));
            }
        });
        let outcomes: Vec<_> = (0..5)
            .map(|round| {
                fill(&store, 100 + round, 60, 2);
                delete_canaries(&store);
                let erased = store.erase(&unlimited().with_timeout(Duration::from_secs(3)));
                erased.map(|_| canaries_seen_by_another(&place.path()))
            })
            .collect();
        is_over.store(true, Ordering::Relaxed);
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(0))), "{outcomes:?}");
    });
    fs::write(place.folder().join("stop"), "").unwrap();
    for reader in &mut readers {
        assert!(reader.wait().unwrap().success());
    }
}

#[test]
#[ignore = "a role in `readers_that_overlap_do_not_keep_an_erasure_waiting`"]
fn role_reads() {
    let Some(path) = child::store() else { return };
    let store = open(&path);
    println!("reading: yes");
    while !path.with_file_name("stop").exists() {
        let snapshot = store.read(&unlimited()).unwrap();
        thread::sleep(Duration::from_millis(4));
        assert!(snapshot.query_one("SELECT sum(n) FROM numbers", &[], |row| row.optional_integer(0)).is_ok());
    }
}

#[test]
fn a_store_in_memory_has_nothing_to_erase_and_a_read_only_one_may_not() {
    let memory = Database::open(OpenOptions::memory(), &unlimited()).unwrap();
    assert_eq!(memory.erase(&unlimited()).unwrap(), Erased::default());
    let place = Place::new();
    drop(place.open());
    let reader = OpenOptions { mode: OpenMode::ReadOnly, ..options(&place.path()) };
    let reader = Database::open(reader, &unlimited()).unwrap();
    assert_eq!(reader.erase(&unlimited()).err().unwrap().code(), ErrorCode::PermissionDenied);
}

#[test]
fn erasing_while_others_write_and_read_harms_nobody() {
    let place = Place::new();
    let store = place.open();
    fill(&store, 5, 1_000, 4);
    let until = Instant::now() + Duration::from_secs(2);
    let mut writers: Vec<_> = (0..2).map(|_| child::start("role_churns", &place.path())).collect();
    let mut rounds = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            while Instant::now() < until {
                let snapshot = store.read(&unlimited()).unwrap();
                let sum = "SELECT sum(length(text)), count(*) FROM numbers WHERE n >= 0";
                let once = snapshot.query_one(sum, &[], |row| row.optional_integer(0)).unwrap();
                assert_eq!(snapshot.query_one(sum, &[], |row| row.optional_integer(0)).unwrap(), once);
            }
        });
        while Instant::now() < until || rounds < 3 {
            fill(&store, 1_000 + rounds, 60, 2);
            delete_canaries(&store);
            store.erase(&unlimited()).unwrap();
            rounds += 1;
        }
    });
    fs::write(place.folder().join("stop"), "").unwrap();
    for writer in &mut writers {
        assert!(writer.wait().unwrap().success());
    }
    delete_canaries(&store);
    store.erase(&unlimited()).unwrap();
    assert_eq!(store.integrity(&unlimited()).unwrap(), Vec::<String>::new());
    assert_eq!(canaries_seen_by_another(&place.path()), 0);
}

#[test]
#[ignore = "a role in `erasing_while_others_write_and_read_harms_nobody`"]
fn role_churns() {
    let Some(path) = child::store() else { return };
    let store = open(&path);
    let stop = path.with_file_name("stop");
    let mut round = u64::from(std::process::id());
    while !stop.exists() {
        round = round.wrapping_mul(31);
        fill(&store, round, 40, 3);
        delete_canaries(&store);
        store
            .write(&unlimited(), |transaction| {
                transaction.execute("UPDATE numbers SET text = text || 'x' WHERE id % 7 = ?1", params![round % 7])?;
                transaction.execute("DELETE FROM numbers WHERE id % 11 = ?1", params![round % 11])
            })
            .unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Any store, any deletions: the same rows as before, a sound file, and no canary.
    #[test]
    fn any_store_keeps_its_rows_and_loses_what_was_deleted(
        seed: u64,
        rows in 1..900_i64,
        nth in 1..6_i64,
        updates in proptest::collection::vec((0..7_i64, 0..600_usize), 0..5),
    ) {
        let place = Place::new();
        let store = place.open();
        fill(&store, seed, rows, nth);
        for (residue, length) in updates {
            store.write(&unlimited(), |transaction| {
                transaction.execute(
                    "UPDATE numbers SET text = substr(text || ?1, 1, ?2) || id WHERE n > 0 AND id % 7 = ?3",
                    params!["y".repeat(length), 20 + length, residue],
                )
            }).unwrap();
        }
        delete_canaries(&store);
        let all = |store: &Database| store.read(&unlimited()).unwrap().query(
            "SELECT id, text FROM numbers ORDER BY id", &[], |row| Ok((row.integer(0)?, row.text(1)?)),
        ).unwrap();
        let before = all(&store);
        store.erase(&unlimited()).unwrap();
        prop_assert_eq!(all(&store), before.clone());
        prop_assert_eq!(store.integrity(&unlimited()).unwrap(), Vec::<String>::new());
        store.close(&unlimited()).unwrap();
        prop_assert_eq!(canaries(&place.path()), 0);
        prop_assert_eq!(all(&place.open()), before);
    }
}

#[test]
fn what_a_failed_sync_did_not_bring_to_the_disk_is_erased_by_the_next_erasure() {
    install();
    let mut failures = 0;
    for nth in 1..20 {
        let (place, image) = (Place::new(), Place::new());
        let disk = Disk::watch(&place.folder().canonicalize().unwrap()).unwrap();
        let store = place.open();
        fill(&store, 13, 1_500, 4);
        delete_canaries(&store);
        store.checkpoint(&unlimited()).unwrap();
        disk.fail(Fault { kind: FaultKind::Sync, nth, lasts: Lasts::Once });
        let outcome = store.erase(&unlimited());
        let is_over = disk.lift().0.is_empty();
        drop(store);
        if let Err(error) = outcome {
            assert_eq!(error.code(), ErrorCode::Io);
            failures += 1;
            let store = place.open();
            store.erase(&unlimited()).unwrap();
            drop(store);
        }
        disk.cut(None, image.folder()).unwrap();
        assert_eq!(canaries(&image.path()), 0, "sync {nth}");
        sound(&image.open(), 1_125);
        if is_over {
            break;
        }
    }
    assert!(failures > 0);
}
