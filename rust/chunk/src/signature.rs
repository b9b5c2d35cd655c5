//! Near-duplicates: a signature that finds candidates, and the exact similarity that decides.
//!
//! Shingles, their resemblance and its estimate by least hashes: A. Z. Broder, "On the resemblance and containment of
//! documents", 1997. Banding: J. Leskovec, A. Rajaraman, J. D. Ullman, "Mining of Massive Datasets", chapter 3.

use std::collections::HashMap;

/// Rows in a band, and bands in a signature.
const ROWS: usize = 4;
const BANDS: usize = 4;
const HASHES: usize = ROWS * BANDS;

/// Texts of fewer words have no signature: they are alike by accident.
const MIN_WORDS: usize = 4;

/// The least of sixteen hashes over the pairs of neighbouring words of a text, four to a band, each band as one number.
///
/// Two texts whose sets of word pairs have the Jaccard similarity `s` share at least one band with the probability
/// `1 - (1 - s⁴)⁴`: 0.99 at 0.9, 0.88 at 0.8, 0.23 at 0.5, 0.006 at 0.2. So sharing a band makes a candidate, which
/// [`similarity`] confirms. Signatures are stored: their values are the same on every machine and in every release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature(pub [u32; BANDS]);

impl Signature {
    /// The signature of a text; none when it has fewer than four words.
    ///
    /// Only letters and digits count, in lower case. An ideograph or kana is a word of its own. Time is linear.
    pub fn of(text: &str) -> Option<Self> {
        let mut least = [u32::MAX; HASHES];
        let mut before: Option<u64> = None;
        let mut words = 0_usize;
        each_word(text, |word| {
            let hash = hash_word(word);
            if let Some(before) = before {
                // The pair is ordered: "a b" is not "b a".
                let pair = mix(before.rotate_left(23) ^ hash);
                take_least(&mut least, (pair >> 32) as u32);
            }
            before = Some(hash);
            words += 1;
        });
        if words < MIN_WORDS {
            return None;
        }
        let mut bands = [0; BANDS];
        for (band, rows) in bands.iter_mut().zip(least.chunks_exact(ROWS)) {
            let folded = rows.iter().fold(0_u64, |folded, &row| mix(folded ^ u64::from(row)));
            *band = (folded >> 32) as u32;
        }
        Some(Self(bands))
    }

    /// Whether the texts of the two are likely to be near-duplicates.
    pub fn shares_band(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(own, others)| own == others)
    }
}

/// The Jaccard similarity of the sets of word pairs of two texts, from 0 to 1, computed exactly.
///
/// Words are those of [`Signature::of`]. A text of fewer than two words has no pairs; two such texts have the
/// similarity 1 when their words are equal, and else 0.
pub fn similarity(a: &str, b: &str) -> f32 {
    let mut numbers = HashMap::new();
    let (a_words, b_words) = (number_words(a, &mut numbers), number_words(b, &mut numbers));
    let (a_pairs, b_pairs) = (pairs(&a_words), pairs(&b_words));
    if a_pairs.is_empty() && b_pairs.is_empty() {
        return if a_words == b_words { 1.0 } else { 0.0 };
    }
    let common = a_pairs.iter().filter(|pair| b_pairs.binary_search(pair).is_ok()).count();
    let all = a_pairs.len() + b_pairs.len() - common;
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a ratio of two counts")]
    let ratio = (common as f64 / all as f64) as f32;
    ratio
}

/// The words of a text as numbers that are equal exactly where the words are.
fn number_words(text: &str, numbers: &mut HashMap<Vec<u8>, usize>) -> Vec<usize> {
    let mut words = Vec::new();
    each_word(text, |word| {
        let next = numbers.len();
        let number = numbers.get(word).copied().unwrap_or_else(|| {
            numbers.insert(word.to_vec(), next);
            next
        });
        words.push(number);
    });
    words
}

/// The set of neighbouring words, in order.
fn pairs(words: &[usize]) -> Vec<(usize, usize)> {
    let mut pairs: Vec<_> = words.iter().copied().zip(words.iter().copied().skip(1)).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// Calls `visit` with each word in lower case, as UTF-8.
fn each_word(text: &str, mut visit: impl FnMut(&[u8])) {
    let mut word: Vec<u8> = Vec::with_capacity(64);
    let mut buffer = [0; 4];
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            word.push(character.to_ascii_lowercase() as u8);
            continue;
        }
        let is_single = is_ideographic(character);
        if is_single || !character.is_alphanumeric() {
            if !word.is_empty() {
                visit(&word);
                word.clear();
            }
            if is_single {
                visit(character.encode_utf8(&mut buffer).as_bytes());
            }
            continue;
        }
        for lower in character.to_lowercase() {
            word.extend_from_slice(lower.encode_utf8(&mut buffer).as_bytes());
        }
    }
    if !word.is_empty() {
        visit(&word);
    }
}

/// Whether the character belongs to a script that sets no blanks between words: kana or an ideograph.
fn is_ideographic(character: char) -> bool {
    matches!(character, '\u{3041}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
        && character.is_alphabetic()
}

/// Hashes eight bytes at a time; the length goes in, so that a short tail is not taken for zeros.
fn hash_word(word: &[u8]) -> u64 {
    word.chunks(8).fold(word.len() as u64, |hash, chunk| {
        let number = chunk.iter().rev().fold(0_u64, |number, &byte| (number << 8) | u64::from(byte));
        mix(hash ^ number)
    })
}

/// Spreads a number over all its bits: the finaliser of `SplitMix64` (Steele, Lea, Flood, 2014).
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// The multipliers and additions of the sixteen hashes, `x ↦ a·x + b`: odd multipliers, so that each is a permutation.
const PERMUTATIONS: [[u32; HASHES]; 2] = permutations();

const fn permutations() -> [[u32; HASHES]; 2] {
    let mut table = [[0; HASHES]; 2];
    let mut state = 0x5EED_u32;
    let mut index = 0;
    while index < HASHES {
        // The generator of Numerical Recipes (1992), taken twice a row; any fixed numbers would do.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        #[expect(clippy::indexing_slicing, reason = "const evaluation stops the build when it is out of range")]
        {
            table[0][index] = (state ^ (state >> 15)) | 1;
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            table[1][index] = state ^ (state >> 15);
        }
        index += 1;
    }
    table
}

/// Takes each of the sixteen hashes of `shingle` into the least seen. Written as one plain loop over arrays, which the
/// compiler turns into vector instructions.
fn take_least(least: &mut [u32; HASHES], shingle: u32) {
    let [multipliers, additions] = &PERMUTATIONS;
    for ((least, multiplier), addition) in least.iter_mut().zip(multipliers).zip(additions) {
        let hash = shingle.wrapping_mul(*multiplier).wrapping_add(*addition);
        // Multiplying moves nothing downwards; without this the low bits of the shingle would decide ties only.
        *least = (*least).min((hash ^ (hash >> 16)).wrapping_mul(0x85EB_CA6B));
    }
}
