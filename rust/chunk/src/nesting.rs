//! A bound on how deep one line can nest.

use std::borrow::Cow;

/// How many bytes at the head of a line may open quotes, lists and items: sixteen quotes inside each other.
///
/// Parsing a line costs time for each container that is open, so a text of a million `>` followed by a million lines
/// would take minutes. No document that people read comes near the bound.
const PREFIX_BYTES: usize = 32;

/// The text with the markers beyond the bound made into letters, byte for byte, so that all offsets stay.
///
/// What is parsed from it may be used for its structure; wording is taken from it only outside all containers.
pub(crate) fn bounded(text: &str) -> Cow<'_, str> {
    let mut changes = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive(['\n', '\r']) {
        changes.extend(excess_marker(line.as_bytes()).map(|offset| at + offset));
        at += line.len();
    }
    if changes.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut bounded = String::with_capacity(text.len());
    let mut copied = 0;
    for change in changes {
        bounded.push_str(text.get(copied..change).unwrap_or_default());
        bounded.push('x');
        copied = change + 1;
    }
    bounded.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(bounded)
}

/// The first byte beyond the bound that would open one more container. With a letter in its place the rest of the line
/// is text.
fn excess_marker(line: &[u8]) -> Option<usize> {
    // Most lines have a letter early on, and are dismissed by it.
    let is_prefix = |byte: u8| matches!(byte, b' ' | b'\t' | b'>' | b'-' | b'+' | b'*' | b'.' | b')' | b'0'..=b'9');
    let head = line.get(..PREFIX_BYTES)?;
    if !head.iter().all(|&byte| is_prefix(byte)) {
        return None;
    }
    let is_blank = |index: usize| line.get(index).is_none_or(u8::is_ascii_whitespace);
    line.iter().enumerate().skip(PREFIX_BYTES).take_while(|&(_, &byte)| is_prefix(byte)).find_map(|(index, &byte)| {
        let is_marker = match byte {
            b'>' => true,
            b'-' | b'+' | b'*' | b'.' | b')' => is_blank(index + 1),
            _ => false,
        };
        is_marker.then_some(index)
    })
}
