//! Removing and remaking what can be derived from the rest of a store.

use recollect_model::{ChunkId, Result};

use crate::connection::Connection;
use crate::rows::meta::Meta;
use crate::rows::spaces;
use crate::value::params;

/// Makes every index anew from its table.
///
/// # Errors
///
/// `Conflict` where a table holds what its index forbids; the indexes are then as they were.
pub fn reindex(connection: &Connection) -> Result<()> {
    connection.execute("REINDEX", params![])?;
    Ok(())
}

/// Removes the rows of tags and of rules that belong to an item, or name a tag, that is not there. Returns how many.
/// Rows that hold text of an item that is lost are all that is left of it, and stay.
///
/// # Errors
///
/// Whatever the statements can fail with.
pub fn remove_orphans(connection: &Connection) -> Result<u64> {
    let mut removed = connection.execute(
        "DELETE FROM item_tags WHERE NOT EXISTS (SELECT 1 FROM items WHERE items.id = item)
           OR NOT EXISTS (SELECT 1 FROM tags WHERE tags.id = tag)",
        params![],
    )?;
    removed += connection
        .execute("DELETE FROM rules WHERE NOT EXISTS (SELECT 1 FROM items WHERE items.id = rules.item)", params![])?;
    Ok(removed)
}

/// Removes the vectors that have the wrong size or no chunk, in every space. Returns how many.
///
/// # Errors
///
/// Whatever the statements can fail with.
pub fn remove_damaged_vectors(connection: &Connection) -> Result<u64> {
    let mut removed = 0;
    for (space, dimension) in spaces::all(connection)? {
        removed += connection.execute_dynamic(
            &format!(
                "DELETE FROM vectors_{space} WHERE length(vector) <> ?1
                   OR NOT EXISTS (SELECT 1 FROM chunks WHERE chunks.id = chunk_id)"
            ),
            params![dimension * 4],
        )?;
    }
    Ok(removed)
}

/// Raises the counters of a store above every id of an item or chunk that any row names. Returns whether one was too
/// low.
///
/// # Errors
///
/// Whatever the queries can fail with.
pub fn raise_counters(connection: &Connection, meta: &mut Meta) -> Result<bool> {
    let highest =
        |sql| Ok::<_, recollect_model::Error>(connection.query_one(sql, params![], |row| row.id(0))?.unwrap_or(0));
    let item = highest(
        // Orphans count: a new item of their number would take over their text.
        "SELECT max(ifnull((SELECT max(id) FROM items), 0), ifnull((SELECT max(item) FROM purged_items), 0),
                    ifnull((SELECT max(item) FROM changes), 0), ifnull((SELECT max(item) FROM chunks), 0),
                    ifnull((SELECT max(item) FROM item_versions), 0), ifnull((SELECT max(item) FROM docs), 0),
                    ifnull((SELECT max(item) FROM refs), 0))",
    )?;
    let chunk = highest("SELECT ifnull(max(id), 0) FROM chunks")?;
    let mut is_raised = false;
    for (counter, highest) in [(&mut meta.next_item, item), (&mut meta.next_chunk, chunk)] {
        if *counter <= highest {
            *counter = highest.saturating_add(1);
            is_raised = true;
        }
    }
    Ok(is_raised)
}

/// What is derived from the text of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashes {
    /// BLAKE3-128 of its content.
    pub content: [u8; 16],
    /// The bands of its near-duplicate signature.
    pub signature: Option<[u8; 16]>,
    /// BLAKE3-256 of the text of a doc.
    pub text: Option<[u8; 32]>,
}

/// Records what is derived from the text of an item.
///
/// # Errors
///
/// Whatever the statements can fail with.
pub fn set_hashes(connection: &Connection, row: u32, hashes: &Hashes) -> Result<()> {
    connection.execute(
        "UPDATE items SET content_hash = ?2, signature = ?3 WHERE id = ?1",
        params![row, hashes.content, hashes.signature],
    )?;
    if let Some(text) = hashes.text {
        connection.execute("UPDATE docs SET text_hash = ?2 WHERE item = ?1", params![row, text])?;
    }
    Ok(())
}

/// The living chunks of live items that have no sound vector in a space (or, without a space, all), by their id, from
/// behind one on and at most `limit` of them: id, heading, text.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn chunks_to_embed(
    connection: &Connection,
    space: Option<(u32, usize)>,
    behind: ChunkId,
    limit: usize,
) -> Result<Vec<(ChunkId, Vec<String>, String)>> {
    let absent = space.map_or_else(String::new, |(space, dimension)| {
        let bytes = dimension * 4;
        format!(
            "AND NOT EXISTS (SELECT 1 FROM vectors_{space} v WHERE v.chunk_id = c.id AND length(v.vector) = {bytes})"
        )
    });
    let sql = format!(
        "SELECT c.id, c.heading, c.text FROM chunks c JOIN items i ON i.id = c.item
         WHERE c.id > ?1 AND c.died IS NULL AND i.deleted_at IS NULL {absent} ORDER BY c.id LIMIT ?2"
    );
    connection.query_dynamic(&sql, params![behind, limit], |row| Ok((row.id(0)?, row.json(1)?, row.text(2)?)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use recollect_model::Call;

    use super::*;
    use crate::migrations::{ALL, Migration};
    use crate::opening;
    use crate::options::OpenOptions;
    use crate::rows::meta;

    /// The schema as it is, but for the references, which would forbid the damage.
    fn without_references() -> Vec<Migration> {
        ALL.iter()
            .map(|step| {
                let words = step.sql.split_inclusive(['\n']).map(|line| match line.split_once(" REFERENCES ") {
                    Some((before, _)) if line.trim_end().ends_with(',') => format!("{before},\n"),
                    Some((before, _)) => format!("{before}\n"),
                    None => line.to_owned(),
                });
                Migration { sql: Box::leak(words.collect::<String>().into_boxed_str()), ..*step }
            })
            .collect()
    }

    const ROWS: &str = "
        INSERT INTO items (id, uid, kind, version, from_seq, operation, project, access, metadata, priority, trust,
          created_at, created_by, updated_at, updated_by, content_hash)
        VALUES (1, zeroblob(16), 1, 1, 1, 1, 1, 1, '{}', 0, 1, 0, '', 0, '', zeroblob(16));
        INSERT INTO tags VALUES (1, 'known');
        INSERT INTO item_tags VALUES (1, 1), (7, 1), (1, 7);
        INSERT INTO rules VALUES (1, '[]', '[]', 0), (7, '[]', '[]', 0);
        INSERT INTO docs VALUES (7, NULL, NULL, 'text/plain', zeroblob(32));
        INSERT INTO refs VALUES (7, 'target', 1, '', NULL, 1);
        INSERT INTO chunks VALUES (1, 1, 0, 0, 1, '[]', 'a', zeroblob(16), 1, NULL),
                                  (7, 7, 0, 0, 1, '[]', 'b', zeroblob(16), 1, NULL);
        INSERT INTO item_versions VALUES (1, 1, 1, 2, 1, '{}'), (7, 1, 1, 2, 1, '{}');";

    #[test]
    fn rows_of_items_that_are_not_there_are_removed_but_for_those_with_text() {
        let call = Call::unlimited();
        let core = opening::open(OpenOptions::memory(), &without_references(), &call).unwrap();
        let connection = core.writer().unwrap().lease(&call).unwrap();
        connection.begin(&call, "BEGIN IMMEDIATE").unwrap();
        connection.script(ROWS).unwrap();
        assert_eq!(remove_orphans(&connection).unwrap(), 3);
        assert_eq!(remove_orphans(&connection).unwrap(), 0);
        for (table, left) in [
            ("items", 1),
            ("item_tags", 1),
            ("rules", 1),
            ("docs", 1),
            ("refs", 1),
            ("chunks", 2),
            ("item_versions", 2),
        ] {
            let sql = format!("SELECT count(*) FROM {table}");
            assert_eq!(connection.query_one_dynamic(&sql, &[], |row| row.integer(0)).unwrap(), Some(left), "{table}");
        }
        let mut meta = meta::read(&connection).unwrap();
        assert!(raise_counters(&connection, &mut meta).unwrap());
        assert_eq!((meta.next_item, meta.next_chunk), (8, 8), "no new item takes over what is left of a lost one");
        connection.end("ROLLBACK").unwrap();
    }
}
