//! The outline of Markdown: its blocks and headings, as `CommonMark` sees them.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::nesting::bounded;
use crate::outline::{Heading, Kind, Outline, OutlineBuilder};

/// The most characters of a title: a heading can be as long as a document, and every piece under it carries a copy.
const TITLE_CHARACTERS: usize = 200;

pub(crate) fn outline(text: &str) -> Outline {
    let bounded = bounded(text);
    let options = Options::ENABLE_TABLES | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut builder = OutlineBuilder::new(text);
    let mut depth: u8 = 0;
    let mut heading: Option<(usize, u8, Title)> = None;
    for (event, range) in Parser::new_ext(&bounded, options).into_offset_iter() {
        match event {
            Event::Start(tag) => {
                let (kind, opens) = match tag {
                    Tag::Heading { level, .. } if depth == 0 => {
                        let start = builder.block(range.start, depth, Kind::Heading);
                        heading = Some((start, level as u8, Title::default()));
                        continue;
                    }
                    Tag::Paragraph | Tag::Heading { .. } => (Kind::Prose, false),
                    Tag::BlockQuote(_) | Tag::List(_) | Tag::Item => (Kind::Prose, true),
                    Tag::CodeBlock(_) | Tag::HtmlBlock | Tag::Table(_) => (Kind::Whole, false),
                    Tag::MetadataBlock(_) => (Kind::FrontMatter, false),
                    _ => continue,
                };
                builder.block(range.start, depth, kind);
                depth = depth.saturating_add(u8::from(opens));
            }
            Event::End(TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item) => depth = depth.saturating_sub(1),
            Event::End(TagEnd::Heading(_)) => {
                if let Some((start, rank, title)) = heading.take() {
                    builder.heading(Heading { start, rank, title: title.finish() });
                }
            }
            Event::Rule => {
                builder.block(range.start, depth, Kind::Prose);
            }
            Event::Text(words) | Event::Code(words) => {
                if let Some((_, _, title)) = &mut heading {
                    title.push(&words);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some((_, _, title)) = &mut heading {
                    title.push(" ");
                }
            }
            _ => {}
        }
    }
    builder.finish()
}

/// A title in the making: blanks made into single spaces, cut at [`TITLE_CHARACTERS`].
#[derive(Default)]
struct Title {
    words: String,
    characters: usize,
    is_after_blank: bool,
}

impl Title {
    fn push(&mut self, words: &str) {
        for character in words.chars() {
            if self.characters >= TITLE_CHARACTERS {
                return;
            }
            if character.is_whitespace() {
                self.is_after_blank = true;
                continue;
            }
            if self.is_after_blank && !self.words.is_empty() {
                if self.characters + 2 > TITLE_CHARACTERS {
                    return;
                }
                self.words.push(' ');
                self.characters += 1;
            }
            self.is_after_blank = false;
            self.words.push(character);
            self.characters += 1;
        }
    }

    /// The title without a closing anchor such as `{#install}`, which several dialects allow.
    fn finish(mut self) -> String {
        if let Some(anchor) = self.words.rfind("{#").filter(|_| self.words.ends_with('}')) {
            self.words.truncate(self.words.get(..anchor).unwrap_or_default().trim_end().len());
        }
        self.words
    }
}
