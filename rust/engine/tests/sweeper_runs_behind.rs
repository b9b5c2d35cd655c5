//! The background sweeper removes what is due, gives way, distrusts a clock that jumps, and ends with its store.
//! The tests of this file look at the threads of the process, so they take turns.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use std::fs;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use recollect_engine::{Store, StoreOptions};
use recollect_model::{Call, Clock, Draft, ErrorCode, Kind, Operation, Swept, Timestamp};
use recollect_storage::{Database, OpenOptions};
use support::{Place, START, add, assert_sound, code, rule, unlimited, with};

const INTERVAL: Duration = Duration::from_millis(20);

static TURN: Mutex<()> = Mutex::new(());

fn in_turn(test: impl FnOnce()) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    expect_sweepers(0);
    test();
    expect_sweepers(0);
}

/// The threads of this process that sweep.
fn sweepers() -> usize {
    let names = fs::read_dir("/proc/self/task").unwrap().flatten();
    names
        .filter_map(|task| fs::read_to_string(task.path().join("comm")).ok())
        .filter(|name| name == "recollect-sweep\n")
        .count()
}

/// A thread takes its name when it begins to run, and its entry stays a moment longer than it does.
fn expect_sweepers(count: usize) {
    wait_until(&format!("there are {count} sweepers"), || sweepers() == count);
}

fn open(place: &Place) -> Store {
    place.open_with(|options| options.sweep_interval = INTERVAL).unwrap()
}

fn due() -> Draft {
    with(rule("a rule that has expired"), |fields| fields.expires_at = Some(START))
}

fn rules(store: &Store) -> u64 {
    store.stats(&unlimited()).unwrap().totals.rules
}

/// Waits until something is so, for at most ten seconds.
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn what_is_due_goes_by_itself() {
    in_turn(|| {
        let place = Place::new();
        let store = place.open_with(|options| {
            options.sweep_interval = INTERVAL;
            options.principal = "keeper".to_owned();
        });
        let store = store.unwrap();
        expect_sweepers(1);
        for _ in 0..2 {
            add(&store, due());
            add(&store, rule("a rule that stays"));
            wait_until("the expired rule is swept", || rules(&store) == 1);
        }
        let last = store.changes(0, 100, &unlimited()).unwrap().pop().unwrap();
        assert_eq!((last.operation, last.by.as_str()), (Operation::Swept, "keeper"));
        let before = support::seq(&store);
        let acquired = store.database().stats().guard.acquisitions;
        thread::sleep(10 * INTERVAL);
        assert_eq!(support::seq(&store), before);
        assert_eq!(store.database().stats().guard.acquisitions, acquired, "a look that finds nothing takes no guard");
        assert_sound(&store);
    });
}

#[test]
fn a_store_in_memory_is_swept_too() {
    in_turn(|| {
        let place = Place::new();
        let options = StoreOptions {
            clock: Arc::clone(&place.clock) as Arc<dyn Clock>,
            sweep_interval: INTERVAL,
            ..StoreOptions::new(OpenOptions::memory())
        };
        let store = Store::open(options, &unlimited()).unwrap();
        add(&store, due());
        wait_until("the expired rule is swept", || rules(&store) == 0);
    });
}

#[test]
fn it_runs_only_where_it_may() {
    in_turn(|| {
        let place = Place::new();
        let off = place.open_with(|options| (options.sweep, options.sweep_interval) = (false, INTERVAL)).unwrap();
        add(&off, due());
        expect_sweepers(0);
        let reader = place.open_with(|options| {
            options.database.mode = recollect_engine::OpenMode::ReadOnly;
            options.sweep_interval = INTERVAL;
        });
        let reader = reader.unwrap();
        expect_sweepers(0);
        thread::sleep(5 * INTERVAL);
        assert_eq!((rules(&off), rules(&reader)), (1, 1));
        assert_eq!(off.sweep(&unlimited()).unwrap(), Swept { expired: 1, deleted: 0 });
    });
}

#[test]
fn it_ends_when_the_store_is_closed_or_dropped() {
    in_turn(|| {
        let place = Place::new();
        // They would not look again for a minute.
        let (one, two) = (place.open(), place.open());
        expect_sweepers(2);
        one.close(&unlimited()).unwrap();
        one.close(&unlimited()).unwrap();
        expect_sweepers(1);
        drop(two);
        expect_sweepers(0);
        drop(one);
        // While it works.
        for round in 0..30 {
            let store = open(&place);
            let drafts = (0..50).map(|number| with(rule(&format!("{round} {number}")), |f| f.expires_at = Some(START)));
            store.add(Kind::Rule, drafts.collect(), None, &unlimited()).unwrap();
            thread::sleep(Duration::from_millis(5 + round));
            if round % 2 == 0 {
                store.close(&unlimited()).unwrap();
                expect_sweepers(0);
            }
        }
        assert_sound(&place.open());
    });
}

#[test]
fn a_close_that_fails_leaves_it_running() {
    in_turn(|| {
        let place = Place::new();
        let store = open(&place);
        let snapshot = store.database().read(&unlimited()).unwrap();
        let call = Call::unlimited().with_timeout(Duration::from_millis(30));
        assert_eq!(code(store.close(&call)), ErrorCode::Locked);
        drop(snapshot);
        expect_sweepers(1);
        add(&store, due());
        wait_until("the expired rule is swept", || rules(&store) == 0);
        store.close(&unlimited()).unwrap();
        expect_sweepers(0);
    });
}

#[test]
fn it_gives_way_to_writers_and_the_store_does_not_wait_for_it() {
    in_turn(|| {
        let place = Place::new();
        let store = open(&place);
        let other = Database::open(OpenOptions::file(place.path()), &unlimited()).unwrap();
        add(&store, with(rule("a rule that expires"), |fields| fields.expires_at = Some(START.plus_micros(1))));
        let (held, ended) = (std::sync::mpsc::channel(), std::sync::mpsc::channel());
        thread::scope(|scope| {
            let other = &other;
            scope.spawn(move || {
                other.write(&unlimited(), |_| {
                    held.0.send(()).unwrap();
                    ended.1.recv().unwrap();
                    Ok(())
                })
            });
            held.1.recv().unwrap();
            place.clock.advance_micros(1);
            thread::sleep(3 * INTERVAL);
            assert_eq!(rules(&store), 1);
            let begun = Instant::now();
            drop(store);
            assert!(begun.elapsed() < Duration::from_millis(900), "{:?}", begun.elapsed());
            ended.0.send(()).unwrap();
        });
        other.close(&unlimited()).unwrap();
    });
}

/// A clock that is an hour further, or back, whenever it is read.
struct Jumping {
    hours: i64,
    read: AtomicI64,
}

impl Clock for Jumping {
    fn now(&self) -> Timestamp {
        START.plus_micros(self.read.fetch_add(self.hours, Ordering::SeqCst) * 3_600_000_000)
    }
}

#[test]
fn a_clock_that_jumps_removes_nothing() {
    in_turn(|| {
        for hours in [1, -1] {
            let place = Place::new();
            let clock = Arc::new(Jumping { hours, read: AtomicI64::new(1_000_000) });
            let store = place.open_with(|options| {
                options.sweep_interval = Duration::from_millis(2);
                options.clock = Arc::clone(&clock) as Arc<dyn Clock>;
            });
            let store = store.unwrap();
            add(&store, due());
            let read = clock.read.load(Ordering::SeqCst);
            wait_until("it looks", || (clock.read.load(Ordering::SeqCst) - read).abs() > 20);
            assert_eq!(rules(&store), 1);
            assert_eq!(store.sweep(&unlimited()).unwrap().expired, 1, "who asks for it gets it");
        }
    });
}

#[test]
fn a_clock_that_jumped_once_and_runs_evenly_is_believed_after_sixty_looks() {
    in_turn(|| {
        const JUMP: i64 = 3_600_000_000;
        let place = Place::new();
        let store = open(&place);
        add(
            &store,
            with(rule("a rule that expires in half an hour"), |f| f.expires_at = Some(START.plus_micros(JUMP / 2))),
        );
        place.clock.advance_micros(JUMP);
        thread::sleep(20 * INTERVAL);
        assert_eq!(rules(&store), 1, "a jump that stays for a few looks");
        place.clock.advance_micros(-JUMP);
        thread::sleep(3 * INTERVAL);
        add(&store, due());
        wait_until("what is due is swept as soon as the jump is undone", || rules(&store) == 1);
        place.clock.advance_micros(JUMP);
        let jumped = Instant::now();
        wait_until("the clock is believed at last", || rules(&store) == 0);
        assert!(jumped.elapsed() >= 55 * INTERVAL, "{:?}", jumped.elapsed());
    });
}
