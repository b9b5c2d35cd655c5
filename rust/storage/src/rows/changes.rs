//! The change log: what every commit did, in order, without gaps.

use recollect_model::{Change, Error, ItemId, Kind, Operation, Result, Timestamp};

use crate::connection::Connection;
use crate::rows::meta::Meta;
use crate::value::params;

/// One entry to append. Item is the row id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The item's row id; none where a channel came into being.
    pub item: Option<u32>,
    /// Its kind.
    pub kind: Option<Kind>,
    /// What was done.
    pub operation: Operation,
}

/// Appends the entries of one commit under the next number, and chains the digest of the log over them.
/// `meta` is advanced in memory; the caller writes it with [`crate::rows::meta::advance`].
///
/// # Errors
///
/// Whatever the statements can fail with.
pub fn append(connection: &Connection, meta: &mut Meta, entries: &[Entry], at: Timestamp, by: &str) -> Result<()> {
    let seq = meta.seq + 1;
    let mut digest = blake3::Hasher::new();
    digest.update(&meta.log_digest).update(&seq.to_le_bytes()).update(&at.0.to_le_bytes()).update(by.as_bytes());
    for (ordinal, entry) in entries.iter().enumerate() {
        connection.execute(
            "INSERT INTO changes (seq, ordinal, item, kind, operation, at, by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![seq, ordinal, entry.item, entry.kind.map(Kind::number), entry.operation.number(), at.0, by],
        )?;
        digest.update(&digest_line(entry.item, entry.kind, entry.operation));
    }
    meta.seq = seq;
    meta.log_digest = digest.finalize().into();
    Ok(())
}

fn digest_line(item: Option<u32>, kind: Option<Kind>, operation: Operation) -> [u8; 6] {
    let [a, b, c, d] = item.unwrap_or(0).to_le_bytes();
    let number = |number: i64| u8::try_from(number).unwrap_or(u8::MAX);
    [a, b, c, d, kind.map_or(0, |kind| number(kind.number())), number(operation.number())]
}

/// The entries after a commit, oldest first: `limit` of them, and whatever else belongs to the last commit among them.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn since(connection: &Connection, seq: u64, limit: usize) -> Result<Vec<Change>> {
    connection.query(
        "SELECT c.seq, c.ordinal, ifnull(i.uid, p.uid), c.kind, c.operation, c.at, c.by
         FROM changes c LEFT JOIN items i ON i.id = c.item LEFT JOIN purged_items p ON p.item = c.item
         WHERE c.seq > ?1
           AND c.seq <= ifnull((SELECT seq FROM changes WHERE seq > ?1 ORDER BY seq, ordinal LIMIT 1 OFFSET ?2), c.seq)
         ORDER BY c.seq, c.ordinal",
        params![seq, limit.saturating_sub(1)],
        |row| {
            Ok(Change {
                seq: row.unsigned(0)?,
                ordinal: row.id(1)?,
                item: row.optional_bytes::<16>(2)?.map(|bytes| ItemId::from_bytes(&bytes)).transpose()?,
                kind: row.optional_integer(3)?.map(Kind::from_number).transpose()?,
                operation: Operation::from_number(row.integer(4)?)?,
                at: Timestamp(row.integer(5)?),
                by: row.text(6)?,
            })
        },
    )
}

/// What happened to an item after a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touched {
    /// The row id of the item.
    pub row: u32,
    /// Whether vectors came for chunks that were there.
    pub is_embedded: bool,
    /// Whether it was purged.
    pub is_purged: bool,
    /// Whether it was swept.
    pub is_swept: bool,
}

/// The items that changed after a commit, each once, ascending. Another path of their project is no change to them:
/// they name it by its id.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn items_since(connection: &Connection, seq: u64) -> Result<Vec<Touched>> {
    connection.query(
        "SELECT item, max(operation = ?2), max(operation = ?3), max(operation = ?4) FROM changes
         WHERE seq > ?1 AND item IS NOT NULL AND operation <> ?5 GROUP BY item ORDER BY item",
        params![
            seq,
            Operation::Embedded.number(),
            Operation::Purged.number(),
            Operation::Swept.number(),
            Operation::Moved.number()
        ],
        |row| {
            Ok(Touched {
                row: row.id(0)?,
                is_embedded: row.integer(1)? != 0,
                is_purged: row.integer(2)? != 0,
                is_swept: row.integer(3)? != 0,
            })
        },
    )
}

/// Whether the store was repaired after a commit: what was made from its tables before may be wrong.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn is_repaired_since(connection: &Connection, seq: u64) -> Result<bool> {
    let found = connection.query_one(
        "SELECT 1 FROM changes WHERE seq > ?1 AND operation = ?2 LIMIT 1",
        params![seq, Operation::Repaired.number()],
        |row| row.integer(0),
    )?;
    Ok(found.is_some())
}

/// Reads the log from its beginning: the number of its last commit and its digest.
///
/// # Errors
///
/// `Corrupt` if a number is missing.
pub fn replay_digest(connection: &Connection) -> Result<(u64, [u8; 32], u64)> {
    let mut last = 0_u64;
    let mut rows = 0_u64;
    let mut digest = [0_u8; 32];
    let mut hasher = blake3::Hasher::new();
    connection.for_each(
        "SELECT seq, item, kind, operation, at, by FROM changes ORDER BY seq, ordinal",
        params![],
        |row| {
            let seq = row.unsigned(0)?;
            if seq != last {
                if last > 0 {
                    digest = hasher.finalize().into();
                }
                if seq != last + 1 {
                    return Err(Error::corrupt(format!("change {} is missing from the log", last + 1)));
                }
                hasher = blake3::Hasher::new();
                hasher.update(&digest).update(&seq.to_le_bytes()).update(&row.integer(4)?.to_le_bytes());
                hasher.update(row.text(5)?.as_bytes());
                last = seq;
            }
            let item = row.optional_integer(1)?.map(|item| u32::try_from(item).unwrap_or_default());
            let kind = row.optional_integer(2)?.map(Kind::from_number).transpose()?;
            hasher.update(&digest_line(item, kind, Operation::from_number(row.integer(3)?)?));
            rows += 1;
            Ok(())
        },
    )?;
    if last > 0 {
        digest = hasher.finalize().into();
    }
    Ok((last, digest, rows))
}
