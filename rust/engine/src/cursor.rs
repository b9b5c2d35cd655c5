//! Where a list goes on, as an opaque text.

use recollect_model::{Error, Kind, Order, Result};
use recollect_storage::rows::items::StoredItem;
use recollect_storage::rows::list::After;

/// A place in a list.
pub(crate) struct Cursor(After);

const CHECK_BYTES: usize = 8;

impl Cursor {
    /// The place behind an item.
    pub fn behind(last: &StoredItem, order: Order) -> Self {
        Self(match order {
            Order::Created => After::Number(last.row.into(), last.row),
            Order::Updated => After::Number(last.item.updated_at.0, last.row),
            Order::Priority => After::Number(last.item.fields.priority.into(), last.row),
            Order::Key => After::Text(last.item.fields.key.clone().unwrap_or_default(), last.row),
        })
    }

    /// Hexadecimal digits: the place, and a check that binds it to the store and the list.
    pub fn encode(&self, store: &[u8; 16], kind: Kind, order: Order, descending: bool) -> String {
        let mut bytes = Vec::new();
        match &self.0 {
            After::Number(number, row) => {
                bytes.extend(row.to_be_bytes());
                bytes.extend(number.to_be_bytes());
            }
            After::Text(text, row) => {
                bytes.extend(row.to_be_bytes());
                bytes.extend(text.as_bytes());
            }
        }
        bytes.extend(check(&bytes, store, kind, order, descending));
        to_hex(&bytes)
    }

    /// Reads what [`Self::encode`] wrote.
    pub fn decode(text: &str, store: &[u8; 16], kind: Kind, order: Order, descending: bool) -> Result<After> {
        let read = || {
            let bytes = from_hex(text)?;
            let (body, found) = bytes.split_at_checked(bytes.len().checked_sub(CHECK_BYTES)?)?;
            if found != check(body, store, kind, order, descending) {
                return None;
            }
            let (row, value) = body.split_first_chunk::<4>()?;
            let row = u32::from_be_bytes(*row);
            if order == Order::Key {
                return Some(After::Text(String::from_utf8(value.to_vec()).ok()?, row));
            }
            Some(After::Number(i64::from_be_bytes(value.try_into().ok()?), row))
        };
        read().ok_or_else(|| {
            Error::invalid("the cursor is not one of this list")
                .with_hint("pass next_cursor of a page of the same store, kind, order and direction")
        })
    }
}

fn check(body: &[u8], store: &[u8; 16], kind: Kind, order: Order, descending: bool) -> [u8; CHECK_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(body).update(store).update(&[order as u8, u8::from(descending)]).update(kind.as_str().as_bytes());
    let mut check = [0; CHECK_BYTES];
    hasher.finalize_xof().fill(&mut check);
    check
}

fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || text.len() > 4096 {
        return None;
    }
    text.as_bytes().chunks_exact(2).map(|two| u8::from_str_radix(str::from_utf8(two).ok()?, 16).ok()).collect()
}
