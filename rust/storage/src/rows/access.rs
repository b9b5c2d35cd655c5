//! Tiers, channels and the access classes made of them.

use recollect_model::{Error, Result};

use crate::connection::Connection;
use crate::value::params;

/// The names of the tiers, lowest first.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn tiers(connection: &Connection) -> Result<Vec<String>> {
    connection.query("SELECT name FROM tiers ORDER BY rank", params![], |row| row.text(0))
}

/// The names of the channels, sorted.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn channels(connection: &Connection) -> Result<Vec<String>> {
    connection.query("SELECT name FROM channels ORDER BY name", params![], |row| row.text(0))
}

/// Makes a channel; false if there is one of that name.
///
/// # Errors
///
/// Whatever the statement can fail with.
pub fn create_channel(connection: &Connection, name: &str) -> Result<bool> {
    Ok(connection.execute("INSERT OR IGNORE INTO channels (name) VALUES (?1)", params![name])? > 0)
}

/// The id of a channel.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn find_channel(connection: &Connection, name: &str) -> Result<Option<u32>> {
    connection.query_one("SELECT id FROM channels WHERE name = ?1", params![name], |row| row.id(0))
}

/// The id of a tier.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn find_tier(connection: &Connection, name: &str) -> Result<Option<u32>> {
    connection.query_one("SELECT id FROM tiers WHERE name = ?1", params![name], |row| row.id(0))
}

/// The id of the access class of a tier and a channel, which is made if need be.
///
/// # Errors
///
/// `NotFound` for a channel that was never created, `InvalidInput` for an unknown tier.
pub fn intern_class(connection: &Connection, tier: &str, channel: Option<&str>) -> Result<u32> {
    let Some(tier_id) = find_tier(connection, tier)? else {
        let known = tiers(connection)?.join(", ");
        return Err(Error::invalid(format!("there is no tier {tier:?}; this store has: {known}")));
    };
    let channel_id = match channel {
        None => None,
        Some(name) => Some(find_channel(connection, name)?.ok_or_else(|| {
            Error::not_found(format!("there is no channel {name:?}"))
                .with_hint("create it first: store.channels.create(name)")
        })?),
    };
    let find = || {
        connection.query_one(
            "SELECT id FROM access_classes
             WHERE tier = ?1 AND ifnull(channel, 0) = ifnull(?2, 0) AND principals = '[]'",
            params![tier_id, channel_id],
            |row| row.id(0),
        )
    };
    if let Some(id) = find()? {
        return Ok(id);
    }
    connection.execute(
        "INSERT INTO access_classes (tier, channel, principals) VALUES (?1, ?2, '[]')",
        params![tier_id, channel_id],
    )?;
    Ok(find()?.unwrap_or_default())
}
