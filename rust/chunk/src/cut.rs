//! Cutting a text along its outline.
//!
//! The text is walked once. Each piece starts where the last one ended, and ends at the best border within its reach,
//! so the work for a piece is bounded by the sizes in the settings and the whole is linear.

use crate::boundary::{after_blanks, first_word, floor, last_line, last_sentence, last_word, skip_blanks};
use crate::outline::{Block, Heading, Kind, Outline};
use crate::piece::Piece;
use crate::settings::Settings;

/// The cost of a border between two headings, or behind front matter: above every depth, as they belong together.
const OPENING_COST: u8 = u8::MAX;

/// The pieces of the text, one section after the other.
pub(crate) fn cut(text: &str, outline: Outline, settings: &Settings) -> Vec<Piece> {
    let mut writer = Writer { text, pieces: Vec::new(), trail: Trail::new(outline.headings), start: 0, start_char: 0 };
    let mut rest = outline.blocks.as_slice();
    while !rest.is_empty() {
        let (section, after) = rest.split_at(section_length(rest));
        let end = after.first().map_or(text.len(), |block| block.start);
        let mut blocks = section;
        while writer.start < end {
            while let [_, next, ..] = blocks
                && next.start <= writer.start
            {
                blocks = blocks.get(1..).unwrap_or_default();
            }
            let next = Cutter { text, blocks, end, settings }.next(skip_blanks(text, writer.start));
            writer.piece(next);
        }
        rest = after;
    }
    // Only a blank text has no blocks.
    if writer.start < text.len() {
        writer.piece(text.len());
    }
    writer.pieces
}

/// How many of the blocks stand before the next heading that opens a section.
fn section_length(blocks: &[Block]) -> usize {
    let mut has_content = false;
    for (index, block) in blocks.iter().enumerate() {
        if has_content && block.kind == Kind::Heading {
            return index;
        }
        has_content |= !block.kind.is_opening();
    }
    blocks.len()
}

/// Finds the end of one piece inside a section.
struct Cutter<'a> {
    text: &'a str,
    /// The blocks of the section from the one that the piece starts in.
    blocks: &'a [Block],
    /// The end of the section.
    end: usize,
    settings: &'a Settings,
}

impl Cutter<'_> {
    /// Where the piece ends whose first character that is not blank is at `from`.
    fn next(&self, from: usize) -> usize {
        let Settings { target_bytes, max_bytes } = *self.settings;
        let roomy = max_bytes.min(target_bytes.saturating_add(target_bytes / 4));
        if self.blocks.last().is_none_or(|last| last.content_end - from <= roomy) {
            return self.end;
        }
        let limit = floor(self.text, from.saturating_add(target_bytes));
        let mut best: Option<(u8, usize)> = None;
        for (index, block) in self.blocks.iter().enumerate() {
            let next = self.blocks.get(index + 1);
            if block.content_end > limit {
                let next = next.map_or(self.end, |next| next.start);
                return best.map_or_else(|| self.inside(block, next, from, limit), |(_, border)| border);
            }
            let Some(next) = next else { break };
            // A border near the start is no use: what stands before it is an introduction to what follows.
            let is_far = block.content_end - from >= target_bytes / 4;
            if let Some(cost) = border_cost(block, next).filter(|_| is_far)
                && best.is_none_or(|(least, _)| cost <= least)
            {
                best = Some((cost, next.start));
            }
        }
        self.end
    }

    /// Where to cut when there is no border between blocks within reach, and `block` is the one that reaches beyond.
    fn inside(&self, block: &Block, next: usize, from: usize, limit: usize) -> usize {
        let text = self.text;
        let Settings { target_bytes, max_bytes } = *self.settings;
        if block.kind == Kind::Whole && block.content_end - block.start <= max_bytes {
            return if block.content_end - from <= max_bytes { next } else { block.start };
        }
        let first = from.max(skip_blanks(text, block.start));
        if first >= limit {
            return block.start;
        }
        let border = if block.kind == Kind::Whole {
            last_line(text, first, limit)
        } else {
            last_sentence(text, first, from + target_bytes / 4, limit)
        };
        border.or_else(|| last_word(text, first, limit)).unwrap_or_else(|| self.inside_word(block, next, from, limit))
    }

    /// Where to cut when one word fills all that is within reach: behind it, if the maximum allows, or through it.
    fn inside_word(&self, block: &Block, next: usize, from: usize, limit: usize) -> usize {
        let text = self.text;
        // The rest of a word that was cut before is not kept whole: its pieces are to be of one size.
        let is_rest = text.get(..from).is_some_and(|before| before.ends_with(|last: char| !last.is_whitespace()));
        if is_rest {
            return after_blanks(text, limit);
        }
        let farthest = floor(text, from.saturating_add(self.settings.max_bytes)).min(block.content_end);
        first_word(text, limit, farthest)
            .unwrap_or_else(|| if farthest == block.content_end { next } else { after_blanks(text, limit) })
    }
}

/// What a cut between two neighbours costs; none where a heading would lose what stands under it.
fn border_cost(before: &Block, after: &Block) -> Option<u8> {
    match (before.kind, after.kind) {
        (Kind::FrontMatter, _) | (Kind::Heading, Kind::Heading) => Some(OPENING_COST),
        (Kind::Heading, _) => None,
        _ => Some(after.depth),
    }
}

/// Writes the pieces down, counting code points and following the headings.
struct Writer<'a> {
    text: &'a str,
    pieces: Vec<Piece>,
    trail: Trail,
    start: usize,
    start_char: usize,
}

impl Writer<'_> {
    fn piece(&mut self, end: usize) {
        let characters = self.text.get(self.start..end).unwrap_or_default().chars().count();
        let end_char = self.start_char + characters;
        let heading = self.trail.before(end);
        self.pieces.push(Piece { start: self.start, end, start_char: self.start_char, end_char, heading });
        self.start = end;
        self.start_char = end_char;
    }
}

/// The headings that are open at a place of the text.
struct Trail {
    coming: std::iter::Peekable<std::vec::IntoIter<Heading>>,
    open: Vec<Heading>,
}

impl Trail {
    fn new(headings: Vec<Heading>) -> Self {
        Self { coming: headings.into_iter().peekable(), open: Vec::new() }
    }

    /// The titles open just before `end`. A piece holds headings only ahead of everything else, so they are the trail
    /// of all of it.
    fn before(&mut self, end: usize) -> Vec<String> {
        while let Some(heading) = self.coming.next_if(|heading| heading.start < end) {
            while self.open.pop_if(|open| open.rank >= heading.rank).is_some() {}
            self.open.push(heading);
        }
        self.open.iter().map(|heading| heading.title.clone()).filter(|title| !title.is_empty()).collect()
    }
}
