//! Whatever became of the log of a process that died: the store opens with a whole number of its commits, in order,
//! and goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/child.rs"]
mod child;
#[path = "support/crash.rs"]
mod crash;
mod support;

use std::fs;
use std::path::Path;

use crash::{beside, commit, commit_and_wait, copied, crash};
use recollect_model::ErrorCode;
use recollect_storage::Database;
use support::{Place, make_table, open, read_only, stored, unlimited};

const COMMITS: i64 = 24;
const HEADER: usize = 32;
const FRAME: usize = 24 + 4_096;

/// A store with ten commits in its file and fourteen in its log.
fn crashed() -> Place {
    let place = Place::new();
    let store = place.open();
    make_table(&store);
    commit(&store, 1, 10);
    store.close(&unlimited()).unwrap();
    drop(store);
    crash("role_commits", &place.path());
    assert!(fs::metadata(beside(&place.path(), "-wal")).unwrap().len() > (HEADER + 14 * FRAME) as u64);
    place
}

#[test]
#[ignore = "a role of `crashed`"]
fn role_commits() {
    commit_and_wait("11..24");
}

/// Opens the store, and answers how many commits it has, which are the first ones.
fn commits(path: &Path) -> i64 {
    let store = open(path);
    let rows = stored(&store);
    let count = i64::try_from(rows.len()).unwrap();
    assert_eq!(rows, (1..=count).collect::<Vec<_>>());
    assert_eq!(store.integrity(&unlimited()).unwrap(), Vec::<String>::new());
    commit(&store, 1_000, 1_000);
    assert_eq!(stored(&store).last(), Some(&1_000));
    store.close(&unlimited()).unwrap();
    count
}

#[test]
fn a_log_cut_anywhere_gives_the_commits_that_are_whole() {
    let original = crashed();
    let log = fs::read(beside(&original.path(), "-wal")).unwrap();
    let frames = (log.len() - HEADER) / FRAME;
    let mut cuts = vec![0, 1, HEADER - 1, HEADER, HEADER + 1, HEADER + 24];
    cuts.extend((0..frames).flat_map(|frame| {
        let end = HEADER + (frame + 1) * FRAME;
        [end - FRAME / 2, end - 1, end]
    }));
    let mut before = 0;
    for cut in cuts {
        let place = copied(&original.path());
        fs::write(beside(&place.path(), "-wal"), &log[..cut]).unwrap();
        fs::remove_file(beside(&place.path(), "-shm")).unwrap();
        let count = commits(&place.path());
        assert!(count >= before && count >= 10, "{count} commits from {cut} bytes, {before} from fewer");
        before = count;
    }
    assert_eq!(before, COMMITS);
}

#[test]
fn garbage_behind_the_log_is_not_read() {
    let original = crashed();
    let log = fs::read(beside(&original.path(), "-wal")).unwrap();
    for garbage in [vec![0; 5 * FRAME], vec![0xA5; FRAME], vec![0x5A; 17], log[HEADER..HEADER + 3 * FRAME].to_vec()] {
        let place = copied(&original.path());
        fs::write(beside(&place.path(), "-wal"), [&log[..], &garbage].concat()).unwrap();
        assert_eq!(commits(&place.path()), COMMITS);
    }
}

#[test]
fn a_changed_byte_ends_the_log_before_it() {
    let original = crashed();
    let log = fs::read(beside(&original.path(), "-wal")).unwrap();
    for at in (0..log.len()).step_by(log.len() / 40) {
        let place = copied(&original.path());
        let mut changed = log.clone();
        changed[at] ^= 0x10;
        fs::write(beside(&place.path(), "-wal"), changed).unwrap();
        fs::remove_file(beside(&place.path(), "-shm")).unwrap();
        let count = commits(&place.path());
        assert!((10..COMMITS).contains(&count), "byte {at}: {count}");
    }
}

#[test]
fn a_log_that_is_missing_after_a_close_is_not_missed() {
    let original = crashed();
    open(&original.path()).close(&unlimited()).unwrap();
    for suffix in ["-wal", "-shm"] {
        let _absent = fs::remove_file(beside(&original.path(), suffix));
    }
    assert_eq!(commits(&original.path()), COMMITS);
}

#[test]
fn a_log_that_is_missing_after_a_crash_takes_its_commits_with_it() {
    let original = crashed();
    fs::remove_file(beside(&original.path(), "-wal")).unwrap();
    // Nothing tells it from a store that was closed after the tenth commit.
    assert_eq!(commits(&original.path()), 10);
}

#[test]
fn the_index_of_the_log_is_made_anew_whatever_it_holds() {
    let original = crashed();
    let index = fs::read(beside(&original.path(), "-shm")).unwrap();
    let mut zeroed_header = index.clone();
    zeroed_header[..136].fill(0);
    let mut changed: Vec<_> = index.clone();
    changed.iter_mut().step_by(97).for_each(|byte| *byte ^= 0xFF);
    let forms = [
        None,
        Some(Vec::new()),
        Some(vec![0; 3]),
        Some(index[..100].to_vec()),
        Some(index[..4_096].to_vec()),
        Some(vec![0xFF; 32_768]),
        Some(vec![7; 70_001]),
        Some(zeroed_header),
        Some(changed),
    ];
    for form in forms {
        for reading in [false, true] {
            let place = copied(&original.path());
            match &form {
                Some(bytes) => fs::write(beside(&place.path(), "-shm"), bytes).unwrap(),
                None => fs::remove_file(beside(&place.path(), "-shm")).unwrap(),
            }
            if reading {
                let reader = Database::open(read_only(&place.path()), &unlimited()).unwrap();
                assert_eq!(i64::try_from(stored(&reader).len()).unwrap(), COMMITS);
            }
            assert_eq!(commits(&place.path()), COMMITS);
        }
    }
}

#[test]
fn a_log_without_its_file_is_not_thrown_away() {
    let original = crashed();
    let log = beside(&original.path(), "-wal");
    let bytes = fs::read(&log).unwrap();
    let elsewhere = original.folder().join("moved.db");
    fs::rename(original.path(), &elsewhere).unwrap();
    for is_empty in [false, true] {
        if is_empty {
            fs::write(original.path(), b"").unwrap();
        }
        let error = Database::open(support::options(&original.path()), &unlimited()).err().unwrap();
        assert_eq!(error.code(), ErrorCode::Conflict, "{error:?}");
        assert!(error.message().contains("-wal is the log of a store"), "{error}");
        assert_eq!(fs::read(&log).unwrap(), bytes);
    }
    fs::rename(&elsewhere, original.path()).unwrap();
    assert_eq!(commits(&original.path()), COMMITS);
}
