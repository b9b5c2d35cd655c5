//! Tags: a dictionary of names, and which item has which.

use recollect_model::Result;

use crate::connection::Connection;
use crate::value::params;

/// The id of a tag, if any item ever had it.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn find(connection: &Connection, name: &str) -> Result<Option<u32>> {
    connection.query_one("SELECT id FROM tags WHERE name = ?1", params![name], |row| row.id(0))
}

/// The id of a tag, which is made if need be.
///
/// # Errors
///
/// Whatever the statements can fail with.
pub fn intern(connection: &Connection, name: &str) -> Result<u32> {
    if let Some(id) = find(connection, name)? {
        return Ok(id);
    }
    connection.execute("INSERT INTO tags (name) VALUES (?1)", params![name])?;
    Ok(find(connection, name)?.unwrap_or_default())
}

/// Gives an item a tag.
///
/// # Errors
///
/// Whatever the statement can fail with.
pub fn attach(connection: &Connection, item: u32, tag: u32) -> Result<()> {
    connection.execute("INSERT OR IGNORE INTO item_tags (item, tag) VALUES (?1, ?2)", params![item, tag])?;
    Ok(())
}

/// Takes all tags from an item.
///
/// # Errors
///
/// Whatever the statement can fail with.
pub fn detach_all(connection: &Connection, item: u32) -> Result<()> {
    connection.execute("DELETE FROM item_tags WHERE item = ?1", params![item])?;
    Ok(())
}

/// The tag ids of an item, ascending.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn of_item(connection: &Connection, item: u32) -> Result<Vec<u32>> {
    connection.query("SELECT tag FROM item_tags WHERE item = ?1 ORDER BY tag", params![item], |row| row.id(0))
}

/// The ids of the tags that an item had in its older versions.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn of_versions(connection: &Connection, item: u32) -> Result<Vec<u32>> {
    connection.query(
        "SELECT DISTINCT t.id
         FROM item_versions v
         JOIN json_each(iif(json_valid(v.record), v.record, '{}'), '$.item.fields.tags') name
         JOIN tags t ON t.name = name.value
         WHERE v.item = ?1",
        params![item],
        |row| row.id(0),
    )
}

/// Removes a tag from the dictionary if no item has it, not even a deleted one.
///
/// # Errors
///
/// Whatever the statement can fail with.
pub fn forget_unused(connection: &Connection, tag: u32) -> Result<()> {
    connection.execute(
        "DELETE FROM tags WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM item_tags WHERE tag = ?1)",
        params![tag],
    )?;
    Ok(())
}

/// Calls back with every (item, tag), by item.
///
/// # Errors
///
/// Whatever the query or the callback fails with.
pub fn for_each(connection: &Connection, mut each: impl FnMut(u32, u32) -> Result<()>) -> Result<()> {
    connection
        .for_each("SELECT item, tag FROM item_tags ORDER BY item, tag", params![], |row| each(row.id(0)?, row.id(1)?))
}
