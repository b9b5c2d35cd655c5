//! Whether the engine keeps the promise that the guard relies on.

use std::sync::atomic::{AtomicBool, Ordering};

use recollect_model::{Call, Error, Result};

use crate::connection::Connection;
use crate::errors::from_failure;
use crate::raw::{Access, CheckpointMode};

/// Once per process: a checkpoint that may not have the write lock must answer busy. An engine built otherwise would
/// run it without the lock. The caller holds the guard, and `writer` is idle.
pub(crate) fn check_engine(writer: &Connection, path: &str) -> Result<()> {
    static IS_PROVEN: AtomicBool = AtomicBool::new(false);
    if IS_PROVEN.load(Ordering::Acquire) {
        return Ok(());
    }
    let other = Connection::open(path, Access::ReadWrite)?;
    other.script("PRAGMA wal_autocheckpoint = 0")?;
    other.command("SELECT count(*) FROM sqlite_schema")?;
    writer.begin(&Call::unlimited(), "BEGIN IMMEDIATE")?;
    let outcome = other.handle().checkpoint(CheckpointMode::Truncate);
    writer.end("ROLLBACK")?;
    if outcome.map_err(|failure| from_failure(&failure, None))?.is_busy {
        IS_PROVEN.store(true, Ordering::Release);
        return Ok(());
    }
    Err(Error::unsupported("the engine was built so that a checkpoint runs without the write lock")
        .with_hint("build libsql-ffi with the feature libsql-disable-checkpoint-downgrade"))
}
