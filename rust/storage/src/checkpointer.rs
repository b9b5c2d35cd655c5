//! The background checkpointer: it keeps the write-ahead log short, under the guard.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use recollect_model::{Call, CancelToken, Error, Result};

use crate::core::Core;
use crate::raw::CheckpointMode;

/// The first and the longest pause after a checkpoint that found somebody in the way.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(250));

/// How long the guard is held at most to cut the log, and the pause after that was in vain: where a reader stays for
/// long, others wait for this a tenth of the time at most.
const CUT_LIMIT: Duration = Duration::from_millis(100);
const PAUSE_AFTER_CUT: Duration = Duration::from_secs(1);

/// A log of that many times the usual length is cut to nothing once it is copied; before, it is written over again,
/// which spares the file system the work.
const CUT_FACTOR: u64 = 8;

/// What commits and the closing store say to the checkpointer.
#[derive(Default)]
pub(crate) struct Signal {
    wish: Mutex<Wish>,
    said: Condvar,
    cancel: CancelToken,
}

#[derive(Default)]
struct Wish {
    is_wanted: bool,
    must_stop: bool,
    /// Frames in the log after the last checkpoint.
    counted_from: u64,
}

impl Signal {
    /// A commit left that many frames in the log. Wakes the checkpointer when `distance` frames have come since the
    /// last checkpoint.
    pub(crate) fn committed(&self, frames: u64, distance: u64) {
        let mut wish = self.wish();
        if frames < wish.counted_from {
            // The log began anew.
            wish.counted_from = 0;
        }
        if frames - wish.counted_from >= distance && !wish.is_wanted {
            wish.is_wanted = true;
            drop(wish);
            self.said.notify_all();
        }
    }

    fn checkpointed(&self, log_frames: u64) {
        self.wish().counted_from = log_frames;
    }

    fn stop(&self) {
        self.cancel.cancel();
        self.wish().must_stop = true;
        self.said.notify_all();
    }

    /// Waits until a checkpoint is wanted; false when it is time to stop.
    fn wait(&self) -> bool {
        let wish = self.wish();
        let mut wish = self
            .said
            .wait_while(wish, |wish| !wish.is_wanted && !wish.must_stop)
            .unwrap_or_else(PoisonError::into_inner);
        wish.is_wanted = false;
        !wish.must_stop
    }

    /// Pauses; false when it is time to stop.
    fn pause(&self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        let mut wish = self.wish();
        while !wish.must_stop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            wish = self.said.wait_timeout(wish, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }

    fn wish(&self) -> MutexGuard<'_, Wish> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread.
pub(crate) struct Checkpointer {
    thread: JoinHandle<()>,
}

impl Checkpointer {
    pub(crate) fn start(core: Arc<Core>) -> Result<Self> {
        let thread = thread::Builder::new()
            .name("recollect-checkpoint".to_owned())
            .spawn(move || run(&core))
            .map_err(|error| Error::io("the checkpointer cannot be started").with_source(error))?;
        Ok(Self { thread })
    }

    /// Stops the thread and waits for it: for at most one checkpoint, never for the guard.
    pub(crate) fn stop(self, signal: &Signal) {
        signal.stop();
        // It can only have panicked; the store is closed all the same.
        let _ended = self.thread.join();
    }
}

fn run(core: &Core) {
    let signal = core.signal();
    let call = Call::unlimited().with_cancel(signal.cancel.clone());
    let mut pause = PAUSES.0;
    while signal.wait() {
        loop {
            match attempt(core, &call) {
                Attempt::Done => {
                    pause = PAUSES.0;
                    break;
                }
                Attempt::InTheWay => pause = (pause * 2).min(PAUSES.1),
                Attempt::Uncut => pause = PAUSE_AFTER_CUT,
            }
            if core.writer.as_ref().is_some_and(|writer| writer.loss().check().is_err()) {
                return;
            }
            if !signal.pause(pause) {
                return;
            }
        }
    }
}

/// How an attempt ended.
enum Attempt {
    /// Everything there was is in the file, and the log is short.
    Done,
    /// Somebody was in the way, or it failed.
    InTheWay,
    /// The log is long, and readers used it for as long as the guard was held.
    Uncut,
}

/// One checkpoint, and where the log has grown long, its end.
fn attempt(core: &Core, call: &Call) -> Attempt {
    let Ok(Some(lease)) = core.checkpoint_lease(call) else { return Attempt::InTheWay };
    let Ok(outcome) = core.checkpoint_by(&lease, CheckpointMode::Full) else { return Attempt::InTheWay };
    core.signal().checkpointed(outcome.log_frames);
    if outcome.log_frames < core.options().checkpoint_frames.saturating_mul(CUT_FACTOR) {
        return if outcome.is_complete() { Attempt::Done } else { Attempt::InTheWay };
    }
    let Ok(outcome) = core.cut_by(&lease, CUT_LIMIT, call) else { return Attempt::InTheWay };
    core.signal().checkpointed(outcome.log_frames);
    if outcome.is_complete() { Attempt::Done } else { Attempt::Uncut }
}
