//! One file: what is on the disk, and what is not yet.

use crate::chance::Chance;

/// A disk writes whole sectors of that many bytes.
const SECTOR: u64 = 512;

/// A change that no sync has followed.
#[derive(Clone)]
pub(crate) struct Pending {
    /// Its place among all changes of the folder.
    pub(crate) number: u64,
    pub(crate) change: Change,
}

#[derive(Clone)]
pub(crate) enum Change {
    Write { offset: u64, bytes: Vec<u8> },
    Truncate { length: u64 },
}

/// What becomes of a change in a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Kept,
    Lost,
    /// Only some sectors of a write are kept.
    Torn,
}

/// A file, whatever its name is.
#[derive(Default)]
pub(crate) struct Node {
    durable: Vec<u8>,
    pub(crate) pending: Vec<Pending>,
    /// Device and inode, by which a file that was replaced is told from the old one.
    pub(crate) identity: (u64, u64),
}

impl Node {
    /// A file of which everything is on the disk.
    pub(crate) const fn durable(bytes: Vec<u8>, identity: (u64, u64)) -> Self {
        Self { durable: bytes, pending: Vec::new(), identity }
    }

    /// Everything that was written is on the disk now.
    pub(crate) fn sync(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            apply(&mut self.durable, &pending.change);
        }
    }

    /// What was written since the last sync will never be on the disk.
    pub(crate) fn lose(&mut self) {
        self.pending.clear();
    }

    /// The content after a power cut.
    pub(crate) fn after_cut(
        &self,
        chance: &mut Chance,
        mut fate: impl FnMut(&Pending, &mut Chance) -> Fate,
    ) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for pending in &self.pending {
            match (fate(pending, chance), &pending.change) {
                (Fate::Lost, _) => {}
                (Fate::Torn, Change::Write { offset, bytes: written }) => tear(&mut bytes, *offset, written, chance),
                (Fate::Kept | Fate::Torn, whole) => apply(&mut bytes, whole),
            }
        }
        bytes
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { offset, bytes: written } => write(bytes, *offset, written),
        Change::Truncate { length } => bytes.resize(place(*length), 0),
    }
}

fn write(bytes: &mut Vec<u8>, offset: u64, written: &[u8]) {
    let (start, end) = (place(offset), place(offset) + written.len());
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    if let Some(target) = bytes.get_mut(start..end) {
        target.copy_from_slice(written);
    }
}

/// Writes some of the sectors: the first ones, the last ones, or any.
fn tear(bytes: &mut Vec<u8>, offset: u64, written: &[u8], chance: &mut Chance) {
    let end = offset + written.len() as u64;
    let (first, last) = (offset / SECTOR, end.saturating_sub(1) / SECTOR);
    let border = first + chance.below(last - first + 1);
    let manner = chance.below(3);
    for sector in first..=last {
        let is_kept = match manner {
            0 => sector < border,
            1 => sector > border,
            _ => chance.coin(),
        };
        if is_kept {
            let from = (sector * SECTOR).max(offset);
            let to = ((sector + 1) * SECTOR).min(end);
            if let Some(part) = written.get(place(from - offset)..place(to - offset)) {
                write(bytes, from, part);
            }
        }
    }
}

/// A place in a file as a place in memory. A file of a test is far smaller than memory.
fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

    use super::*;

    fn node(durable: &[u8], changes: Vec<Change>) -> Node {
        let pending = (0..).zip(changes).map(|(number, change)| Pending { number, change }).collect();
        Node { durable: durable.to_vec(), pending, identity: (0, 0) }
    }

    fn after(node: &Node, fate: Fate) -> Vec<u8> {
        node.after_cut(&mut Chance::new(1), |_, _| fate)
    }

    #[test]
    fn what_was_not_synced_can_be_lost_or_kept() {
        let write = Change::Write { offset: 2, bytes: b"xyz".to_vec() };
        let mut node = node(b"abcd", vec![write, Change::Truncate { length: 4 }]);
        assert_eq!(after(&node, Fate::Lost), b"abcd");
        assert_eq!(after(&node, Fate::Kept), b"abxy");
        node.sync();
        assert_eq!(after(&node, Fate::Lost), b"abxy");
    }

    #[test]
    fn what_a_failed_sync_lost_no_later_sync_brings_back() {
        let mut node = node(b"abcd", vec![Change::Write { offset: 0, bytes: b"x".to_vec() }]);
        node.lose();
        node.sync();
        assert_eq!(after(&node, Fate::Kept), b"abcd");
    }

    #[test]
    fn a_torn_write_changes_whole_sectors_and_nothing_outside_of_it() {
        let durable = vec![b'.'; 4_096];
        let (offset, length) = (700_usize, 2_000_usize);
        let node = node(&durable, vec![Change::Write { offset: offset as u64, bytes: vec![b'x'; length] }]);
        let mut seen = std::collections::HashSet::new();
        for seed in 0..100 {
            let bytes = node.after_cut(&mut Chance::new(seed), |_, _| Fate::Torn);
            assert_eq!(bytes.len(), durable.len());
            assert!(bytes[..offset].iter().chain(&bytes[offset + length..]).all(|byte| *byte == b'.'));
            for sector in bytes[..].chunks(512) {
                let written = sector.iter().fold(0, |count, byte| count + usize::from(*byte == b'x'));
                let at = (sector.as_ptr() as usize - bytes.as_ptr() as usize, sector.len());
                let inside = (offset + length).min(at.0 + at.1).saturating_sub(offset.max(at.0));
                assert!(written == 0 || written == inside);
            }
            seen.insert(bytes);
        }
        assert!(seen.len() > 10);
    }
}
