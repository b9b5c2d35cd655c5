//! A run of rows that tables share until one of them adds to it.

use std::sync::Arc;

use crate::kernels::{LANE, Lane, floats};
use crate::owners::OwnerMask;

const WORD_BITS: usize = u64::BITS as usize;
const WORDS: usize = 4;

/// What the vectors of a block may take. Adding to a block that a clone shares copies it, which this keeps in the tens
/// of microseconds.
const BLOCK_BYTES: usize = 256 * 1024;

/// The numbers of one table that all its blocks agree on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// Components of a vector.
    pub(crate) dimension: usize,
    /// Lanes that a row takes, the last one filled up with zeros.
    pub(crate) lanes: usize,
    /// Rows of a full block.
    pub(crate) rows: usize,
}

impl Layout {
    pub(crate) fn new(dimension: usize) -> Self {
        let lanes = dimension.div_ceil(LANE);
        let rows = (BLOCK_BYTES / (lanes * size_of::<Lane>())).clamp(1, WORDS * WORD_BITS);
        Self { dimension, lanes, rows }
    }
}

/// Up to [`Layout::rows`] rows with ascending ids.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    rows: Arc<Rows>,
    /// One bit for each row: outside of `rows`, so that removing a row copies no vectors.
    live: [u64; WORDS],
}

#[derive(Debug)]
struct Rows {
    layout: Layout,
    lanes: Vec<Lane>,
    ids: Vec<u32>,
    owners: Vec<u32>,
}

impl Clone for Rows {
    /// Copies with the room of a full block, because rows are copied only when one is to be added.
    fn clone(&self) -> Self {
        let mut copy = Self::empty(self.layout);
        copy.lanes.extend_from_slice(&self.lanes);
        copy.ids.extend_from_slice(&self.ids);
        copy.owners.extend_from_slice(&self.owners);
        copy
    }
}

impl Rows {
    fn empty(layout: Layout) -> Self {
        Self {
            layout,
            lanes: Vec::with_capacity(layout.rows * layout.lanes),
            ids: Vec::with_capacity(layout.rows),
            owners: Vec::with_capacity(layout.rows),
        }
    }
}

impl Block {
    pub(crate) fn empty(layout: Layout) -> Self {
        Self { rows: Arc::new(Rows::empty(layout)), live: [0; WORDS] }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.rows.ids.len() >= self.rows.layout.rows
    }

    /// Adds a live row. The block must not be full, and `id` must be above those that it has.
    pub(crate) fn push(&mut self, id: u32, owner: u32, row: &[Lane]) {
        let rows = Arc::make_mut(&mut self.rows);
        let index = rows.ids.len();
        rows.lanes.extend_from_slice(row);
        rows.ids.push(id);
        rows.owners.push(owner);
        self.set_live(index, true);
    }

    pub(crate) fn last_id(&self) -> Option<u32> {
        self.rows.ids.last().copied()
    }

    /// Where the row of that id stands, live or not.
    pub(crate) fn find(&self, id: u32) -> Option<usize> {
        self.rows.ids.binary_search(&id).ok()
    }

    pub(crate) fn is_live(&self, index: usize) -> bool {
        self.live.get(index / WORD_BITS).is_some_and(|word| word & (1 << (index % WORD_BITS)) != 0)
    }

    /// Marks a row; returns whether that changed anything.
    pub(crate) fn set_live(&mut self, index: usize, is_live: bool) -> bool {
        let Some(word) = self.live.get_mut(index / WORD_BITS) else { return false };
        let bit = 1 << (index % WORD_BITS);
        let before = *word;
        *word = if is_live { before | bit } else { before & !bit };
        *word != before
    }

    /// The vector of a row and the zeros behind it.
    pub(crate) fn row(&self, index: usize) -> Option<&[f32]> {
        let start = index * self.rows.layout.lanes;
        self.rows.lanes.get(start..start + self.rows.layout.lanes).map(floats)
    }

    pub(crate) fn owner(&self, index: usize) -> Option<u32> {
        self.rows.owners.get(index).copied()
    }

    /// Hands on id, owner and padded vector of each live row whose owner is in the mask, by ascending id.
    pub(crate) fn each_allowed<'block>(&'block self, mask: &OwnerMask, mut take: impl FnMut(u32, u32, &'block [f32])) {
        let rows = &*self.rows;
        let words = self.live.iter().zip(rows.owners.chunks(WORD_BITS)).zip(rows.ids.chunks(WORD_BITS));
        for (word_index, ((&live, owners), ids)) in words.enumerate() {
            if live == 0 {
                continue;
            }
            let masked = owners.iter().rev().fold(0, |bits, &owner| bits << 1 | u64::from(mask.contains(owner)));
            let mut allowed = live & masked;
            while allowed != 0 {
                let bit = allowed.trailing_zeros() as usize;
                allowed &= allowed - 1;
                if let (Some(&id), Some(&owner), Some(row)) =
                    (ids.get(bit), owners.get(bit), self.row(word_index * WORD_BITS + bit))
                {
                    take(id, owner, row);
                }
            }
        }
    }

    /// All vectors, padded, one behind the other.
    pub(crate) fn floats(&self) -> &[f32] {
        floats(&self.rows.lanes)
    }

    /// The memory of the block, with the room that is not yet used.
    pub(crate) fn bytes(&self) -> usize {
        let rows = &*self.rows;
        size_of::<Self>()
            + size_of::<Rows>()
            + rows.lanes.capacity() * size_of::<Lane>()
            + (rows.ids.capacity() + rows.owners.capacity()) * size_of::<u32>()
    }
}
