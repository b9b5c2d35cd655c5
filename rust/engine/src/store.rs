//! The store: what its calls share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use recollect_chunk::Settings as ChunkSettings;
use recollect_model::{Call, Clock, Result, Space, Timestamp};
use recollect_storage::rows::{meta, settings, spaces};
use recollect_storage::{Checkpoint, Connection, Database};
use serde::Deserialize;

use crate::embedder::Embedder;
use crate::index::Index;
use crate::near_duplicates::NearDuplicates;
use crate::sweep::Sweep;
use crate::sweeper::SweeperSlot;

/// Settings that live in the database, because they alter stored bytes or answers.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub chunking: ChunkSettings,
    pub undo_window_micros: i64,
    pub default_tier: String,
    pub near_duplicate_similarity: f32,
}

#[derive(Deserialize)]
struct Chunking {
    target_bytes: usize,
    max_bytes: usize,
}

impl Settings {
    pub fn read(connection: &Connection) -> Result<Self> {
        let Chunking { target_bytes, max_bytes } = settings::read(connection, "chunking")?;
        let chunking = ChunkSettings { target_bytes, max_bytes };
        chunking.check()?;
        let undo_window_seconds: i64 = settings::read(connection, "undo_window_seconds")?;
        Ok(Self {
            chunking,
            undo_window_micros: undo_window_seconds.saturating_mul(1_000_000),
            default_tier: settings::read(connection, "default_tier")?,
            near_duplicate_similarity: settings::read(connection, "near_duplicate_similarity")?,
        })
    }
}

/// A store of rules, docs and refs. Threads may share it.
pub struct Store {
    pub(crate) database: Arc<Database>,
    pub(crate) uuid: [u8; 16],
    pub(crate) settings: Settings,
    pub(crate) embedder: Option<Arc<dyn Embedder>>,
    pub(crate) declared: Option<Space>,
    pub(crate) default_project: String,
    pub(crate) principal: String,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) index: Index,
    near_duplicates: Mutex<NearDuplicates>,
    sweeper: SweeperSlot,
}

impl Store {
    #[expect(clippy::too_many_arguments, reason = "called once, by open, with what the fields are")]
    pub(crate) fn assemble(
        database: Arc<Database>,
        uuid: [u8; 16],
        settings: Settings,
        embedder: Option<Arc<dyn Embedder>>,
        declared: Option<Space>,
        default_project: String,
        principal: String,
        clock: Arc<dyn Clock>,
        sweep_interval: Option<Duration>,
    ) -> Result<Self> {
        let store = Self {
            database,
            uuid,
            settings,
            embedder,
            declared,
            default_project,
            principal,
            clock,
            index: Index::default(),
            near_duplicates: Mutex::default(),
            sweeper: SweeperSlot::new(sweep_interval),
        };
        store.sweeper.fill(|| store.sweeping())?;
        Ok(store)
    }

    /// What a sweep of this handle needs.
    pub(crate) fn sweeping(&self) -> Sweep {
        Sweep {
            database: Arc::clone(&self.database),
            clock: Arc::clone(&self.clock),
            principal: self.principal.clone(),
            undo_window_micros: self.settings.undo_window_micros,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn near_duplicates(&self) -> MutexGuard<'_, NearDuplicates> {
        self.near_duplicates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The space that this handle writes vectors of: its embedder's, or the one its caller declared.
    pub(crate) fn wanted_space(&self) -> Option<&Space> {
        self.embedder.as_ref().map(|embedder| embedder.space()).or(self.declared.as_ref())
    }

    /// The identity that was given when the store was made.
    pub const fn uuid(&self) -> &[u8; 16] {
        &self.uuid
    }

    /// That identity, as text.
    pub fn uuid_text(&self) -> String {
        uuid::Uuid::from_bytes(self.uuid).to_string()
    }

    /// The project of calls that name none.
    pub fn default_project(&self) -> &str {
        &self.default_project
    }

    /// Whether text can be turned into vectors.
    pub const fn embeds(&self) -> bool {
        self.embedder.is_some()
    }

    /// The space of the store's vectors, or the one that its first vectors will make.
    ///
    /// # Errors
    ///
    /// Whatever reading fails with.
    pub fn space(&self, call: &Call) -> Result<Option<Space>> {
        let snapshot = self.database.read(call)?;
        Ok(spaces::active(&snapshot)?.map(|(_, space)| space).or_else(|| self.wanted_space().cloned()))
    }

    /// The number of the last commit.
    ///
    /// # Errors
    ///
    /// Whatever reading fails with.
    pub fn seq(&self, call: &Call) -> Result<u64> {
        meta::seq(&*self.database.read(call)?)
    }

    /// Moves what is in the log into the database file.
    ///
    /// # Errors
    ///
    /// `Locked` or `Timeout` if the guard is not to be had in time.
    pub fn checkpoint(&self, call: &Call) -> Result<Checkpoint> {
        self.database.checkpoint(call)
    }

    /// Closes the store. Closing it again does nothing.
    ///
    /// # Errors
    ///
    /// `Locked` if calls are still running when the time is over.
    pub fn close(&self, call: &Call) -> Result<()> {
        self.sweeper.empty();
        let closed = self.database.close(call);
        if closed.is_ok() {
            self.sweeper.end();
        } else {
            // The store stays open, and what is due in it is to be swept. Without a thread to be had, others do it.
            let _started = self.sweeper.fill(|| self.sweeping());
        }
        closed
    }

    /// The database underneath.
    pub fn database(&self) -> &Database {
        &self.database
    }
}
