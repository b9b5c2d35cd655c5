//! The settings of a connection. Each is set, and read back: libSQL ignores what it does not know.

use recollect_model::{Error, Result};

use crate::connection::Connection;
use crate::options::{Durability, OpenOptions};

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Commits and checkpoints.
    Writer,
    /// Reads.
    Reader,
    /// Does everything for a store in memory.
    Memory,
}

/// Applies every setting that belongs to a connection.
pub(crate) fn apply(connection: &Connection, options: &OpenOptions, role: Role) -> Result<()> {
    let mut settings = vec![
        // First, since it uses the hook that counts frames.
        ("wal_autocheckpoint", 0),
        ("busy_timeout", 0),
        ("foreign_keys", 1),
        ("synchronous", synchronous(options.durability)),
        ("cache_size", -i64::from(options.cache_kib)),
        // In memory.
        ("temp_store", 2),
        ("secure_delete", 1),
        ("trusted_schema", 0),
        ("cell_size_check", 1),
        ("recursive_triggers", 1),
    ];
    if role != Role::Memory {
        let bytes = i64::try_from(options.mmap_bytes)
            .map_err(|_| Error::invalid(format!("{} bytes cannot be mapped", options.mmap_bytes)))?;
        settings.push(("mmap_size", bytes));
    }
    if role == Role::Reader {
        settings.push(("query_only", 1));
    }
    for (name, value) in settings {
        set(connection, name, value)?;
    }
    if role == Role::Writer {
        connection.handle().watch_wal();
    }
    Ok(())
}

/// Sets one number and reads it back.
pub(crate) fn set(connection: &Connection, name: &str, value: i64) -> Result<()> {
    connection.script(&format!("PRAGMA {name} = {value}"))?;
    let is = get(connection, name)?;
    if is == value {
        return Ok(());
    }
    Err(Error::unsupported(format!("libSQL keeps the setting {name} at {is} instead of {value}")))
}

/// Reads one number.
pub(crate) fn get(connection: &Connection, name: &str) -> Result<i64> {
    connection
        .query_one_dynamic(&format!("PRAGMA {name}"), &[], |row| row.integer(0))?
        .ok_or_else(|| Error::internal(format!("libSQL does not know the setting {name}")))
}

/// Switches the file to the write-ahead log, for good.
pub(crate) fn use_wal(connection: &Connection) -> Result<()> {
    // To its end: it is only then that the change is committed, and can fail.
    let modes = connection.query("PRAGMA journal_mode = WAL", &[], |row| row.text(0))?;
    match modes.first().map(String::as_str) {
        Some("wal") => Ok(()),
        mode => Err(Error::unsupported(format!("the store cannot use a write-ahead log (it stays at {mode:?})"))),
    }
}

fn synchronous(durability: Durability) -> i64 {
    match durability {
        Durability::Full => 2,
        Durability::Normal => 1,
        #[cfg(feature = "amplifier")]
        Durability::Off => 0,
    }
}
