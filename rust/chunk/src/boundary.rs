//! Places to cut inside a block: between lines, sentences, words and code points.

/// The largest character border that is not past `at`.
pub(crate) fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The byte of the first character at or after `at` that is not blank.
pub(crate) fn skip_blanks(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + (rest.len() - rest.trim_start().len())
}

/// Where the next piece starts when the one before has its last character at `at`: behind the blanks, but at the start
/// of a line when there is one, so that the line keeps its indentation.
pub(crate) fn after_blanks(text: &str, at: usize) -> usize {
    let end = skip_blanks(text, at);
    let blanks = text.get(at..end).unwrap_or_default();
    blanks.rfind(['\n', '\r']).map_or(end, |newline| at + newline + 1)
}

/// The last line that starts behind a content of `from..=limit`.
pub(crate) fn last_line(text: &str, from: usize, limit: usize) -> Option<usize> {
    last_before(text, from, limit, |character| matches!(character, '\n' | '\r'))
}

/// The last word that starts behind a content of `from..=limit`.
pub(crate) fn last_word(text: &str, from: usize, limit: usize) -> Option<usize> {
    last_before(text, from, limit, char::is_whitespace)
}

fn last_before(text: &str, from: usize, limit: usize, is_border: impl Fn(char) -> bool) -> Option<usize> {
    let next = text.get(limit..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    let window = text.get(from..limit + next)?;
    window.rfind(is_border).map(|border| after_blanks(text, from + border))
}

/// The first word that starts behind a content reaching beyond `from` and not beyond `limit`.
pub(crate) fn first_word(text: &str, from: usize, limit: usize) -> Option<usize> {
    text.get(from..limit)?.find(char::is_whitespace).map(|border| after_blanks(text, from + border))
}

/// The last sentence that starts behind a content that ends in `least..=limit` and starts at `from`.
///
/// A sentence ends with a stop, closing quotes and brackets included, when a blank and no lower-case letter follow
/// ("e.g. this" goes on); the full-width stops of Chinese and Japanese need no blank.
pub(crate) fn last_sentence(text: &str, from: usize, least: usize, limit: usize) -> Option<usize> {
    let mut found = None;
    let mut stop = Stop::None;
    for (offset, character) in text.get(from..)?.char_indices() {
        let at = from + offset;
        if at > limit {
            break;
        }
        stop = match character {
            '.' | '!' | '?' | '…' => Stop::Narrow,
            '。' | '！' | '？' | '｡' => Stop::Wide,
            '"' | '\'' | ')' | ']' | '”' | '’' | '»' | '」' | '』' | '）' | '】' | '*' | '_' => stop,
            _ => {
                let next = match stop {
                    Stop::Wide => Some(after_blanks(text, at)),
                    Stop::Narrow if character.is_whitespace() => {
                        let starts_low = |at| text.get(at..).and_then(|rest| rest.chars().next());
                        let next = starts_low(skip_blanks(text, at));
                        (!next.is_some_and(char::is_lowercase)).then(|| after_blanks(text, at))
                    }
                    _ => None,
                };
                if at >= least {
                    found = next.or(found);
                }
                Stop::None
            }
        };
    }
    found
}

/// What the sentence read so far ended with.
#[derive(Clone, Copy)]
enum Stop {
    None,
    Narrow,
    Wide,
}
