//! Settings that alter stored bytes or answers, each a JSON value.

use recollect_model::{Error, Result};
use serde::de::DeserializeOwned;

use crate::connection::Connection;
use crate::value::params;

/// Reads one setting.
///
/// # Errors
///
/// `Corrupt` if it is missing or does not have the expected form.
pub fn read<T: DeserializeOwned>(connection: &Connection, name: &str) -> Result<T> {
    let value = connection
        .query_one("SELECT value FROM settings WHERE name = ?1", params![name], |row| row.text(0))?
        .ok_or_else(|| Error::corrupt(format!("the setting {name:?} is missing")))?;
    serde_json::from_str(&value)
        .map_err(|source| Error::corrupt(format!("the setting {name:?} is malformed")).with_source(source))
}
