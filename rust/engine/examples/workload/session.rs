//! One user of a store, and what was promised to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use recollect_engine::{Durability, OpenMode, OpenOptions, Store, StoreOptions};
use recollect_model::{Call, Clock, Error, Result, Timestamp};

use super::chance::Chance;
use super::embedder::ByteEmbedder;
use super::ledger::Ledger;

/// Microseconds.
pub const DAY: i64 = 86_400_000_000;
pub const UNDO_WINDOW: i64 = 30 * DAY;
const BEGINNING: i64 = 1_700_000_000_000_000;

/// A clock that moves only when it is told to.
pub struct StepClock(AtomicI64);

impl Clock for StepClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// One user of a store.
pub struct Session {
    path: PathBuf,
    durability: Durability,
    /// Frames in the log at which the checkpointer is woken.
    checkpoint_frames: u64,
    clock: Arc<StepClock>,
    pub(super) chance: Chance,
    store: Option<Store>,
    pub(super) made: u64,
    /// How often the background sweeper looks, if it runs.
    pub sweeper: Option<Duration>,
    /// What the calls promised so far.
    pub ledger: Ledger,
    /// What the store holds if the last step is done, whatever it answered; none if it was to change no item.
    pub intended: Option<Ledger>,
    /// For the test of the measure: so many failed steps are reported as done.
    pub lies: usize,
    /// For the test of the measure: updates are refused.
    pub is_refusing: bool,
    /// Words that stood in items which are purged, and nowhere else.
    pub purged: Vec<String>,
}

impl Session {
    pub fn new(path: &Path, durability: Durability, checkpoint_frames: u64, seed: u64) -> Self {
        Self {
            path: path.to_owned(),
            durability,
            checkpoint_frames,
            clock: Arc::new(StepClock(AtomicI64::new(BEGINNING))),
            chance: Chance::new(seed),
            store: None,
            made: 0,
            sweeper: None,
            ledger: Ledger::default(),
            intended: None,
            lies: 0,
            is_refusing: false,
            purged: Vec::new(),
        }
    }

    pub fn open(&mut self) -> Result<()> {
        let database = OpenOptions {
            mode: OpenMode::ReadWrite { create: true },
            durability: self.durability,
            checkpoint_frames: self.checkpoint_frames,
            readers: 2,
            // Small, so that reads go to the disk.
            cache_kib: 64,
            ..OpenOptions::file(&self.path)
        };
        let plain = StoreOptions::new(database);
        let options = StoreOptions {
            embedder: Some(Arc::new(ByteEmbedder::new())),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            sweep: self.sweeper.is_some(),
            sweep_interval: self.sweeper.unwrap_or(plain.sweep_interval),
            ..plain
        };
        self.store = Some(Store::open(options, &call())?);
        Ok(())
    }

    pub fn close(&mut self) -> Result<()> {
        match self.store.take() {
            Some(store) => store.close(&call()),
            None => Ok(()),
        }
    }

    pub const fn is_open(&self) -> bool {
        self.store.is_some()
    }

    pub fn store(&self) -> Result<&Store> {
        self.store.as_ref().ok_or_else(|| Error::closed("the store is closed"))
    }

    pub fn now(&self) -> i64 {
        self.clock.now().0
    }

    pub(super) fn wait(&self, micros: i64) {
        self.clock.0.fetch_add(micros, Ordering::SeqCst);
    }
}

/// No call of a program that must come to an end may take for ever.
pub fn call() -> Call {
    Call::unlimited().with_timeout(Duration::from_secs(20))
}
