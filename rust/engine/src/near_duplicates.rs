//! Finding items that say nearly the same, while they are added.
//!
//! Four band hashes of a text's word pairs (see [`recollect_chunk::Signature`]) lead to the few items that may be near
//! duplicates; their texts are then compared. The map is a cache of the signatures in the database: it is filled from
//! the change log inside the write transaction that asks.

use std::collections::{HashMap, HashSet};

use recollect_chunk::{Signature, similarity};
use recollect_model::{AddWarning, Content, ItemId, Kind, Result};
use recollect_storage::Connection;
use recollect_storage::rows::attributes::Attributes;
use recollect_storage::rows::items::Links;
use recollect_storage::rows::{attributes, changes, chunks, items, removal};

/// How many items a band remembers: the latest.
const REMEMBERED: usize = 4;

/// So much of two texts is compared, in bytes.
const COMPARED_BYTES: usize = 65_536;

/// The cache.
#[derive(Debug, Default)]
pub(crate) struct NearDuplicates {
    seq: u64,
    /// The commit that it holds something of and that may still be undone, and an item that this commit adds.
    ahead: Option<(u64, ItemId)>,
    bands: HashMap<u64, [u32; REMEMBERED]>,
    /// The bands that had no place left for one item at least.
    crowded: HashSet<u64>,
}

/// The signature of an item's text, as it is stored.
pub(crate) fn signature(content: &Content) -> Option<[u8; 16]> {
    let text = match content {
        Content::Rule(rule) => &rule.text,
        Content::Doc(doc) => &doc.text,
        Content::Ref(reference) => &reference.note,
    };
    let Signature(bands) = Signature::of(beginning(text))?;
    let mut bytes = [0; 16];
    for (four, band) in bytes.chunks_exact_mut(4).zip(bands) {
        four.copy_from_slice(&band.to_le_bytes());
    }
    Some(bytes)
}

/// The part of a text that is compared.
fn beginning(text: &str) -> &str {
    text.get(..text.floor_char_boundary(COMPARED_BYTES)).unwrap_or(text)
}

fn band_keys(kind: Kind, project: u32, access: u32, signature: [u8; 16]) -> impl Iterator<Item = u64> {
    let place = (u64::from(project) << 34) ^ (u64::from(access) << 2) ^ kind.number().unsigned_abs();
    (0_u64..).zip(signature.as_chunks::<4>().0.to_vec()).map(move |(number, band)| {
        let band = u64::from(u32::from_le_bytes(band)) | (number << 32);
        // Fibonacci hashing spreads the place over the bits that the band leaves alone.
        band ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    })
}

impl NearDuplicates {
    /// Forgets everything; the next use reads the database again.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Takes in what was committed up to `seq`.
    pub fn catch_up(&mut self, connection: &Connection, seq: u64) -> Result<()> {
        // Whoever made the commit that is ahead has given the guard up, but may not have said yet how it ended. Its
        // number does not tell: another process may have made another commit of that number.
        if let Some((_, id)) = self.ahead.take()
            && !removal::is_known(connection, id)?
        {
            self.reset();
        }
        if self.seq > seq {
            self.reset();
        }
        if self.seq == seq {
            return Ok(());
        }
        let touched = if self.seq == 0 { Vec::new() } else { changes::items_since(connection, self.seq)? };
        if self.seq > 0 && changes::is_repaired_since(connection, self.seq)? {
            self.reset();
        }
        let purged = touched.iter().filter(|touched| touched.is_purged).map(|touched| touched.row).collect();
        self.forget_purged(&purged);
        if self.seq == 0 {
            attributes::for_each(connection, |attributes| {
                self.remember(&attributes);
                Ok(())
            })?;
        } else {
            let mut gone = HashSet::new();
            for touched in touched {
                match attributes::of_item(connection, touched.row)? {
                    Some(attributes) => self.remember(&attributes),
                    None => {
                        gone.insert(touched.row);
                    }
                }
            }
            self.forget(&gone);
        }
        self.seq = seq;
        Ok(())
    }

    /// Says that what was remembered since [`Self::catch_up`] will be committed as `seq`, with an item of that id.
    pub fn expect(&mut self, seq: u64, id: ItemId) {
        self.ahead = Some((seq, id));
        self.seq = seq;
    }

    /// Says how the commit `seq` ended. What was undone must not be remembered. Another thread's commit may be in the
    /// making by then, and is settled by that thread.
    pub fn settle(&mut self, seq: u64, is_committed: bool) {
        if self.ahead.is_none_or(|(ahead, _)| ahead != seq) {
            return;
        }
        if is_committed {
            self.ahead = None;
        } else {
            self.reset();
        }
    }

    /// Forgets items of which there is nothing any more, not even what their bands were.
    pub fn forget(&mut self, gone: &HashSet<u32>) {
        if gone.is_empty() {
            return;
        }
        self.bands.retain(|_, rows| {
            for row in rows.iter_mut().filter(|row| gone.contains(row)) {
                *row = 0;
            }
            rows.iter().any(|row| *row != 0)
        });
    }

    /// As [`Self::forget`], for items that are to be as if they had never been: where one may have displaced others,
    /// those are to be found again, so the next use reads the database.
    pub fn forget_purged(&mut self, purged: &HashSet<u32>) {
        if purged.is_empty() {
            return;
        }
        let has_displaced = self
            .crowded
            .iter()
            .any(|key| self.bands.get(key).is_some_and(|rows| rows.iter().any(|row| purged.contains(row))));
        if has_displaced { self.reset() } else { self.forget(purged) }
    }

    fn remember(&mut self, attributes: &Attributes) {
        let Some(signature) = attributes.signature else { return };
        if attributes.is_live {
            self.enter(attributes.row, attributes.kind, attributes.project, attributes.access, signature);
            return;
        }
        // What was deleted must not take the places of what is there.
        for key in band_keys(attributes.kind, attributes.project, attributes.access, signature) {
            let Some(rows) = self.bands.get_mut(&key) else { continue };
            for row in rows.iter_mut().filter(|row| **row == attributes.row) {
                *row = 0;
            }
        }
    }

    /// Takes in an item of the commit `seq`, which is in the making.
    pub fn insert(&mut self, (seq, id): (u64, ItemId), row: u32, kind: Kind, links: &Links, signature: [u8; 16]) {
        self.ahead = Some((seq, id));
        self.enter(row, kind, links.project, links.access, signature);
    }

    fn enter(&mut self, row: u32, kind: Kind, project: u32, access: u32, signature: [u8; 16]) {
        for key in band_keys(kind, project, access, signature) {
            let rows = self.bands.entry(key).or_default();
            if !rows.contains(&row) {
                // The first free place, or else that of the oldest, is the one that moves to the front.
                let free = rows.iter().position(|row| *row == 0);
                if free.is_none() {
                    self.crowded.insert(key);
                }
                let place = free.unwrap_or(REMEMBERED - 1);
                if let Some(moved) = rows.get_mut(..=place) {
                    moved.rotate_right(1);
                }
                if let Some(first) = rows.first_mut() {
                    *first = row;
                }
            }
        }
    }

    /// The item most like the text, of the same kind, project and access class, if it is similar enough.
    pub fn find(
        &self,
        connection: &Connection,
        content: &Content,
        links: &Links,
        least_similarity: f32,
    ) -> Result<Option<AddWarning>> {
        let Some(signature) = links.signature else { return Ok(None) };
        let kind = content.kind();
        let mut candidates: Vec<u32> = band_keys(kind, links.project, links.access, signature)
            .filter_map(|key| self.bands.get(&key))
            .flatten()
            .copied()
            .filter(|row| *row != 0)
            .collect();
        candidates.sort_unstable();
        candidates.dedup();
        let mut best: Option<(f32, u32)> = None;
        for row in candidates {
            let Some(attributes) = attributes::of_item(connection, row)? else { continue };
            let is_comparable = attributes.is_live
                && attributes.kind == kind
                && attributes.project == links.project
                && attributes.access == links.access;
            if !is_comparable {
                continue;
            }
            let similarity = match content {
                Content::Rule(rule) => similar(&rule.text, &chunks::text_of_item(connection, row)?),
                Content::Doc(doc) => similar(&doc.text, &chunks::text_of_item(connection, row)?),
                Content::Ref(reference) => similar(&reference.note, &chunks::text_of_item(connection, row)?),
            };
            if similarity >= least_similarity && best.is_none_or(|(most, _)| similarity > most) {
                best = Some((similarity, row));
            }
        }
        let Some((similarity, row)) = best else { return Ok(None) };
        let named = items::by_row(connection, row)?;
        Ok(named.map(|stored| AddWarning::NearDuplicate { id: stored.item.id, similarity }))
    }
}

fn similar(one: &str, other: &str) -> f32 {
    similarity(beginning(one), beginning(other))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use recollect_model::{Call, Draft, DraftContent, DraftFields};

    use super::*;

    const LINKS: Links = Links { project: 1, access: 1, content_hash: [0; 16], signature: None };

    #[test]
    fn a_commit_that_ends_late_settles_only_itself() {
        let mut cache = NearDuplicates::default();
        let [one, two] = [ItemId::generate(), ItemId::generate()];
        cache.insert((1, one), 1, Kind::Rule, &LINKS, [1; 16]);
        cache.expect(1, one);
        cache.insert((2, two), 2, Kind::Rule, &LINKS, [2; 16]);
        cache.settle(1, true);
        assert!(!cache.bands.is_empty());
        cache.settle(2, false);
        assert!(cache.bands.is_empty(), "what the second commit undid is forgotten");
    }

    fn store() -> crate::store::Store {
        let options = crate::open::StoreOptions::new(recollect_storage::OpenOptions::memory());
        crate::store::Store::open(options, &Call::unlimited()).unwrap()
    }

    fn add(store: &crate::store::Store, text: &str) -> ItemId {
        let content =
            DraftContent::Rule { text: text.to_owned(), applies_to: Vec::new(), modes: Vec::new(), always_on: false };
        let draft = Draft { fields: DraftFields::default(), content };
        store.add(Kind::Rule, vec![draft], None, &Call::unlimited()).unwrap().remove(0).id
    }

    #[test]
    fn a_commit_that_was_not_settled_is_looked_up() {
        let store = store();
        let known = add(&store, "a text of more than a few words");
        let snapshot = store.database().read(&Call::unlimited()).unwrap();
        for (id, is_kept) in [(known, true), (ItemId::generate(), false)] {
            let mut cache = NearDuplicates::default();
            cache.catch_up(&snapshot, 1).unwrap();
            let bands = cache.bands.len();
            cache.insert((1, id), 77, Kind::Rule, &LINKS, [1; 16]);
            cache.expect(1, id);
            assert!(cache.bands.len() > bands);
            // Whoever made it has not said how it ended; if it was not this one, another process made one of its number.
            cache.catch_up(&snapshot, 1).unwrap();
            assert_eq!(cache.bands.len() > bands, is_kept);
        }
    }

    #[test]
    fn what_was_purged_is_forgotten_without_reading_everything_unless_it_displaced_another() {
        let mut cache = NearDuplicates { seq: 9, ..NearDuplicates::default() };
        for row in 1..=5 {
            cache.enter(row, Kind::Rule, 1, 1, [1; 16]);
        }
        cache.enter(6, Kind::Rule, 1, 1, [2; 16]);
        cache.forget_purged(&HashSet::from([6]));
        assert_eq!((cache.seq, cache.bands.len()), (9, 4), "it stood alone");
        cache.forget_purged(&HashSet::from([5]));
        assert_eq!((cache.seq, cache.bands.len()), (0, 0), "the first has to be found again");
    }
}
