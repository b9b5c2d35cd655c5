//! Byte-pair merges: which two neighbouring tokens become one, and in which order.
//!
//! The algorithm is that of Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with Subword Units"
//! (2016): of all neighbouring pairs the one that was learnt first is merged, the leftmost of equals, until none is
//! left.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The longest word, in symbols, that is merged by scanning; the scan is quadratic, but quicker for short words.
pub(crate) const SHORT_SYMBOLS: usize = 64;

/// How many nodes of room are kept after a very long word.
const KEPT_NODES: usize = 4_096;

const NO_RANK: u32 = u32::MAX;
const EMPTY: u64 = u64::MAX;

/// A merge: the left token, the right token, and what they become.
pub(crate) type Merge = (u16, u16, u16);

/// The merges of a model, by pair.
#[derive(Debug)]
pub(crate) struct Merges {
    /// Open addressing with linear probing, at most half full: the pair in the upper half of an entry, the rank in the
    /// lower.
    slots: Vec<u64>,
    /// What the merge of each rank gives.
    results: Vec<u16>,
}

/// Room for the merging of one word, kept for the next.
#[derive(Debug, Default)]
pub(crate) struct MergeSpace {
    ranks: Vec<u32>,
    nodes: Vec<Node>,
    queue: BinaryHeap<Reverse<(u32, usize)>>,
}

/// A symbol of a long word, with its neighbours; `NONE` where there is none.
#[derive(Debug, Clone, Copy)]
struct Node {
    id: u16,
    is_live: bool,
    previous: usize,
    next: usize,
}

const NONE: usize = usize::MAX;

fn pair_key(left: u16, right: u16) -> u32 {
    u32::from(left) << 16 | u32::from(right)
}

impl Merges {
    /// The given merges, the first to be applied first. A pair given twice has its later rank.
    pub(crate) fn new(merges: &[Merge]) -> Self {
        let mut this = Self {
            slots: vec![EMPTY; (merges.len() * 2).next_power_of_two().max(2)],
            results: merges.iter().map(|&(_, _, result)| result).collect(),
        };
        for (rank, &(left, right, _)) in (0u32..).zip(merges) {
            let key = pair_key(left, right);
            let at = this.slot_of(key);
            if let Some(slot) = this.slots.get_mut(at) {
                *slot = u64::from(key) << 32 | u64::from(rank);
            }
        }
        this
    }

    /// Where the key is, or where it would go.
    fn slot_of(&self, key: u32) -> usize {
        let mask = self.slots.len() - 1;
        // Fibonacci hashing; the upper half of the product is the better mixed one.
        let mut at = (u64::from(key).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize & mask;
        while let Some(&slot) = self.slots.get(at)
            && slot != EMPTY
            && slot >> 32 != u64::from(key)
        {
            at = (at + 1) & mask;
        }
        at
    }

    fn rank(&self, left: u16, right: u16) -> u32 {
        // An empty slot reads as the rank that no merge has.
        self.slots.get(self.slot_of(pair_key(left, right))).map_or(NO_RANK, |&slot| (slot & 0xFFFF_FFFF) as u32)
    }

    fn result(&self, rank: u32) -> Option<u16> {
        self.results.get(usize::try_from(rank).ok()?).copied()
    }

    /// Merges the symbols of one word in place until no merge applies.
    pub(crate) fn apply(&self, symbols: &mut Vec<u16>, space: &mut MergeSpace) {
        if symbols.len() <= SHORT_SYMBOLS {
            self.apply_by_scan(symbols, &mut space.ranks);
        } else {
            self.apply_by_queue(symbols, space);
        }
    }

    fn apply_by_scan(&self, symbols: &mut Vec<u16>, ranks: &mut Vec<u32>) {
        ranks.clear();
        ranks.extend(symbols.iter().zip(symbols.iter().skip(1)).map(|(&left, &right)| self.rank(left, right)));
        while let Some((at, &rank)) = ranks.iter().enumerate().min_by_key(|&(_, &rank)| rank)
            && let Some(merged) = self.result(rank)
        {
            symbols.remove(at + 1);
            ranks.remove(at);
            if let Some(symbol) = symbols.get_mut(at) {
                *symbol = merged;
            }
            if let Some(before) = at.checked_sub(1)
                && let (Some(rank), Some(&left)) = (ranks.get_mut(before), symbols.get(before))
            {
                *rank = self.rank(left, merged);
            }
            if let (Some(rank), Some(&right)) = (ranks.get_mut(at), symbols.get(at + 1)) {
                *rank = self.rank(merged, right);
            }
        }
    }

    /// The same in O(n log n), for words that someone may have made long on purpose.
    fn apply_by_queue(&self, symbols: &mut Vec<u16>, space: &mut MergeSpace) {
        let MergeSpace { nodes, queue, .. } = space;
        nodes.clear();
        nodes.extend(symbols.iter().enumerate().map(|(at, &id)| Node {
            id,
            is_live: true,
            previous: at.checked_sub(1).unwrap_or(NONE),
            next: if at + 1 < symbols.len() { at + 1 } else { NONE },
        }));
        queue.clear();
        for (at, (&left, &right)) in symbols.iter().zip(symbols.iter().skip(1)).enumerate() {
            self.offer(queue, at, left, right);
        }
        while let Some(Reverse((rank, at))) = queue.pop() {
            let Some(&node) = nodes.get(at) else { continue };
            let Some(&right) = nodes.get(node.next) else { continue };
            // The entry is out of date if either symbol was merged since.
            if !node.is_live || self.rank(node.id, right.id) != rank {
                continue;
            }
            let Some(merged) = self.result(rank) else { continue };
            if let Some(gone) = nodes.get_mut(node.next) {
                gone.is_live = false;
            }
            if let Some(after) = nodes.get_mut(right.next) {
                after.previous = at;
                let next_id = after.id;
                self.offer(queue, at, merged, next_id);
            }
            if let Some(kept) = nodes.get_mut(at) {
                kept.id = merged;
                kept.next = right.next;
            }
            if let Some(before) = nodes.get(node.previous) {
                self.offer(queue, node.previous, before.id, merged);
            }
        }
        symbols.clear();
        symbols.extend(nodes.iter().filter(|node| node.is_live).map(|node| node.id));
        nodes.shrink_to(KEPT_NODES);
        queue.shrink_to(KEPT_NODES);
    }

    fn offer(&self, queue: &mut BinaryHeap<Reverse<(u32, usize)>>, at: usize, left: u16, right: u16) {
        let rank = self.rank(left, right);
        if rank != NO_RANK {
            queue.push(Reverse((rank, at)));
        }
    }
}
