//! Identifiers that callers see.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};

/// The id of an item: a `UUIDv7`, so that ids sort by the time they were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ItemId(Uuid);

impl ItemId {
    /// A fresh id. Ids of one process ascend.
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// The sixteen bytes that are stored.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// From the stored bytes.
    ///
    /// # Errors
    ///
    /// `Corrupt` unless there are sixteen.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Uuid::from_slice(bytes)
            .map(Self)
            .map_err(|_| Error::corrupt(format!("an item id of {} bytes is stored", bytes.len())))
    }
}

impl FromStr for ItemId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Uuid::try_parse(text).map(Self).map_err(|_| {
            Error::invalid(format!("{:?} is no item id", text.chars().take(64).collect::<String>()))
                .with_hint("an id is a UUID as `add` returns it; to look up by key, pass key=…")
        })
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The id of a chunk: given once, never reused; the number the indexes work with.
pub type ChunkId = u32;
