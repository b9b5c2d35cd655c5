//! Versions of items that were replaced.

use recollect_model::{Error, Operation, Result};

use crate::connection::Connection;
use crate::value::params;

/// A version that was replaced.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionRow {
    /// Its number.
    pub version: u32,
    /// The commit that made it.
    pub from_seq: u64,
    /// What that commit did.
    pub operation: Operation,
    /// The item, as JSON.
    pub record: String,
}

/// Keeps a version that the commit `to_seq` replaces.
///
/// # Errors
///
/// Whatever the statement can fail with.
pub fn insert(connection: &Connection, item: u32, row: VersionRow, to_seq: u64) -> Result<()> {
    connection.execute(
        "INSERT INTO item_versions (item, version, from_seq, to_seq, operation, record) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![item, row.version, row.from_seq, to_seq, row.operation.number(), row.record],
    )?;
    Ok(())
}

/// The replaced versions of an item, oldest first.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn of_item(connection: &Connection, item: u32) -> Result<Vec<VersionRow>> {
    connection.query(
        "SELECT version, from_seq, operation, record FROM item_versions WHERE item = ?1 ORDER BY version",
        params![item],
        |row| {
            Ok(VersionRow {
                version: u32::try_from(row.integer(0)?)
                    .map_err(|_| Error::corrupt("a version below zero is stored"))?,
                from_seq: row.unsigned(1)?,
                operation: Operation::from_number(row.integer(2)?)?,
                record: row.text(3)?,
            })
        },
    )
}
