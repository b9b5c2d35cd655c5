//! Text to token ids.

use crate::joins::Joins;
use crate::merges::{MergeSpace, Merges};
use crate::pieces::{Cutter, MARK, Piece};
use crate::tokenizer_file::TokenizerFile;
use crate::word_cache::{WordCache, WordKey};

/// The tokeniser of a static model. Immutable; what a thread needs to work with it is a [`Workspace`].
#[derive(Debug)]
pub(crate) struct Tokenizer {
    cutter: Cutter,
    /// The id of each character that is a token, by code point; [`Self::NO_ID`] elsewhere.
    char_ids: Vec<u16>,
    /// The id of each byte, for characters that are no token.
    byte_ids: [u16; 256],
    mark_id: u16,
    joins: Joins,
    merges: Merges,
}

/// What one thread needs while it tokenises: remembered words, and room.
#[derive(Debug)]
pub(crate) struct Workspace {
    cache: WordCache,
    symbols: Vec<u16>,
    space: MergeSpace,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        Self { cache: WordCache::new(), symbols: Vec::new(), space: MergeSpace::default() }
    }
}

impl Tokenizer {
    /// No vocabulary is so large that it has this id.
    pub(crate) const NO_ID: u16 = u16::MAX;

    /// The tokeniser that a checked file describes.
    pub(crate) fn new(file: TokenizerFile) -> Self {
        let len = file.char_ids.iter().map(|&(char, _)| char as usize + 1).max().unwrap_or(0);
        let mut char_ids = vec![Self::NO_ID; len];
        for (char, id) in file.char_ids {
            if let Some(slot) = char_ids.get_mut(char as usize) {
                *slot = id;
            }
        }
        Self {
            mark_id: char_ids.get(MARK as usize).copied().unwrap_or(Self::NO_ID),
            cutter: Cutter::new(file.specials),
            char_ids,
            byte_ids: file.byte_ids,
            joins: file.joins,
            merges: Merges::new(&file.merges),
        }
    }

    /// Appends the ids of a text's tokens.
    pub(crate) fn encode(&self, text: &str, work: &mut Workspace, ids: &mut Vec<u16>) {
        for piece in self.cutter.pieces(text) {
            match piece {
                Piece::Special(id) => ids.push(id),
                Piece::Newline => ids.extend(self.byte_id(b'\n')),
                Piece::Word { mark_count, body } => self.encode_word(mark_count, body, work, ids),
            }
        }
    }

    fn encode_word(&self, mark_count: usize, body: &str, work: &mut Workspace, ids: &mut Vec<u16>) {
        let key = WordKey::new(mark_count, body);
        if let Some(known) = key.and_then(|key| work.cache.get(key)) {
            ids.extend_from_slice(known);
            return;
        }
        let start = ids.len();
        // A run of a run is itself, so this calls itself once at most.
        let (mut run, mut rest) = self.split_run(body);
        if rest.is_empty() {
            self.encode_run(mark_count, body, work);
            ids.extend_from_slice(&work.symbols);
        } else {
            self.encode_word(mark_count, run, work, ids);
            while !rest.is_empty() {
                (run, rest) = self.split_run(rest);
                self.encode_word(0, run, work, ids);
            }
        }
        if let (Some(key), Some(tokens)) = (key, ids.get(start..)) {
            work.cache.put(key, tokens);
        }
    }

    fn split_run<'a>(&self, text: &'a str) -> (&'a str, &'a str) {
        text.split_at_checked(self.joins.run_len(text)).unwrap_or((text, ""))
    }

    /// Leaves the ids of some "▁" and what follows in `work.symbols`.
    fn encode_run(&self, mark_count: usize, run: &str, work: &mut Workspace) {
        work.symbols.clear();
        work.symbols.extend(std::iter::repeat_n(self.mark_id, mark_count));
        for char in run.chars() {
            match self.char_ids.get(char as usize) {
                Some(&id) if id != Self::NO_ID => work.symbols.push(id),
                _ => {
                    let mut buffer = [0; 4];
                    work.symbols.extend(char.encode_utf8(&mut buffer).bytes().filter_map(|byte| self.byte_id(byte)));
                }
            }
        }
        self.merges.apply(&mut work.symbols, &mut work.space);
    }

    fn byte_id(&self, byte: u8) -> Option<u16> {
        self.byte_ids.get(usize::from(byte)).copied()
    }
}
