//! The vectors of a space, little-endian f32, as they were given.

use recollect_model::{ChunkId, Error, Result};

use crate::connection::Connection;
use crate::value::{Value, params};

/// The bytes that are stored for a vector.
pub fn encode(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|component| component.to_le_bytes()).collect()
}

/// Appends a stored vector to a buffer.
///
/// # Errors
///
/// `Corrupt` unless it has that dimension.
pub fn decode_into(bytes: &[u8], dimension: usize, out: &mut Vec<f32>) -> Result<()> {
    if bytes.len() != dimension * 4 {
        return Err(Error::corrupt(format!("a vector of {} bytes is stored, not of {}", bytes.len(), dimension * 4)));
    }
    out.extend(bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)));
    Ok(())
}

/// Stores vectors through one prepared statement.
pub struct Writer<'c> {
    connection: &'c Connection,
    sql: String,
}

impl<'c> Writer<'c> {
    /// A writer into the table of a space.
    pub fn new(connection: &'c Connection, space: u32) -> Self {
        Self { connection, sql: format!("INSERT OR REPLACE INTO vectors_{space} (chunk_id, vector) VALUES (?1, ?2)") }
    }

    /// Stores the vector of a chunk.
    ///
    /// # Errors
    ///
    /// Whatever the statement can fail with.
    pub fn put(&self, chunk: ChunkId, vector: &[f32]) -> Result<()> {
        self.connection.execute_dynamic(&self.sql, params![chunk, Value::Blob(encode(vector))])?;
        Ok(())
    }
}

/// Whether a chunk has a vector.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn is_stored(connection: &Connection, space: u32, chunk: ChunkId) -> Result<bool> {
    let sql = format!("SELECT 1 FROM vectors_{space} WHERE chunk_id = ?1");
    Ok(connection.query_one_dynamic(&sql, params![chunk], |row| row.integer(0))?.is_some())
}

/// The vector of a dead chunk of the item that has the same content, if one is stored.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn of_equal_chunk(
    connection: &Connection,
    space: u32,
    dimension: usize,
    item: u32,
    content_hash: [u8; 16],
) -> Result<Option<Vec<f32>>> {
    let sql = format!(
        "SELECT v.vector FROM chunks c JOIN vectors_{space} v ON v.chunk_id = c.id
         WHERE c.item = ?1 AND c.content_hash = ?2 LIMIT 1"
    );
    let mut vector = Vec::new();
    let found = connection.query_dynamic(&sql, params![item, content_hash], |row| {
        row.with_blob(0, |bytes| decode_into(bytes, dimension, &mut vector))
    })?;
    Ok((!found.is_empty()).then_some(vector))
}

/// Calls back with every vector of a living chunk: chunk, item, bytes; by chunk.
///
/// # Errors
///
/// Whatever the query or the callback fails with.
pub fn for_each_living(
    connection: &Connection,
    space: u32,
    mut each: impl FnMut(ChunkId, u32, &[u8]) -> Result<()>,
) -> Result<()> {
    let sql = format!(
        "SELECT v.chunk_id, c.item, v.vector FROM vectors_{space} v CROSS JOIN chunks c ON c.id = v.chunk_id
         WHERE c.died IS NULL ORDER BY v.chunk_id"
    );
    connection.for_each_dynamic(&sql, params![], |row| {
        let (chunk, item) = (row.id(0)?, row.id(1)?);
        row.with_blob(2, |bytes| each(chunk, item, bytes))
    })
}

/// Calls back with the living chunks of an item that have a vector, in their order.
///
/// # Errors
///
/// Whatever the query or the callback fails with.
pub fn for_each_of_item(
    connection: &Connection,
    space: u32,
    item: u32,
    mut each: impl FnMut(ChunkId, &[u8]) -> Result<()>,
) -> Result<()> {
    let sql = format!(
        "SELECT c.id, v.vector FROM chunks c JOIN vectors_{space} v ON v.chunk_id = c.id
         WHERE c.item = ?1 AND c.died IS NULL ORDER BY c.ordinal"
    );
    connection.for_each_dynamic(&sql, params![item], |row| {
        let chunk = row.id(0)?;
        row.with_blob(1, |bytes| each(chunk, bytes))
    })
}

/// How many vectors a space holds.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn count(connection: &Connection, space: u32) -> Result<u64> {
    let sql = format!("SELECT count(*) FROM vectors_{space}");
    Ok(connection.query_dynamic(&sql, params![], |row| row.unsigned(0))?.first().copied().unwrap_or_default())
}

/// The number of vectors whose size is wrong or whose chunk is missing.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn count_damaged(connection: &Connection, space: u32, dimension: usize) -> Result<u64> {
    let sql = format!(
        "SELECT count(*) FROM vectors_{space} v LEFT JOIN chunks c ON c.id = v.chunk_id
         WHERE c.id IS NULL OR length(v.vector) <> ?1"
    );
    Ok(connection
        .query_dynamic(&sql, params![dimension * 4], |row| row.unsigned(0))?
        .first()
        .copied()
        .unwrap_or_default())
}
