//! Embedding spaces.

use recollect_model::{Error, Result, Space, Timestamp};

use crate::connection::Connection;
use crate::value::params;

/// The space that vectors are written to and searched in, with its id.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn active(connection: &Connection) -> Result<Option<(u32, Space)>> {
    connection.query_one(
        "SELECT id, name, revision, dimension, weights_hash FROM spaces WHERE is_active = 1",
        params![],
        |row| {
            let dimension = usize::try_from(row.integer(3)?)
                .map_err(|_| Error::corrupt("a space with a negative dimension is stored"))?;
            Ok((
                row.id(0)?,
                Space { name: row.text(1)?, revision: row.text(2)?, dimension, weights_hash: row.optional_bytes(4)? },
            ))
        },
    )
}

/// The id and the dimension of every space, each of which has a table of vectors.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn all(connection: &Connection) -> Result<Vec<(u32, usize)>> {
    connection.query("SELECT id, dimension FROM spaces ORDER BY id", params![], |row| Ok((row.id(0)?, row.size(1)?)))
}

/// Makes a space, its table of vectors, and makes it the active one.
///
/// # Errors
///
/// `Conflict` if there is an active one.
pub fn create(connection: &Connection, space: &Space, now: Timestamp) -> Result<u32> {
    connection.execute(
        "INSERT INTO spaces (name, revision, dimension, weights_hash, settings, is_active, created_at)
         VALUES (?1, ?2, ?3, ?4, '{}', 1, ?5)",
        params![space.name.as_str(), space.revision.as_str(), space.dimension, space.weights_hash, now.0],
    )?;
    let (id, _) = active(connection)?.ok_or_else(|| Error::internal("the new space is not there"))?;
    // The column type is what libSQL's own vector functions read; stored are little-endian f32, as given.
    connection.execute_dynamic(
        &format!(
            "CREATE TABLE vectors_{id} (chunk_id INTEGER PRIMARY KEY, vector F32_BLOB({}) NOT NULL)",
            space.dimension
        ),
        params![],
    )?;
    Ok(id)
}
