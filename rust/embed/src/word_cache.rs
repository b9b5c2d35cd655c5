//! The tokens of words seen before.
//!
//! The table is direct-mapped: a word has one place, and takes it from whoever was there. So its size is fixed, a
//! look-up costs one comparison whatever the text is, and no choice of words makes it slow.

/// How many words are remembered. A larger table is hit a little more often, but leaves the processor's caches.
const SLOT_COUNT: usize = 1 << 15;
/// The longest word that is remembered, in bytes without its "▁".
const BODY_BYTES: usize = 30;
/// The most tokens a remembered word may have.
const ID_COUNT: usize = 15;

/// A word as it is looked up: its bytes padded with zero, its length and its count of "▁".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WordKey([u64; 4]);

impl WordKey {
    /// The key of a word, if it is short enough to be remembered.
    pub(crate) fn new(mark_count: usize, body: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        bytes.get_mut(..body.len())?.copy_from_slice(body.as_bytes());
        let [.., length, marks] = &mut bytes;
        if body.len() > BODY_BYTES {
            return None;
        }
        *length = u8::try_from(body.len()).ok()?;
        *marks = u8::try_from(mark_count).ok()?;
        let (words, _) = bytes.as_chunks::<8>();
        let mut words = words.iter().map(|word| u64::from_le_bytes(*word));
        Some(Self([words.next()?, words.next()?, words.next()?, words.next()?]))
    }

    fn slot(self) -> usize {
        const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
        let hash = self.0.iter().fold(0u64, |hash, word| (hash.rotate_left(23) ^ word).wrapping_mul(MULTIPLIER));
        (hash >> 40) as usize % SLOT_COUNT
    }
}

/// A remembered word: one cache line, so that a look-up touches no second one.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Slot {
    /// Zero where no word is: no word has neither "▁" nor text.
    key: [u64; 4],
    count: u16,
    ids: [u16; ID_COUNT],
}

impl Slot {
    const EMPTY: Self = Self { key: [0; 4], count: 0, ids: [0; ID_COUNT] };
}

/// A bounded memory of words and their tokens, for one thread at a time.
#[derive(Debug)]
pub(crate) struct WordCache {
    slots: Vec<Slot>,
}

impl WordCache {
    /// An empty cache, of 2 MiB.
    pub(crate) fn new() -> Self {
        Self { slots: vec![Slot::EMPTY; SLOT_COUNT] }
    }

    /// The tokens of a word, if it is remembered.
    pub(crate) fn get(&self, key: WordKey) -> Option<&[u16]> {
        let slot = self.slots.get(key.slot())?;
        // Without a branch between the words: the compiler would otherwise load the key, just put together from smaller
        // stores, in wider pieces, and wait for it.
        let difference = key.0.iter().zip(&slot.key).fold(0, |difference, (left, right)| difference | (left ^ right));
        if difference != 0 {
            return None;
        }
        slot.ids.get(..usize::from(slot.count))
    }

    /// Remembers the tokens of a word, unless they are too many.
    pub(crate) fn put(&mut self, key: WordKey, tokens: &[u16]) {
        let Some(slot) = self.slots.get_mut(key.slot()) else { return };
        let (Some(ids), Ok(count)) = (slot.ids.get_mut(..tokens.len()), u16::try_from(tokens.len())) else { return };
        ids.copy_from_slice(tokens);
        (slot.key, slot.count) = (key.0, count);
    }
}
