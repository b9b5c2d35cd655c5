//! The tables and indexes there are.

use recollect_model::Result;

use crate::connection::Connection;
use crate::value::params;

/// Name and definition of every table and index, but for the vectors of spaces, which each store makes for itself.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn objects(connection: &Connection) -> Result<Vec<(String, String)>> {
    connection.query(
        "SELECT name, ifnull(sql, '') FROM sqlite_schema
         WHERE name NOT GLOB 'sqlite_*' AND name NOT GLOB 'vectors_*' ORDER BY name",
        params![],
        |row| Ok((row.text(0)?, row.text(1)?)),
    )
}
