//! Which characters may lie side by side in a token.
//!
//! Where two characters are neighbours in no token, no merge reaches across, and the text may be cut between them: a
//! letter and a bracket, say. Code is full of such places, and what lies between them is met again far more often than
//! the whole word is.

/// The pairs of characters that lie side by side in some token.
#[derive(Debug, Default)]
pub(crate) struct Joins {
    /// Pairs of ASCII characters: a bit for the right one, by the left one.
    ascii: Vec<u128>,
    /// All other pairs, sorted once [`Self::finish`] was called.
    others: Vec<(char, char)>,
}

impl Joins {
    /// No pairs yet.
    pub(crate) fn new() -> Self {
        Self { ascii: vec![0; 128], others: Vec::new() }
    }

    /// Adds every pair of neighbours in a token.
    pub(crate) fn add_token(&mut self, token: &str) {
        for (left, right) in token.chars().zip(token.chars().skip(1)) {
            match self.ascii.get_mut(left as usize) {
                Some(rights) if right.is_ascii() => *rights |= 1 << u32::from(right),
                _ => self.others.push((left, right)),
            }
        }
    }

    /// Makes the pairs ready to be looked up.
    #[must_use]
    pub(crate) fn finish(mut self) -> Self {
        self.others.sort_unstable();
        self.others.dedup();
        self
    }

    fn holds(&self, left: char, right: char) -> bool {
        match self.ascii.get(left as usize) {
            Some(rights) if right.is_ascii() => rights >> u32::from(right) & 1 == 1,
            _ => self.others.binary_search(&(left, right)).is_ok(),
        }
    }

    /// The length in bytes of the longest start of `text` within which all neighbours join; 0 for an empty text.
    pub(crate) fn run_len(&self, text: &str) -> usize {
        let neighbours = text.char_indices().skip(1).zip(text.chars());
        neighbours
            .into_iter()
            .find(|&((_, right), left)| !self.holds(left, right))
            .map_or(text.len(), |((at, _), _)| at)
    }
}
