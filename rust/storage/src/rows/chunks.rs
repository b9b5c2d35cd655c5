//! Chunks: the retrievable pieces of an item. Their content never changes.

use recollect_model::{ChunkId, Error, Result};

use crate::connection::Connection;
use crate::value::params;

/// A chunk to insert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChunk<'a> {
    /// Its id.
    pub id: ChunkId,
    /// The row id of its item.
    pub item: u32,
    /// Its place among the item's living chunks, from 0.
    pub ordinal: usize,
    /// Where it begins in the item's text, in characters.
    pub start: usize,
    /// Its length, in characters.
    pub characters: usize,
    /// The headings above it, as a JSON array.
    pub heading: &'a str,
    /// Its text.
    pub text: &'a str,
    /// BLAKE3-128 of heading and text.
    pub content_hash: [u8; 16],
    /// The commit that makes it.
    pub born: u64,
}

/// A living chunk, without its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Its id.
    pub id: ChunkId,
    /// Its place.
    pub ordinal: usize,
    /// Where it begins.
    pub start: usize,
    /// The hash of its content.
    pub content_hash: [u8; 16],
}

/// A chunk as a hit shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its text.
    pub text: String,
    /// The headings above it.
    pub heading: Vec<String>,
    /// Where it begins, in characters.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
}

/// Inserts a chunk.
///
/// # Errors
///
/// Whatever the statement can fail with.
pub fn insert(connection: &Connection, chunk: &NewChunk<'_>) -> Result<()> {
    connection.execute(
        "INSERT INTO chunks (id, item, ordinal, start, characters, heading, text, content_hash, born)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            chunk.id,
            chunk.item,
            chunk.ordinal,
            chunk.start,
            chunk.characters,
            chunk.heading,
            chunk.text,
            chunk.content_hash,
            chunk.born
        ],
    )?;
    Ok(())
}

/// Moves a living chunk to another place in its item's text.
///
/// # Errors
///
/// Whatever the statement can fail with.
pub fn place(connection: &Connection, id: ChunkId, ordinal: usize, start: usize) -> Result<()> {
    connection.execute("UPDATE chunks SET ordinal = ?2, start = ?3 WHERE id = ?1", params![id, ordinal, start])?;
    Ok(())
}

/// Ends the life of a chunk; it stays for older versions of its item.
///
/// # Errors
///
/// Whatever the statement can fail with.
pub fn end(connection: &Connection, id: ChunkId, died: u64) -> Result<()> {
    connection.execute("UPDATE chunks SET died = ?2 WHERE id = ?1", params![id, died])?;
    Ok(())
}

/// The living chunks of an item, in their order.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn living(connection: &Connection, item: u32) -> Result<Vec<Placed>> {
    connection.query(
        "SELECT id, ordinal, start, content_hash FROM chunks WHERE item = ?1 AND died IS NULL ORDER BY ordinal",
        params![item],
        |row| Ok(Placed { id: row.id(0)?, ordinal: row.size(1)?, start: row.size(2)?, content_hash: row.bytes(3)? }),
    )
}

/// The ids of all chunks of an item that are dead.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn dead(connection: &Connection, item: u32) -> Result<Vec<ChunkId>> {
    connection.query("SELECT id FROM chunks WHERE item = ?1 AND died IS NOT NULL", params![item], |row| row.id(0))
}

/// The text of an item: that of its living chunks, in order.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn text_of_item(connection: &Connection, item: u32) -> Result<String> {
    let mut text = String::new();
    connection.for_each(
        "SELECT text FROM chunks WHERE item = ?1 AND died IS NULL ORDER BY ordinal",
        params![item],
        |row| {
            let part = row.text(0)?;
            if text.is_empty() {
                text = part;
            } else {
                text.push_str(&part);
            }
            Ok(())
        },
    )?;
    Ok(text)
}

/// The text of some chunks, living or dead, in the order of the ids given.
///
/// # Errors
///
/// `Corrupt` if one is missing.
pub fn text_of(connection: &Connection, ids: &[ChunkId]) -> Result<String> {
    let mut text = String::new();
    for id in ids {
        let part = connection
            .query_one("SELECT text FROM chunks WHERE id = ?1", params![*id], |row| row.text(0))?
            .ok_or_else(|| Error::corrupt(format!("chunk {id} of an older version is missing")))?;
        text.push_str(&part);
    }
    Ok(text)
}

/// A chunk as a hit shows it.
///
/// # Errors
///
/// `Corrupt` if it is missing or malformed.
pub fn show(connection: &Connection, id: ChunkId) -> Result<Shown> {
    connection
        .query_one("SELECT text, heading, start, characters FROM chunks WHERE id = ?1", params![id], |row| {
            let start = row.unsigned(2)?;
            Ok(Shown { text: row.text(0)?, heading: row.json(1)?, start, end: start + row.unsigned(3)? })
        })?
        .ok_or_else(|| Error::corrupt(format!("chunk {id} is missing")))
}

/// Calls back with the content of every chunk, living or dead: item, heading, text, and the hash that was recorded.
///
/// # Errors
///
/// `Corrupt` for a malformed row, and whatever the callback fails with.
pub fn for_each_content(
    connection: &Connection,
    mut each: impl FnMut(u32, &[String], &str, [u8; 16]) -> Result<()>,
) -> Result<()> {
    connection.for_each("SELECT item, heading, text, content_hash FROM chunks ORDER BY id", params![], |row| {
        each(row.id(0)?, &row.json::<Vec<String>>(1)?, row.text_ref(2)?, row.bytes(3)?)
    })
}

/// Whether a chunk is there and living, and of which item.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn item_of_living(connection: &Connection, id: ChunkId) -> Result<Option<u32>> {
    connection.query_one(
        "SELECT c.item FROM chunks c JOIN items i ON i.id = c.item
         WHERE c.id = ?1 AND c.died IS NULL AND i.deleted_at IS NULL",
        params![id],
        |row| row.id(0),
    )
}

/// The living chunks of live items that have no vector in a space (or, without a space, all): id, heading, text.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn without_vector(
    connection: &Connection,
    space: Option<u32>,
    limit: usize,
) -> Result<Vec<(ChunkId, Vec<String>, String)>> {
    let absent = space.map_or_else(String::new, |space| {
        format!("AND NOT EXISTS (SELECT 1 FROM vectors_{space} v WHERE v.chunk_id = c.id)")
    });
    let sql = format!(
        "SELECT c.id, c.heading, c.text FROM chunks c JOIN items i ON i.id = c.item
         WHERE c.died IS NULL AND i.deleted_at IS NULL {absent} ORDER BY c.id LIMIT ?1"
    );
    connection.query_dynamic(&sql, params![limit], |row| Ok((row.id(0)?, row.json(1)?, row.text(2)?)))
}
