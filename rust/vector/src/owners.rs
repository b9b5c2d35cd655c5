//! The set of owners whose rows may be ranked.

const WORD_BITS: u32 = u64::BITS;

/// A set of owners, one bit for each number up to the largest that was inserted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnerMask {
    words: Vec<u64>,
    len: usize,
}

impl OwnerMask {
    /// The empty set.
    pub const fn new() -> Self {
        Self { words: Vec::new(), len: 0 }
    }

    /// The owners `0..count`.
    pub fn full(count: u32) -> Self {
        let mut words = vec![u64::MAX; (count / WORD_BITS) as usize];
        let rest = count % WORD_BITS;
        if rest > 0 {
            words.push((1 << rest) - 1);
        }
        Self { words, len: count as usize }
    }

    /// Adds an owner; returns whether it was missing.
    pub fn insert(&mut self, owner: u32) -> bool {
        let (index, bit) = Self::place(owner);
        if index >= self.words.len() {
            self.words.resize(index + 1, 0);
        }
        let Some(word) = self.words.get_mut(index) else { return false };
        let is_new = *word & bit == 0;
        *word |= bit;
        self.len += usize::from(is_new);
        is_new
    }

    /// Takes an owner out; returns whether it was there.
    pub fn remove(&mut self, owner: u32) -> bool {
        let (index, bit) = Self::place(owner);
        let Some(word) = self.words.get_mut(index) else { return false };
        let was_there = *word & bit != 0;
        *word &= !bit;
        self.len -= usize::from(was_there);
        was_there
    }

    /// Whether the owner is in the set.
    #[inline]
    pub fn contains(&self, owner: u32) -> bool {
        let (index, bit) = Self::place(owner);
        self.words.get(index).is_some_and(|word| word & bit != 0)
    }

    /// How many owners are in the set.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether no owner is in the set.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The owners, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        (0..=u32::MAX).step_by(WORD_BITS as usize).zip(&self.words).flat_map(|(base, &word)| {
            (0..WORD_BITS).filter(move |bit| word & (1 << bit) != 0).map(move |bit| base + bit)
        })
    }

    #[inline]
    const fn place(owner: u32) -> (usize, u64) {
        ((owner / WORD_BITS) as usize, 1 << (owner % WORD_BITS))
    }
}

impl FromIterator<u32> for OwnerMask {
    fn from_iter<I: IntoIterator<Item = u32>>(owners: I) -> Self {
        let mut mask = Self::new();
        mask.extend(owners);
        mask
    }
}

impl Extend<u32> for OwnerMask {
    fn extend<I: IntoIterator<Item = u32>>(&mut self, owners: I) {
        for owner in owners {
            self.insert(owner);
        }
    }
}
