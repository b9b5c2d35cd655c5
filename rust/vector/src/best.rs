//! The best hits seen so far.

use std::cmp::Ordering;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

/// One ranked row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The cosine of query and row, from −1 to 1.
    pub score: f32,
    /// The id of the row.
    pub id: u32,
    /// The owner of the row.
    pub owner: u32,
}

/// A hit in the order of an answer: the higher score first, of equal scores the smaller id.
#[derive(Debug, Clone, Copy)]
struct Ranked(Hit);

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.score.total_cmp(&self.0.score).then(self.0.id.cmp(&other.0.id))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}

/// What a scan feeds.
pub(crate) trait Best {
    /// The least score that can still change the answer.
    fn threshold(&self) -> f32;

    /// Takes one row that has at least the threshold.
    fn offer(&mut self, hit: Hit);
}

/// The best `k` rows.
pub(crate) struct BestRows {
    k: usize,
    kept: BinaryHeap<Ranked>,
}

impl BestRows {
    pub(crate) fn new(k: usize) -> Self {
        Self { k, kept: BinaryHeap::new() }
    }

    /// The answer, best first.
    pub(crate) fn into_hits(self) -> Vec<Hit> {
        self.kept.into_sorted_vec().into_iter().map(|ranked| ranked.0).collect()
    }
}

impl Best for BestRows {
    fn threshold(&self) -> f32 {
        if self.kept.len() < self.k {
            return f32::NEG_INFINITY;
        }
        self.kept.peek().map_or(f32::NEG_INFINITY, |worst| worst.0.score)
    }

    fn offer(&mut self, hit: Hit) {
        let ranked = Ranked(hit);
        if self.kept.len() < self.k {
            self.kept.push(ranked);
        } else if let Some(mut worst) = self.kept.peek_mut()
            && ranked < *worst
        {
            *worst = ranked;
        }
    }
}

/// The best row of each of the best `k` owners.
///
/// An owner that was pushed out comes back only with a row that ranks before the worst one kept, and so before all
/// earlier rows of that owner: forgetting those loses nothing.
pub(crate) struct BestOwners {
    k: usize,
    kept: BTreeSet<Ranked>,
    by_owner: HashMap<u32, Ranked>,
}

impl BestOwners {
    pub(crate) fn new(k: usize) -> Self {
        Self { k, kept: BTreeSet::new(), by_owner: HashMap::new() }
    }

    /// The answer, best first.
    pub(crate) fn into_hits(self) -> Vec<Hit> {
        self.kept.into_iter().map(|ranked| ranked.0).collect()
    }
}

impl Best for BestOwners {
    fn threshold(&self) -> f32 {
        if self.kept.len() < self.k {
            return f32::NEG_INFINITY;
        }
        self.kept.last().map_or(f32::NEG_INFINITY, |worst| worst.0.score)
    }

    fn offer(&mut self, hit: Hit) {
        let ranked = Ranked(hit);
        if let Some(&earlier) = self.by_owner.get(&hit.owner) {
            if ranked >= earlier {
                return;
            }
            self.kept.remove(&earlier);
        } else if self.kept.len() >= self.k {
            match self.kept.last() {
                Some(&worst) if ranked < worst => {
                    self.kept.remove(&worst);
                    self.by_owner.remove(&worst.0.owner);
                }
                _ => return,
            }
        }
        self.kept.insert(ranked);
        self.by_owner.insert(hit.owner, ranked);
    }
}
