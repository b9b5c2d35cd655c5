//! Projects: a dictionary of paths.

use recollect_model::{Kind, Project, Result};

use crate::connection::Connection;
use crate::value::params;

/// The id of a project, if there is one of that path.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn find(connection: &Connection, path: &str) -> Result<Option<u32>> {
    connection.query_one("SELECT id FROM projects WHERE path = ?1", params![path], |row| row.id(0))
}

/// The id of a project, which is made if need be.
///
/// # Errors
///
/// Whatever the statements can fail with.
pub fn intern(connection: &Connection, path: &str) -> Result<u32> {
    if let Some(id) = find(connection, path)? {
        return Ok(id);
    }
    connection.execute("INSERT INTO projects (path) VALUES (?1)", params![path])?;
    Ok(find(connection, path)?.unwrap_or_default())
}

/// The ids of a project and of everything below it.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn subtree(connection: &Connection, path: &str) -> Result<Vec<u32>> {
    if path.is_empty() {
        return connection.query("SELECT id FROM projects", params![], |row| row.id(0));
    }
    // '0' is the character after '/': the range holds exactly the paths that begin with the path and a slash.
    connection.query(
        "SELECT id FROM projects WHERE path = ?1 OR (path > ?1 || '/' AND path < ?1 || '0')",
        params![path],
        |row| row.id(0),
    )
}

/// Gives a project and everything below it another path.
///
/// # Errors
///
/// `Conflict` if one of the new paths is taken.
pub fn rename(connection: &Connection, path: &str, new_path: &str) -> Result<u64> {
    connection.execute(
        "UPDATE projects SET path = ?2 || substr(path, length(?1) + 1)
         WHERE path = ?1 OR (path > ?1 || '/' AND path < ?1 || '0')",
        params![path, new_path],
    )
}

/// The projects that hold a live item, with their counts, by path.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn list(connection: &Connection) -> Result<Vec<Project>> {
    connection.query(
        "SELECT p.path, sum(i.kind = ?1), sum(i.kind = ?2), sum(i.kind = ?3)
         FROM projects p JOIN items i ON i.project = p.id
         WHERE i.deleted_at IS NULL GROUP BY p.id ORDER BY p.path",
        params![Kind::Rule.number(), Kind::Doc.number(), Kind::Ref.number()],
        |row| {
            Ok(Project { path: row.text(0)?, rules: row.unsigned(1)?, docs: row.unsigned(2)?, refs: row.unsigned(3)? })
        },
    )
}

/// The row ids of the live items of some projects.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn live_items(connection: &Connection, project: u32) -> Result<Vec<u32>> {
    connection.query(
        "SELECT id FROM items WHERE project = ?1 AND deleted_at IS NULL ORDER BY id",
        params![project],
        |row| row.id(0),
    )
}

/// The paths of a project and of everything below it.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn paths(connection: &Connection, path: &str) -> Result<Vec<String>> {
    connection.query(
        "SELECT path FROM projects WHERE path = ?1 OR (path > ?1 || '/' AND path < ?1 || '0')",
        params![path],
        |row| row.text(0),
    )
}

/// The path of a project.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn path(connection: &Connection, id: u32) -> Result<Option<String>> {
    connection.query_one("SELECT path FROM projects WHERE id = ?1", params![id], |row| row.text(0))
}

/// Frees the paths of a project and of everything below it, as far as they hold no item, not even a deleted one.
///
/// # Errors
///
/// Whatever the statement can fail with.
pub fn forget_empty(connection: &Connection, path: &str) -> Result<()> {
    connection.execute(
        "DELETE FROM projects
         WHERE (path = ?1 OR (path > ?1 || '/' AND path < ?1 || '0'))
           AND NOT EXISTS (SELECT 1 FROM items WHERE items.project = projects.id)",
        params![path],
    )?;
    Ok(())
}

/// The row ids and kinds of the items of a project, deleted ones included.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn items(connection: &Connection, project: u32) -> Result<Vec<(u32, Kind)>> {
    connection.query("SELECT id, kind FROM items WHERE project = ?1 ORDER BY id", params![project], |row| {
        Ok((row.id(0)?, Kind::from_number(row.integer(1)?)?))
    })
}
