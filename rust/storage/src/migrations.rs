//! The schema, one file of SQL per step, forward only.

use std::time::{SystemTime, UNIX_EPOCH};

use recollect_model::{Call, Error, Result};

use crate::connection::Connection;
use crate::pragmas;
use crate::value::params;

/// One step of the schema.
pub(crate) struct Migration {
    /// 1, 2, 3 …, as in the name of the file and in `PRAGMA user_version`.
    pub(crate) version: u32,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal,)*) => {
        &[$(Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../../../migrations/", $name, ".sql")),
        }),*]
    };
}

/// Every step, in order.
pub(crate) const ALL: &[Migration] = migrations![
    1 "0001_create_store",
    2 "0002_purge_and_sweep",
];

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations (
  version INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  hash BLOB NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT";

/// The version of the newest step.
pub(crate) fn newest(all: &[Migration]) -> u32 {
    all.last().map_or(0, |migration| migration.version)
}

/// Whether the file holds nothing at all yet.
pub(crate) fn is_new(connection: &Connection) -> Result<bool> {
    let tables = connection.query_one("SELECT count(*) FROM sqlite_schema", &[], |row| row.integer(0))?;
    Ok(tables == Some(0))
}

/// Which step a store has come to. Refuses one that knows steps which `all` does not, or knows them otherwise.
pub(crate) fn check(connection: &Connection, all: &[Migration]) -> Result<u32> {
    let stored = pragmas::get(connection, "user_version")?;
    let newest = newest(all);
    if stored > i64::from(newest) {
        return Err(newer(stored, newest));
    }
    if is_new(connection)? {
        return Ok(0);
    }
    let bookkeeping = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'";
    if connection.query_one(bookkeeping, &[], |row| row.integer(0))? != Some(1) {
        return Err(damaged("it does not say which schema it has"));
    }
    let rows = connection.query("SELECT version, name, hash FROM migrations ORDER BY version", &[], |row| {
        Ok((row.integer(0)?, row.text(1)?, row.bytes::<32>(2)?))
    })?;
    for (position, (version, name, hash)) in rows.iter().enumerate() {
        let Some(known) = all.get(position) else {
            return Err(newer(*version, newest));
        };
        if *version != i64::from(known.version) || *name != known.name {
            return Err(damaged(&format!("it lists the step {name:?} as number {version}")));
        }
        if *hash != digest(known) {
            return Err(Error::unsupported(format!(
                "the schema of the store was made by another form of {} than this release has",
                known.name
            ))
            .with_hint("open the store with the release that made it, and export it from there"));
        }
    }
    let reached = rows.last().map_or(0, |(version, ..)| *version);
    if reached != stored {
        return Err(damaged(&format!("it says version {stored} and lists steps to {reached}")));
    }
    u32::try_from(reached).map_err(|_| damaged("its version is negative"))
}

/// Applies what is missing, each step in one transaction with its own row. The caller holds the guard.
pub(crate) fn apply(connection: &Connection, all: &[Migration], reached: u32, call: &Call) -> Result<()> {
    for migration in all.iter().filter(|migration| migration.version > reached) {
        connection.begin(call, "BEGIN IMMEDIATE")?;
        let outcome = apply_one(connection, migration).and_then(|()| connection.check_alive());
        match outcome {
            Ok(()) => connection.end("COMMIT")?,
            Err(error) => {
                connection.end("ROLLBACK")?;
                return Err(error);
            }
        }
    }
    Ok(())
}

fn apply_one(connection: &Connection, migration: &Migration) -> Result<()> {
    connection.script(TABLE)?;
    connection.script(migration.sql)?;
    connection.execute(
        "INSERT INTO migrations (version, name, hash, applied_at) VALUES (?1, ?2, ?3, ?4)",
        params![migration.version, migration.name, digest(migration), now()],
    )?;
    pragmas::set(connection, "user_version", i64::from(migration.version))
}

fn digest(migration: &Migration) -> [u8; 32] {
    *blake3::hash(migration.sql.as_bytes()).as_bytes()
}

/// Microseconds since 1970. A row of the log of migrations is for people; nothing depends on it.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

fn newer(version: i64, newest: u32) -> Error {
    Error::unsupported(format!(
        "the store has schema version {version}, and this release knows versions up to {newest}"
    ))
    .with_hint("update recollect")
}

fn damaged(what: &str) -> Error {
    Error::corrupt(format!("the schema of the store is damaged: {what}"))
}
