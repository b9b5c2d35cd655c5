//! What to split, and how large the pieces are to be.

use recollect_model::{Error, Result};

/// The sizes of the pieces, in bytes of UTF-8.
///
/// Bytes stand in for tokens because they follow them across scripts better than characters do: about four bytes a
/// token in English prose, and about three, one character, in Chinese or Japanese. Both sizes count a piece without
/// the blanks at its borders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The size to aim at. A section, or the rest of one, that is up to a quarter larger stays in one piece, so that
    /// no scrap is left over.
    pub target_bytes: usize,
    /// The size no piece exceeds. Code blocks, tables, HTML blocks and single words up to this size are not cut.
    pub max_bytes: usize,
}

impl Settings {
    /// The smallest target that is accepted.
    pub const MIN_TARGET_BYTES: usize = 16;

    /// Checks that the sizes can be kept.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when the target is under [`Self::MIN_TARGET_BYTES`] or the maximum is under the target.
    pub fn check(&self) -> Result<()> {
        if self.target_bytes < Self::MIN_TARGET_BYTES {
            return Err(Error::invalid(format!(
                "the target of a chunk is {} bytes and must be at least {}",
                self.target_bytes,
                Self::MIN_TARGET_BYTES
            )));
        }
        if self.max_bytes < self.target_bytes {
            return Err(Error::invalid(format!(
                "the maximum of a chunk is {} bytes and must not be under its target of {} bytes",
                self.max_bytes, self.target_bytes
            )));
        }
        Ok(())
    }
}

impl Default for Settings {
    /// 1,024 bytes, about 250 tokens: a few paragraphs, which is what a mean-pooled static model still tells apart and
    /// what an assembled context can afford several of. At most 4,096 bytes, so that the code block or table of an
    /// ordinary document stays whole.
    fn default() -> Self {
        Self { target_bytes: 1024, max_bytes: 4096 }
    }
}

/// The kinds of text that can be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `CommonMark` with tables and YAML front matter: split along its headings and blocks.
    Markdown,
    /// Anything else that is text: split along its blank lines.
    PlainText,
}

impl MediaType {
    /// Reads a media type such as `text/markdown; charset=utf-8`. Parameters and letter case do not matter.
    ///
    /// # Errors
    ///
    /// `Unsupported` for every type but `text/markdown`, `text/x-markdown` and `text/plain`.
    pub fn from_media_type(name: &str) -> Result<Self> {
        let essence = name.split(';').next().unwrap_or(name).trim();
        if essence.eq_ignore_ascii_case("text/markdown") || essence.eq_ignore_ascii_case("text/x-markdown") {
            Ok(Self::Markdown)
        } else if essence.eq_ignore_ascii_case("text/plain") {
            Ok(Self::PlainText)
        } else {
            let shown: String = essence.chars().take(100).collect();
            Err(Error::unsupported(format!("text of the media type {shown:?} cannot be split"))
                .with_hint("give text/markdown or text/plain"))
        }
    }

    /// The name that [`Self::from_media_type`] reads.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Markdown => "text/markdown",
            Self::PlainText => "text/plain",
        }
    }
}
