//! The outline of plain text: its paragraphs.

use crate::outline::{Kind, Outline, OutlineBuilder};

/// One block for each run of lines that are not blank.
pub(crate) fn outline(text: &str) -> Outline {
    let mut builder = OutlineBuilder::new(text);
    let mut at = 0;
    let mut is_in_paragraph = false;
    for line in text.split_inclusive('\n') {
        let is_blank = line.trim_start().is_empty();
        if !is_blank && !is_in_paragraph {
            builder.block(at, 0, Kind::Prose);
        }
        is_in_paragraph = !is_blank;
        at += line.len();
    }
    builder.finish()
}
