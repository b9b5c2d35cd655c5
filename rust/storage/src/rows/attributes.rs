//! What decides whether an item may be ranked, or is a near duplicate, without reading the item.

use recollect_model::{Kind, Result, Timestamp};

use crate::connection::Connection;
use crate::row::Row;
use crate::value::params;

/// What decides whether a search may rank an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// The row id.
    pub row: u32,
    /// Its kind.
    pub kind: Kind,
    /// The id of its project.
    pub project: u32,
    /// The id of its access class.
    pub access: u32,
    /// Not before.
    pub valid_from: Option<Timestamp>,
    /// Not from then on: the earlier of the end of validity and of expiry.
    pub valid_until: Option<Timestamp>,
    /// Whether it is not deleted.
    pub is_live: bool,
    /// The bands of its near-duplicate signature.
    pub signature: Option<[u8; 16]>,
}

fn read(row: &Row<'_>) -> Result<Attributes> {
    let until = match (row.optional_integer(5)?, row.optional_integer(6)?) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    Ok(Attributes {
        row: row.id(0)?,
        kind: Kind::from_number(row.integer(1)?)?,
        project: row.id(2)?,
        access: row.id(3)?,
        valid_from: row.optional_integer(4)?.map(Timestamp),
        valid_until: until.map(Timestamp),
        is_live: row.optional_integer(7)?.is_none(),
        signature: row.optional_bytes(8)?,
    })
}

const ATTRIBUTES: &str =
    "SELECT id, kind, project, access, valid_from, valid_until, expires_at, deleted_at, signature FROM items";

/// Calls back with the attributes of every item, by row id.
///
/// # Errors
///
/// Whatever the query or the callback fails with.
pub fn for_each(connection: &Connection, mut each: impl FnMut(Attributes) -> Result<()>) -> Result<()> {
    connection.for_each_dynamic(&format!("{ATTRIBUTES} ORDER BY id"), params![], |row| each(read(row)?))
}

/// The attributes of one item.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn of_item(connection: &Connection, row: u32) -> Result<Option<Attributes>> {
    let found = connection.query_dynamic(&format!("{ATTRIBUTES} WHERE id = ?1"), params![row], read)?;
    Ok(found.into_iter().next())
}
