//! The background sweeper: a thread of every handle that is open for writing.
//!
//! It looks once in an interval, gives way to whoever writes, and does not trust a clock that jumps. It holds the
//! database, never the store: the store stops it and waits for it before it closes the database.

use std::mem;
use std::process;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use recollect_model::{Call, CancelToken, Error, ErrorCode, Result, Timestamp};

use crate::sweep::Sweep;

/// How long a commit of a look waits for others that write. What it does then ends by itself, or by [`Signal::stop`].
const PATIENCE: Duration = Duration::from_secs(1);

/// By how much the clock on the wall may differ from the steady one between two looks.
const TOLERANCE_MICROS: u128 = 60_000_000;

/// So many looks in a row must find the clock even before it is trusted again after a jump: an hour of them.
const EVEN_LOOKS: u32 = 60;

/// Both clocks, read at once.
#[derive(Debug, Clone, Copy)]
struct Reading {
    wall: Timestamp,
    steady: Instant,
}

impl Reading {
    fn of(sweep: &Sweep) -> Self {
        Self { wall: sweep.clock.now(), steady: Instant::now() }
    }

    /// Whether both clocks went on alike since an earlier reading.
    fn goes_on_from(self, before: Self) -> bool {
        let walked = i128::from(self.wall.0) - i128::from(before.wall.0);
        let elapsed = self.steady.saturating_duration_since(before.steady).as_micros();
        i128::try_from(elapsed).is_ok_and(|elapsed| walked.abs_diff(elapsed) <= TOLERANCE_MICROS)
    }
}

/// Compares the clock on the wall with the steady one, from look to look.
///
/// After a jump nobody knows which of the two times was the right one. So what the clock said before it is kept: the
/// clock is trusted again when it agrees with that, because the jump was undone, or when nobody has touched it for
/// long.
struct Pace {
    trusted: Reading,
    last: Reading,
    /// Looks since the last jump that found it even.
    even_looks: u32,
}

impl Pace {
    const fn new(now: Reading) -> Self {
        Self { trusted: now, last: now, even_looks: 0 }
    }

    /// Whether the time on the wall is to be trusted.
    fn trusts(&mut self, now: Reading) -> bool {
        let is_even = now.goes_on_from(self.last);
        self.last = now;
        self.even_looks = if is_even { self.even_looks.saturating_add(1) } else { 0 };
        let is_trusted = now.goes_on_from(self.trusted) || self.even_looks >= EVEN_LOOKS;
        if is_trusted {
            self.trusted = now;
        }
        is_trusted
    }
}

/// Says that it is time to stop.
#[derive(Default)]
struct Signal {
    must_stop: Mutex<bool>,
    said: Condvar,
    cancel: CancelToken,
}

impl Signal {
    fn stop(&self) {
        self.cancel.cancel();
        *self.must_stop.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.said.notify_all();
    }

    /// Pauses; false when it is time to stop.
    fn pause(&self, pause: Duration) -> bool {
        let must_stop = self.must_stop.lock().unwrap_or_else(PoisonError::into_inner);
        let (must_stop, _) = self
            .said
            .wait_timeout_while(must_stop, pause, |must_stop| !*must_stop)
            .unwrap_or_else(PoisonError::into_inner);
        !*must_stop
    }
}

/// A thread that runs.
struct Sweeper {
    signal: Arc<Signal>,
    thread: JoinHandle<()>,
}

impl Sweeper {
    fn start(sweep: Sweep, interval: Duration) -> Result<Self> {
        let signal = Arc::new(Signal::default());
        let heard = Arc::clone(&signal);
        // Read when the store is opened, not when the thread comes to run.
        let pace = Pace::new(Reading::of(&sweep));
        let thread = thread::Builder::new()
            .name("recollect-sweep".to_owned())
            .spawn(move || run(&sweep, pace, interval, &heard))
            .map_err(|error| Error::io("the sweeper cannot be started").with_source(error))?;
        Ok(Self { signal, thread })
    }

    /// Stops the thread and waits for it: for at most the end of one commit.
    fn stop(self) {
        self.signal.stop();
        // It can only have panicked; the store is closed all the same.
        let _ended = self.thread.join();
    }
}

fn run(sweep: &Sweep, mut pace: Pace, interval: Duration, signal: &Signal) {
    let call = Call::unlimited().with_cancel(signal.cancel.clone());
    while signal.pause(interval) {
        if !pace.trusts(Reading::of(sweep)) {
            continue;
        }
        match sweep.run_patiently(&call, PATIENCE) {
            Err(error) if error.code() == ErrorCode::Closed => return,
            // Whatever stands in the way, the next look tries again, and callers are told by their own calls.
            Ok(_) | Err(_) => {}
        }
    }
}

/// What runs, if anything does.
#[derive(Default)]
struct Running {
    sweeper: Option<Sweeper>,
    /// Whether the store is closed, so that none is started any more.
    is_over: bool,
}

/// Where a store keeps its sweeper.
pub(crate) struct SweeperSlot {
    /// None where no thread sweeps.
    interval: Option<Duration>,
    running: Mutex<Running>,
    process: u32,
}

impl SweeperSlot {
    /// An empty slot.
    pub fn new(interval: Option<Duration>) -> Self {
        Self { interval, running: Mutex::default(), process: process::id() }
    }

    /// Starts the thread, unless there is to be none, or none any more, or it runs already.
    pub fn fill(&self, sweep: impl FnOnce() -> Sweep) -> Result<()> {
        let (Some(interval), true) = (self.interval, self.is_at_home()) else { return Ok(()) };
        let mut running = self.running();
        if running.sweeper.is_none() && !running.is_over {
            running.sweeper = Some(Sweeper::start(sweep(), interval)?);
        }
        Ok(())
    }

    /// Stops the thread, if it runs.
    pub fn empty(&self) {
        // In a forked child the thread is not there, and the mutex may be held by one that is not there either.
        if !self.is_at_home() {
            return;
        }
        let sweeper = self.running().sweeper.take();
        if let Some(sweeper) = sweeper {
            sweeper.stop();
        }
    }

    /// Stops the thread, if it runs, and starts none any more: the store is closed. Another close that failed may be
    /// about to start one.
    pub fn end(&self) {
        if self.is_at_home() {
            self.running().is_over = true;
        }
        self.empty();
    }

    fn is_at_home(&self) -> bool {
        self.process == process::id()
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SweeperSlot {
    fn drop(&mut self) {
        if self.is_at_home() {
            self.empty();
        } else if let Ok(running) = self.running.get_mut() {
            mem::forget(running.sweeper.take());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    const MINUTE: i64 = 60_000_000;
    const YEARS: i64 = 10 * 365 * 24 * 60 * MINUTE;

    /// Looks once a minute; the clock on the wall says what the minute of the look plus `ahead` is.
    struct Looks {
        pace: Pace,
        start: Instant,
        minute: u32,
    }

    impl Looks {
        fn new() -> Self {
            let start = Instant::now();
            Self { pace: Pace::new(Reading { wall: Timestamp(0), steady: start }), start, minute: 0 }
        }

        fn trusts(&mut self, ahead: i64) -> bool {
            self.minute += 1;
            let steady = self.start + Duration::from_mins(1) * self.minute;
            self.pace
                .trusts(Reading { wall: Timestamp((i64::from(self.minute) * MINUTE).saturating_add(ahead)), steady })
        }
    }

    #[test]
    fn small_steps_are_no_jump() {
        let mut looks = Looks::new();
        for ahead in [0, MINUTE, 0, MINUTE, 2 * MINUTE, 3 * MINUTE, 2 * MINUTE, 0] {
            assert_eq!(looks.trusts(ahead), ahead > 0 || looks.minute < 8, "{ahead}");
        }
    }

    #[test]
    fn a_jump_that_stays_is_not_believed_for_an_hour() {
        for ahead in [MINUTE + 1, YEARS, -YEARS, i64::MAX, i64::MIN] {
            let mut looks = Looks::new();
            assert!(looks.trusts(0));
            for _ in 0..60 {
                assert!(!looks.trusts(ahead), "minute {} of {ahead}", looks.minute);
            }
            if ahead.unsigned_abs() <= YEARS.unsigned_abs() {
                assert!(looks.trusts(ahead), "an hour of even pace");
                assert!(looks.trusts(ahead));
                assert!(!looks.trusts(0), "and that is the time now");
            }
        }
    }

    #[test]
    fn a_jump_that_is_undone_is_forgiven_at_once() {
        let mut looks = Looks::new();
        assert!(looks.trusts(0));
        assert!(!looks.trusts(YEARS));
        assert!(!looks.trusts(YEARS));
        assert!(looks.trusts(0));
        assert!(!looks.trusts(-YEARS));
        assert!(looks.trusts(MINUTE));
    }

    #[test]
    fn every_further_jump_begins_the_hour_anew() {
        let mut looks = Looks::new();
        for round in 1..10 {
            for _ in 0..40 {
                assert!(!looks.trusts(round * YEARS));
            }
        }
    }

    #[test]
    fn a_slot_that_has_ended_starts_nothing() {
        let store = crate::store::Store::open(
            crate::open::StoreOptions::new(recollect_storage::OpenOptions::memory()),
            &Call::unlimited(),
        )
        .unwrap();
        let slot = SweeperSlot::new(Some(Duration::from_mins(1)));
        slot.fill(|| store.sweeping()).unwrap();
        assert!(slot.running().sweeper.is_some());
        slot.end();
        slot.fill(|| store.sweeping()).unwrap();
        assert!(slot.running().sweeper.is_none());
    }
}
