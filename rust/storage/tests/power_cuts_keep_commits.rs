//! A power cut takes no acknowledged commit with full durability, and only the newest ones with normal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use recollect_faults::Disk;
use recollect_storage::{Database, Durability, OpenOptions};
use support::{insert, make_table, open, stored, unlimited};

const COMMITS: i64 = 24;
const CUT_EVERY: u64 = 5;

/// A power cut: the folder it left, and the commits that were acknowledged before.
struct Cut {
    image: PathBuf,
    acknowledged: i64,
}

/// Commits the numbers from 1 on, with checkpoints between, and cuts the power again and again.
fn run(folder: &Path, durability: Durability, is_lying: bool) -> Vec<Cut> {
    recollect_faults::install();
    let live = folder.join("live");
    std::fs::create_dir(&live).unwrap();
    let disk = Disk::watch(&live).unwrap();
    disk.lie(is_lying);
    let options = OpenOptions { durability, ..OpenOptions::file(live.join("store.db")) };
    let store = Database::open(options, &unlimited()).unwrap();
    make_table(&store);
    let (acknowledged, cuts) = (Arc::new(AtomicI64::new(0)), Arc::new(Mutex::new(Vec::new())));
    let (seen, list, folder) = (Arc::clone(&acknowledged), Arc::clone(&cuts), folder.to_owned());
    disk.look(move |moment| {
        if moment.number() % CUT_EVERY == 0 {
            let image = folder.join(format!("cut-{}", moment.number()));
            moment.cut(Some(moment.number()), &image).unwrap();
            list.lock().unwrap().push(Cut { image, acknowledged: seen.load(Ordering::SeqCst) });
        }
    });
    for number in 1..=COMMITS {
        store.write(&unlimited(), |transaction| insert(transaction, number)).unwrap();
        acknowledged.store(number, Ordering::SeqCst);
        if number % 8 == 0 {
            store.checkpoint(&unlimited()).unwrap();
        }
    }
    store.close(&unlimited()).unwrap();
    drop(disk);
    std::mem::take(&mut *cuts.lock().unwrap())
}

/// The numbers that are left; none if the store is damaged.
fn left(cut: &Cut) -> Option<Vec<i64>> {
    let options = OpenOptions { durability: Durability::Normal, ..OpenOptions::file(cut.image.join("store.db")) };
    let store = Database::open(options, &unlimited()).ok()?;
    let is_sound = store.integrity(&unlimited()).is_ok_and(|findings| findings.is_empty());
    let snapshot = store.read(&unlimited()).ok()?;
    let numbers = snapshot.query("SELECT n FROM numbers ORDER BY id", &[], |row| row.integer(0)).ok();
    drop(snapshot);
    store.close(&unlimited()).unwrap();
    numbers.filter(|_| is_sound)
}

fn is_prefix(numbers: &[i64]) -> bool {
    numbers.iter().copied().eq(1..=i64::try_from(numbers.len()).unwrap())
}

#[test]
fn full_durability_loses_nothing() {
    let place = tempfile::tempdir().unwrap();
    let cuts = run(place.path(), Durability::Full, false);
    assert!(cuts.len() > 10);
    for cut in &cuts {
        let numbers = left(cut).expect("the store is sound");
        let count = i64::try_from(numbers.len()).unwrap();
        assert!(is_prefix(&numbers));
        assert!((cut.acknowledged..=cut.acknowledged + 1).contains(&count), "{count} of {}", cut.acknowledged);
    }
}

#[test]
fn normal_durability_keeps_a_prefix() {
    let place = tempfile::tempdir().unwrap();
    for cut in run(place.path(), Durability::Normal, false) {
        // Before the first sync even the table may be missing.
        if let Some(numbers) = left(&cut) {
            assert!(is_prefix(&numbers));
            assert!(i64::try_from(numbers.len()).unwrap() <= cut.acknowledged + 1);
        } else {
            assert_eq!(open(&cut.image.join("store.db")).integrity(&unlimited()).unwrap(), Vec::<String>::new());
        }
    }
}

#[test]
fn a_disk_that_lies_is_found_out() {
    let place = tempfile::tempdir().unwrap();
    let cuts = run(place.path(), Durability::Full, true);
    let is_lost = |cut: &Cut| left(cut).is_none_or(|left| i64::try_from(left.len()).unwrap() < cut.acknowledged);
    assert!(cuts.iter().any(is_lost));
}

#[test]
fn what_was_cut_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let cuts = run(place.path(), Durability::Full, false);
    let cut = cuts.get(cuts.len() / 2).unwrap();
    let store = open(&cut.image.join("store.db"));
    let before = stored(&store);
    store.write(&unlimited(), |transaction| insert(transaction, 1_000)).unwrap();
    store.close(&unlimited()).unwrap();
    let after = stored(&open(&cut.image.join("store.db")));
    assert_eq!(after, [before, vec![1_000]].concat());
}

#[test]
fn a_store_that_was_being_made_when_the_power_went_can_be_made_again() {
    recollect_faults::install();
    let place = tempfile::tempdir().unwrap();
    let (live, folder) = (place.path().join("live"), place.path().to_owned());
    std::fs::create_dir(&live).unwrap();
    let disk = Disk::watch(&live).unwrap();
    let images = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&images);
    disk.look(move |moment| {
        for seed in 0..6 {
            let image = folder.join(format!("cut-{}-{seed}", moment.number()));
            moment.cut(Some(seed), &image).unwrap();
            list.lock().unwrap().push(image);
        }
    });
    open(&live.join("store.db")).close(&unlimited()).unwrap();
    drop(disk);
    for image in images.lock().unwrap().iter() {
        let store = Database::open(OpenOptions::file(image.join("store.db")), &unlimited());
        let store = store.unwrap_or_else(|error| panic!("{}: {error:?}", image.display()));
        assert_eq!(store.integrity(&unlimited()).unwrap(), Vec::<String>::new());
        store.close(&unlimited()).unwrap();
    }
}
