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

/// How long a look waits for others that write.
const PATIENCE: Duration = Duration::from_secs(1);

/// By how much the clock on the wall may differ from the steady one between two looks.
const TOLERANCE_MICROS: u128 = 60_000_000;

/// Compares the clock on the wall with the steady one, from look to look.
struct Pace {
    wall: Timestamp,
    steady: Instant,
}

impl Pace {
    /// Whether both clocks went on alike since they were read last.
    fn is_even(&mut self, wall: Timestamp, steady: Instant) -> bool {
        let before = mem::replace(self, Self { wall, steady });
        let walked = i128::from(wall.0) - i128::from(before.wall.0);
        let elapsed = steady.saturating_duration_since(before.steady).as_micros();
        i128::try_from(elapsed).is_ok_and(|elapsed| walked.abs_diff(elapsed) <= TOLERANCE_MICROS)
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
        let thread = thread::Builder::new()
            .name("recollect-sweep".to_owned())
            .spawn(move || run(&sweep, interval, &heard))
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

fn run(sweep: &Sweep, interval: Duration, signal: &Signal) {
    let mut pace = Pace { wall: sweep.clock.now(), steady: Instant::now() };
    while signal.pause(interval) {
        if !pace.is_even(sweep.clock.now(), Instant::now()) {
            continue;
        }
        let call = Call::unlimited().with_cancel(signal.cancel.clone()).with_timeout(PATIENCE);
        match sweep.run(&call) {
            Err(error) if error.code() == ErrorCode::Closed => return,
            // Whatever stands in the way, the next look tries again, and callers are told by their own calls.
            Ok(_) | Err(_) => {}
        }
    }
}

/// Where a store keeps its sweeper.
pub(crate) struct SweeperSlot {
    /// None where no thread sweeps.
    interval: Option<Duration>,
    running: Mutex<Option<Sweeper>>,
    process: u32,
}

impl SweeperSlot {
    /// An empty slot.
    pub fn new(interval: Option<Duration>) -> Self {
        Self { interval, running: Mutex::new(None), process: process::id() }
    }

    /// Starts the thread, unless there is to be none or it runs already.
    pub fn fill(&self, sweep: impl FnOnce() -> Sweep) -> Result<()> {
        let (Some(interval), true) = (self.interval, self.is_at_home()) else { return Ok(()) };
        let mut running = self.running();
        if running.is_none() {
            *running = Some(Sweeper::start(sweep(), interval)?);
        }
        Ok(())
    }

    /// Stops the thread, if it runs.
    pub fn empty(&self) {
        // In a forked child the thread is not there, and the mutex may be held by one that is not there either.
        if !self.is_at_home() {
            return;
        }
        let sweeper = self.running().take();
        if let Some(sweeper) = sweeper {
            sweeper.stop();
        }
    }

    fn is_at_home(&self) -> bool {
        self.process == process::id()
    }

    fn running(&self) -> MutexGuard<'_, Option<Sweeper>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SweeperSlot {
    fn drop(&mut self) {
        if self.is_at_home() {
            self.empty();
        } else if let Ok(running) = self.running.get_mut() {
            mem::forget(running.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    #[test]
    fn a_jump_of_the_clock_is_noticed_once() {
        let start = Instant::now();
        let mut pace = Pace { wall: Timestamp(0), steady: start };
        let mut look = |wall: i64, seconds: u64| pace.is_even(Timestamp(wall), start + Duration::from_secs(seconds));
        assert!(look(MINUTE, 60));
        assert!(look(3 * MINUTE, 120), "a minute too far");
        assert!(look(3 * MINUTE, 180), "a minute too little");
        assert!(!look(5 * MINUTE + 1, 240), "more than that");
        assert!(look(6 * MINUTE, 300));
        assert!(!look(-MINUTE, 360), "backwards");
        assert!(look(0, 420));
        assert!(!look(i64::MAX, 480));
        assert!(!look(i64::MIN, 540));
    }
}
