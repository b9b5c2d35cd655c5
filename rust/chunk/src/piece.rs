//! The pieces of a text, and the two ways to ask for them.

use recollect_model::Result;

use crate::cut::cut;
use crate::settings::{MediaType, Settings};
use crate::{markdown, plain};

/// One piece of a text: where it stands, and under which headings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The byte at which the piece starts.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
    /// The code point at which the piece starts, counted from the start of the text.
    pub start_char: usize,
    /// The code point after its last.
    pub end_char: usize,
    /// The titles of the headings the piece stands under, widest first, its own heading last: plain text without
    /// inline markup, at most 200 characters each. Always empty in plain text.
    pub heading: Vec<String>,
}

/// Splits a text into pieces of about `settings.target_bytes`.
///
/// The pieces tile the text: the first starts at 0, each starts where the one before ends, the last ends at
/// `text.len()`, and all borders are character borders. A piece is never blank unless the whole text is, in which case
/// there is one piece (none for the empty text): blank lines belong to the piece before them, leading ones to the
/// first. Counted without the blanks at its borders, no piece is larger than `settings.max_bytes`.
///
/// Markdown is cut at its headings: each opens a new piece, except that a heading (or front matter) with nothing under
/// it stays with the heading that follows. Headings inside quotes, lists and code count as ordinary blocks. A section
/// that is too large is cut between blocks, the outermost first (so lists before their items), then between sentences,
/// words and, as the last resort, code points. Code blocks, tables and HTML blocks are cut, between lines, only when
/// they are larger than the maximum. Plain text is cut between paragraphs, then in the same way.
///
/// Time and memory are linear in the text.
///
/// # Errors
///
/// `InvalidInput` when the settings contradict themselves.
pub fn split(text: &str, media: MediaType, settings: &Settings) -> Result<Vec<Piece>> {
    settings.check()?;
    Ok(match media {
        MediaType::Markdown => cut(text, markdown::outline(text), settings),
        MediaType::PlainText => cut(text, plain::outline(text), settings),
    })
}

/// Splits Markdown only at its headings, as [`split`] does, one piece a section, however small or large.
///
/// Only a section of more than `max_bytes` is cut further. The pieces keep every promise of [`split`].
///
/// # Errors
///
/// `InvalidInput` when `max_bytes` is under [`Settings::MIN_TARGET_BYTES`].
pub fn sections(text: &str, max_bytes: usize) -> Result<Vec<Piece>> {
    split(text, MediaType::Markdown, &Settings { target_bytes: max_bytes, max_bytes })
}
