//! Cuts raw text where no token can reach across.
//!
//! The normaliser of the model puts "▁" before the text and turns every space into "▁". No token has "▁" after another
//! character and none has a newline (both are checked when the model is loaded), so no merge reaches across the start
//! of a run of "▁" or across a newline, and each word can be tokenised, and remembered, alone.

/// What a space becomes.
pub(crate) const MARK: char = '▁';
const MARK_TEXT: &str = "▁";

/// A stretch of text that is tokenised alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// A special token, written out in the text.
    Special(u16),
    /// One newline.
    Newline,
    /// Some "▁", then text without a space, "▁" or newline. One of the two may be empty.
    Word {
        /// How many "▁" come first.
        mark_count: usize,
        /// What follows them.
        body: &'a str,
    },
}

/// What to look for: the bytes at which a piece may end, and the special tokens.
#[derive(Debug)]
pub(crate) struct Cutter {
    is_stop: [bool; 256],
    /// Longest first, so that of two specials that begin alike the longer wins.
    specials: Vec<(String, u16)>,
}

impl Cutter {
    /// A cutter for a model with these special tokens; empty ones never match.
    pub(crate) fn new(mut specials: Vec<(String, u16)>) -> Self {
        specials.retain(|(text, _)| !text.is_empty());
        specials.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        let first_bytes = specials.iter().filter_map(|(text, _)| text.as_bytes().first().copied());
        let mut is_stop = [false; 256];
        for byte in first_bytes.chain([b' ', b'\n']).chain(MARK_TEXT.bytes().take(1)) {
            if let Some(stop) = is_stop.get_mut(usize::from(byte)) {
                *stop = true;
            }
        }
        Self { is_stop, specials }
    }

    /// The pieces of a text, in order.
    pub(crate) fn pieces<'a>(&'a self, text: &'a str) -> Pieces<'a> {
        Pieces { cutter: self, rest: text, at_start: true }
    }

    fn special_at(&self, text: &str) -> Option<(usize, u16)> {
        self.specials.iter().find(|(special, _)| text.starts_with(special)).map(|(special, id)| (special.len(), *id))
    }

    /// The length of what comes before the next space, "▁", newline or special token.
    fn body_len(&self, text: &str) -> usize {
        let mut from = 0;
        loop {
            let Some(tail) = text.get(from..) else { return text.len() };
            let is_stop = |byte: u8| self.is_stop.get(usize::from(byte)).copied().unwrap_or(false);
            let Some(offset) = tail.bytes().position(is_stop) else { return text.len() };
            let at = from + offset;
            let Some(rest) = text.get(at..) else { return text.len() };
            if rest.starts_with([' ', '\n', MARK]) || self.special_at(rest).is_some() {
                return at;
            }
            from = at + 1;
            while !text.is_char_boundary(from) {
                from += 1;
            }
        }
    }
}

/// The iterator of [`Cutter::pieces`].
#[derive(Debug)]
pub(crate) struct Pieces<'a> {
    cutter: &'a Cutter,
    rest: &'a str,
    /// Whether the next word begins the text, or follows a special token: the normaliser puts a "▁" before it.
    at_start: bool,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        if let Some((len, id)) = self.cutter.special_at(self.rest) {
            self.rest = self.rest.get(len..).unwrap_or_default();
            self.at_start = true;
            return Some(Piece::Special(id));
        }
        let mut mark_count = usize::from(std::mem::take(&mut self.at_start));
        if mark_count == 0
            && let Some(rest) = self.rest.strip_prefix('\n')
        {
            self.rest = rest;
            return Some(Piece::Newline);
        }
        // A special token may itself begin with a space, so each step looks for one first.
        while self.cutter.special_at(self.rest).is_none() {
            let Some(rest) = self.rest.strip_prefix(' ').or_else(|| self.rest.strip_prefix(MARK)) else { break };
            self.rest = rest;
            mark_count += 1;
        }
        let (body, rest) = self.rest.split_at_checked(self.cutter.body_len(self.rest)).unwrap_or((self.rest, ""));
        self.rest = rest;
        Some(Piece::Word { mark_count, body })
    }
}
