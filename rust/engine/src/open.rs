//! Opening and closing a store.

use std::sync::Arc;
use std::time::Duration;

use recollect_model::{Call, Clock, Error, Result, Space, SystemClock, check_project};
use recollect_storage::rows::{meta, spaces};
use recollect_storage::{Database, OpenOptions};

use crate::embedder::Embedder;
use crate::space;
use crate::store::{Settings, Store};
use crate::validate;

/// How to open a store.
pub struct StoreOptions {
    /// Where it is and how it is kept.
    pub database: OpenOptions,
    /// What turns text into vectors; none leaves text searches unanswered.
    pub embedder: Option<Arc<dyn Embedder>>,
    /// The space of vectors that the caller brings, where there is no embedder.
    pub space: Option<Space>,
    /// Whether an embedder of another space than the store's is an error; if not, the store opens without it.
    pub require_space: bool,
    /// The project of calls that name none.
    pub default_project: String,
    /// Who is written down as having done what is done through this handle.
    pub principal: String,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// Whether a thread of this handle removes what has expired and what was deleted longer ago than the undo window
    /// lasts. It never runs where the store is opened read-only.
    pub sweep: bool,
    /// How long that thread waits before it looks for the first time, and between looks.
    pub sweep_interval: Duration,
}

impl StoreOptions {
    /// The defaults: no embedder, the root project, the owner, the clock of the machine, a sweep every minute.
    pub fn new(database: OpenOptions) -> Self {
        Self {
            database,
            embedder: None,
            space: None,
            require_space: true,
            default_project: String::new(),
            principal: "owner".to_owned(),
            clock: Arc::new(SystemClock),
            sweep: true,
            sweep_interval: Duration::from_mins(1),
        }
    }
}

impl Store {
    /// Opens a store, and makes it if there is none and the options allow it.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for malformed options, `Conflict` for an embedder of another space than the store's, and
    /// whatever [`Database::open`] fails with.
    pub fn open(options: StoreOptions, call: &Call) -> Result<Self> {
        check_project(&options.default_project)?;
        validate::name("principal", &options.principal)?;
        let mut embedder = options.embedder;
        let mut declared = options.space;
        if let Some(space) = embedder.as_ref().map(|embedder| embedder.space()).or(declared.as_ref()) {
            space::check(space)?;
        }
        if embedder.is_some() && declared.is_some() {
            return Err(Error::invalid("an embedder and a space of given vectors exclude each other"));
        }
        let database = Database::open(options.database, call)?;
        let snapshot = database.read(call)?;
        let identity = meta::read(&snapshot)?;
        let settings = Settings::read(&snapshot)?;
        let active = spaces::active(&snapshot)?;
        drop(snapshot);
        if let Some((_, active)) = &active {
            let wanted = embedder.as_ref().map(|embedder| embedder.space()).or(declared.as_ref());
            if let Some(wanted) = wanted
                && let Err(mismatch) = space::check_same(active, wanted)
            {
                if options.require_space {
                    let _ = database.close(call);
                    return Err(mismatch);
                }
                embedder = None;
                declared = None;
            }
        }
        let sweep_interval = (options.sweep && !database.is_read_only()).then_some(options.sweep_interval);
        Self::assemble(
            Arc::new(database),
            identity.store_uuid,
            settings,
            embedder,
            declared,
            options.default_project,
            options.principal,
            options.clock,
            sweep_interval,
        )
    }
}
