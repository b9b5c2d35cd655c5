//! A quick hash for the tokens of one file, which nobody can choose against us while we look up only that file's own.

use std::hash::{BuildHasherDefault, Hasher};

/// For a `HashMap` with text as its key.
pub(crate) type BuildTextHasher = BuildHasherDefault<TextHasher>;

/// Multiplies and rotates eight bytes at a time.
#[derive(Debug, Default)]
pub(crate) struct TextHasher(u64);

impl TextHasher {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl Hasher for TextHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            self.add(rest.iter().fold(1, |word, byte| word << 8 | u64::from(*byte)));
        }
    }

    fn finish(&self) -> u64 {
        // The map takes its slot from the low bits and its tag from the high ones; multiplication mixes upwards.
        self.0 ^ self.0 >> 32
    }
}
