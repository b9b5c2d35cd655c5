//! How far a store has come, read from the page that says so.
//!
//! The first step of the schema makes the table of migrations and then `meta`, whose one row is its third page for
//! good. Formats: <https://www.sqlite.org/fileformat2.html>, sections 1.6 and 2.1.

/// The page of the table `meta`.
pub(super) const PAGE: u32 = 3;

/// What the row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Which store this is.
    pub(super) store: [u8; 16],
    /// The number of the last commit.
    pub(super) seq: u64,
}

impl Mark {
    /// Reads the mark from the page; none from a page that does not hold it.
    pub(super) fn read(page: &[u8]) -> Option<Self> {
        // A leaf of a table with one cell.
        if *page.first()? != 13 || page.get(3..5)? != [0, 1] {
            return None;
        }
        let cell = usize::from(u16::from_be_bytes(page.get(8..10)?.try_into().ok()?));
        let mut rest = page.get(cell..)?;
        let payload = usize::try_from(varint(&mut rest)?).ok()?;
        let rowid = varint(&mut rest)?;
        let record = rest.get(..payload)?;
        let mut types = record;
        let header = usize::try_from(varint(&mut types)?).ok()?;
        let mut values = record.get(header..)?;
        // id, store_uuid, generation, seq
        let _id = take(&mut values, length(varint(&mut types)?))?;
        let store = take(&mut values, length(varint(&mut types)?))?.try_into().ok()?;
        let _generation = take(&mut values, length(varint(&mut types)?))?;
        let kind = varint(&mut types)?;
        let seq = integer(kind, take(&mut values, length(kind))?)?;
        (rowid == 1).then_some(Self { store, seq })
    }
}

/// The bytes of a value of a serial type.
fn length(kind: u64) -> usize {
    let length = match kind {
        1..=4 => kind,
        5 => 6,
        6 | 7 => 8,
        12.. => (kind - 12) / 2,
        _ => 0,
    };
    usize::try_from(length).unwrap_or(usize::MAX)
}

fn integer(kind: u64, bytes: &[u8]) -> Option<u64> {
    match kind {
        8 => Some(0),
        9 => Some(1),
        1..=6 => {
            // A negative number is no count.
            let is_positive = bytes.first()? & 0x80 == 0;
            is_positive.then(|| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
        }
        _ => None,
    }
}

fn take<'b>(bytes: &mut &'b [u8], length: usize) -> Option<&'b [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

/// A number of one to nine bytes, seven bits each, all eight of the last.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for position in 0..9 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if position == 8 {
            return Some(number << 8 | u64::from(*byte));
        }
        number = number << 7 | u64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

    use proptest::prelude::*;
    use recollect_model::Call;

    use super::*;
    use crate::{Database, OpenOptions};

    #[test]
    fn the_page_of_a_real_store_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        for seq in [0_u64, 1, 127, 128, 70_000, 1 << 40] {
            let store = Database::open(OpenOptions::file(&path), &Call::unlimited()).unwrap();
            let meta = store
                .write(&Call::unlimited(), |transaction| {
                    let meta = crate::rows::meta::Meta { seq, ..crate::rows::meta::read(transaction)? };
                    crate::rows::meta::advance(transaction, &meta)?;
                    Ok(meta)
                })
                .unwrap();
            store.close(&Call::unlimited()).unwrap();
            drop(store);
            let bytes = std::fs::read(&path).unwrap();
            let page = &bytes[2 * 4_096..3 * 4_096];
            assert_eq!(Mark::read(page), Some(Mark { store: meta.store_uuid, seq }));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_do_no_harm(mut page in proptest::collection::vec(any::<u8>(), 0..300), at: u8) {
            if page.len() > 10 {
                page[..5].copy_from_slice(&[13, 0, 0, 0, 1]);
                page[8..10].copy_from_slice(&[0, at]);
            }
            let _mark = Mark::read(&page);
        }
    }
}
