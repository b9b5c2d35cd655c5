//! The one row that says which store this is and how far it has come.

use recollect_model::{Error, Result, Timestamp};

use crate::connection::Connection;
use crate::value::params;

/// The identity and the counters of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// Given when the store was made.
    pub store_uuid: [u8; 16],
    /// Raised by a restore.
    pub generation: u64,
    /// The number of the last commit.
    pub seq: u64,
    /// BLAKE3-256 chained over the change log.
    pub log_digest: [u8; 32],
    /// The row id that the next new item gets.
    pub next_item: u32,
    /// The id that the next new chunk gets.
    pub next_chunk: u32,
    /// When the store was made.
    pub created_at: Timestamp,
}

/// Reads the row.
///
/// # Errors
///
/// `Corrupt` if it is missing or malformed.
pub fn read(connection: &Connection) -> Result<Meta> {
    connection
        .query_one(
            "SELECT store_uuid, generation, seq, log_digest, next_item, next_chunk, created_at FROM meta WHERE id = 1",
            params![],
            |row| {
                Ok(Meta {
                    store_uuid: row.bytes(0)?,
                    generation: row.unsigned(1)?,
                    seq: row.unsigned(2)?,
                    log_digest: row.bytes(3)?,
                    next_item: row.id(4)?,
                    next_chunk: row.id(5)?,
                    created_at: Timestamp(row.integer(6)?),
                })
            },
        )?
        .ok_or_else(|| Error::corrupt("the store has lost the row that identifies it"))
}

/// The number of the last commit.
///
/// # Errors
///
/// Whatever reading the row can fail with.
pub fn seq(connection: &Connection) -> Result<u64> {
    connection
        .query_one("SELECT seq FROM meta WHERE id = 1", params![], |row| row.unsigned(0))?
        .ok_or_else(|| Error::corrupt("the store has lost the row that identifies it"))
}

/// Writes the counters of a commit.
///
/// # Errors
///
/// Whatever the update can fail with.
pub fn advance(connection: &Connection, meta: &Meta) -> Result<()> {
    connection.execute(
        "UPDATE meta SET seq = ?1, log_digest = ?2, next_item = ?3, next_chunk = ?4 WHERE id = 1",
        params![meta.seq, meta.log_digest, meta.next_item, meta.next_chunk],
    )?;
    Ok(())
}
