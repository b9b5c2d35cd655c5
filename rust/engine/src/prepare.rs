//! Getting content ready to be stored: its chunks, their hashes, and the text that is embedded.

use std::borrow::Cow;

use recollect_chunk::{MediaType, Piece, sections, split};
use recollect_model::{Content, Error, Result, limits};

use crate::content::first_half;
use crate::store::Store;

/// A chunk that is about to be stored. Positions in bytes are within the item's text.
#[derive(Debug, Clone)]
pub(crate) struct PreparedChunk {
    pub text: String,
    pub start: usize,
    pub characters: usize,
    pub heading: Vec<String>,
    pub content_hash: [u8; 16],
}

impl PreparedChunk {
    fn new(text: &str, start: usize, characters: usize, heading: Vec<String>) -> Self {
        let content_hash = content_hash(&heading, text);
        Self { text: text.to_owned(), start, characters, heading, content_hash }
    }

    /// What is embedded for this chunk.
    pub fn embedded_text(&self) -> Cow<'_, str> {
        embedded_text(&self.heading, &self.text)
    }
}

/// BLAKE3-128 over the headings and the text of a chunk.
pub(crate) fn content_hash(heading: &[String], text: &str) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for part in heading {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    hasher.update(&u64::MAX.to_le_bytes()).update(text.as_bytes());
    first_half(&hasher.finalize())
}

/// What is embedded for a chunk: the headings above it, as far as its text does not begin with them, and its text.
pub(crate) fn embedded_text<'a>(heading: &[String], text: &'a str) -> Cow<'a, str> {
    let first_line = text.trim_start().lines().next().unwrap_or_default();
    let above = match heading.split_last() {
        Some((own, above)) if first_line.contains(own.as_str()) => above,
        _ => heading,
    };
    if above.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut embedded = String::with_capacity(text.len() + above.iter().map(|part| part.len() + 1).sum::<usize>());
    for part in above {
        embedded.push_str(part);
        embedded.push('\n');
    }
    embedded.push_str(text);
    Cow::Owned(embedded)
}

/// A piece of a text, as [`Store::split`] shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextPiece {
    /// Its text.
    pub text: String,
    /// The headings above it, its own included, widest first.
    pub heading: Vec<String>,
    /// Where it begins, in characters.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// The pieces of a text: together they are the text.
pub type Pieces = Vec<TextPiece>;

fn shown(text: &str, pieces: Vec<Piece>) -> Result<Pieces> {
    pieces
        .into_iter()
        .map(|piece| {
            Ok(TextPiece {
                text: slice(text, &piece)?.to_owned(),
                heading: piece.heading,
                start: piece.start_char,
                end: piece.end_char,
            })
        })
        .collect()
}

fn slice<'a>(text: &'a str, piece: &Piece) -> Result<&'a str> {
    text.get(piece.start..piece.end).ok_or_else(|| Error::internal("a chunk lies outside its text"))
}

impl Store {
    /// The chunks that a document of this text would have in this store.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a blank or too long text, `Unsupported` for another media type than the text ones.
    pub fn split(&self, text: &str, media_type: &str) -> Result<Pieces> {
        crate::validate::text_with_content("doc", text, limits::DOC_TEXT)?;
        shown(text, split(text, MediaType::from_media_type(media_type)?, &self.settings.chunking)?)
    }

    /// The sections of a Markdown text, split only at its headings and to fit a rule.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a blank or too long text.
    pub fn split_sections(&self, text: &str) -> Result<Pieces> {
        crate::validate::text_with_content("doc", text, limits::DOC_TEXT)?;
        shown(text, sections(text, limits::RULE_TEXT)?)
    }

    /// The chunks of an item.
    pub(crate) fn chunks_of(&self, content: &Content) -> Result<Vec<PreparedChunk>> {
        match content {
            Content::Rule(rule) => Ok(vec![PreparedChunk::new(&rule.text, 0, rule.text.chars().count(), Vec::new())]),
            Content::Doc(doc) => {
                let media_type = MediaType::from_media_type(&doc.media_type)?;
                split(&doc.text, media_type, &self.settings.chunking)?
                    .into_iter()
                    .map(|piece| {
                        let text = slice(&doc.text, &piece)?;
                        Ok(PreparedChunk::new(text, piece.start_char, piece.end_char - piece.start_char, piece.heading))
                    })
                    .collect()
            }
            Content::Ref(reference) => {
                let (text, heading) = if reference.note.trim().is_empty() {
                    (&reference.target, Vec::new())
                } else {
                    (&reference.note, vec![reference.target.clone()])
                };
                Ok(vec![PreparedChunk::new(text, 0, text.chars().count(), heading)])
            }
        }
    }
}
