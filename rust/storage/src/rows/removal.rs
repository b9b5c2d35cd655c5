//! Removing items for good, and what is known of them afterwards.

use recollect_model::{Error, ItemId, Kind, Result, Timestamp};

use crate::connection::Connection;
use crate::rows::{spaces, tags};
use crate::value::params;

/// How much of an item was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// Its versions, the current one included.
    pub versions: u32,
    /// Its chunks, dead ones included.
    pub chunks: u32,
}

/// An item that a sweep removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Its row id.
    pub row: u32,
    /// Its id.
    pub id: ItemId,
    /// What it is.
    pub kind: Kind,
    /// Whether it has expired; otherwise its undo window has closed.
    pub is_expired: bool,
}

/// The times that decide what a sweep removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// What expires at this time or before is due.
    pub expired: Timestamp,
    /// What was deleted before this time is due.
    pub deleted: Timestamp,
}

/// The row id of an item of a kind, deleted or not.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn row_of(connection: &Connection, kind: Kind, id: ItemId) -> Result<Option<u32>> {
    connection.query_one(
        "SELECT id FROM items WHERE uid = ?1 AND kind = ?2",
        params![*id.as_bytes(), kind.number()],
        |row| row.id(0),
    )
}

/// Whether an item of a kind was there and is gone for good.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn is_gone(connection: &Connection, kind: Kind, id: ItemId) -> Result<bool> {
    let found = connection.query_one(
        "SELECT 1 FROM purged_items WHERE uid = ?1 AND kind = ?2",
        params![*id.as_bytes(), kind.number()],
        |row| row.integer(0),
    )?;
    Ok(found.is_some())
}

/// The row id and the id of an item if it has expired by then.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn expired(connection: &Connection, row: u32, by: Timestamp) -> Result<Option<(u32, ItemId)>> {
    connection.query_one("SELECT uid FROM items WHERE id = ?1 AND expires_at <= ?2", params![row, by.0], |found| {
        Ok((row, ItemId::from_bytes(&found.bytes::<16>(0)?)?))
    })
}

/// Whether an item of any kind was ever committed, be it gone for good by now.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn is_known(connection: &Connection, id: ItemId) -> Result<bool> {
    let found = connection.query_one(
        "SELECT EXISTS (SELECT 1 FROM items WHERE uid = ?1) OR EXISTS (SELECT 1 FROM purged_items WHERE uid = ?1)",
        params![*id.as_bytes()],
        |row| row.integer(0),
    )?;
    Ok(found == Some(1))
}

/// Removes everything of an item: its row, its content, its tags, its chunks, their vectors in every space, and its
/// older versions; and the projects that only it was in, and the names of tags that only it had, now or in an older
/// version. Its id stays known.
///
/// # Errors
///
/// Whatever the statements can fail with.
pub fn remove(connection: &Connection, row: u32, id: ItemId, kind: Kind) -> Result<Removed> {
    let projects = connection.query(
        "SELECT project FROM items WHERE id = ?1
         UNION SELECT json_extract(record, '$.project') FROM item_versions WHERE item = ?1 AND json_valid(record)",
        params![row],
        |found| found.optional_integer(0),
    )?;
    let mut names = tags::of_item(connection, row)?;
    names.extend(tags::of_versions(connection, row)?);
    for (space, _) in spaces::all(connection)? {
        connection.execute_dynamic(
            &format!("DELETE FROM vectors_{space} WHERE chunk_id IN (SELECT id FROM chunks WHERE item = ?1)"),
            params![row],
        )?;
    }
    let versions = connection.execute("DELETE FROM item_versions WHERE item = ?1", params![row])?;
    let chunks = connection.execute("DELETE FROM chunks WHERE item = ?1", params![row])?;
    connection.execute("DELETE FROM item_tags WHERE item = ?1", params![row])?;
    connection.execute("DELETE FROM rules WHERE item = ?1", params![row])?;
    connection.execute("DELETE FROM docs WHERE item = ?1", params![row])?;
    connection.execute("DELETE FROM refs WHERE item = ?1", params![row])?;
    connection.execute("DELETE FROM items WHERE id = ?1", params![row])?;
    connection.execute(
        "INSERT INTO purged_items (item, uid, kind) VALUES (?1, ?2, ?3)",
        params![row, *id.as_bytes(), kind.number()],
    )?;
    for project in projects.into_iter().flatten() {
        // The root is there in every store.
        connection.execute(
            "DELETE FROM projects
             WHERE id = ?1 AND id <> 1 AND NOT EXISTS (SELECT 1 FROM items WHERE project = projects.id)",
            params![project],
        )?;
    }
    for tag in names {
        tags::forget_unused(connection, tag)?;
    }
    Ok(Removed { versions: count(versions + 1)?, chunks: count(chunks)? })
}

fn count(rows: u64) -> Result<u32> {
    u32::try_from(rows).map_err(|_| Error::corrupt("an item with more than 2^32 parts is stored"))
}

/// Whether a sweep would remove anything. Two look-ups in indexes.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn is_any_due(connection: &Connection, deadlines: Deadlines) -> Result<bool> {
    let found = connection.query_one(
        "SELECT EXISTS (SELECT 1 FROM items INDEXED BY items_by_expiry WHERE expires_at <= ?1)
             OR EXISTS (SELECT 1 FROM items INDEXED BY items_by_deletion WHERE deleted_at < ?2)",
        params![deadlines.expired.0, deadlines.deleted.0],
        |row| row.integer(0),
    )?;
    Ok(found == Some(1))
}

/// The items that a sweep removes, at most `limit` of them.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn due(connection: &Connection, deadlines: Deadlines, limit: usize) -> Result<Vec<Due>> {
    connection.query(
        "SELECT id, uid, kind, ifnull(expires_at <= ?1, 0) FROM items WHERE id IN (
           SELECT id FROM (SELECT id FROM items INDEXED BY items_by_expiry WHERE expires_at <= ?1 LIMIT ?3)
           UNION
           SELECT id FROM (SELECT id FROM items INDEXED BY items_by_deletion WHERE deleted_at < ?2 LIMIT ?3)
         ) ORDER BY id LIMIT ?3",
        params![deadlines.expired.0, deadlines.deleted.0, limit],
        |row| {
            Ok(Due {
                row: row.id(0)?,
                id: ItemId::from_bytes(&row.bytes::<16>(1)?)?,
                kind: Kind::from_number(row.integer(2)?)?,
                is_expired: row.integer(3)? != 0,
            })
        },
    )
}
