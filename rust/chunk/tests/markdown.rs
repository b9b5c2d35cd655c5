//! Markdown is cut where a reader would cut it, and every piece knows its headings.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use recollect_chunk::{MediaType, Settings, sections, split};
use recollect_model::ErrorCode;

const SMALL: Settings = Settings { target_bytes: 100, max_bytes: 400 };

/// The pieces as text, with their trails joined by " > ".
fn pieces<'a>(text: &'a str, settings: &Settings) -> Vec<(&'a str, String)> {
    let pieces = split(text, MediaType::Markdown, settings).unwrap();
    pieces.iter().map(|piece| (&text[piece.start..piece.end], piece.heading.join(" > "))).collect()
}

fn trails(text: &str) -> Vec<String> {
    pieces(text, &SMALL).into_iter().map(|(_, trail)| trail).collect()
}

#[test]
fn each_heading_opens_a_piece_and_its_trail_ends_with_itself() {
    let text = "Intro.\n\n# Guide\n\nText.\n\n## Install *now* with `pip`\n\nRun it.\n\nSetext\n======\nMore.\n";
    let expected = [
        ("Intro.\n\n", ""),
        ("# Guide\n\nText.\n\n", "Guide"),
        ("## Install *now* with `pip`\n\nRun it.\n\n", "Guide > Install now with pip"),
        ("Setext\n======\nMore.\n", "Setext"),
    ];
    let found = pieces(text, &SMALL);
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((slice, trail), expected) in found.iter().zip(expected) {
        assert_eq!((*slice, trail.as_str()), expected);
    }
}

#[test]
fn a_heading_with_nothing_under_it_stays_with_the_next() {
    let found = pieces("# A\n\n## B\n\nText.\n\n## C\n", &SMALL);
    assert_eq!(
        found,
        [("# A\n\n## B\n\nText.\n\n", "A > B".to_owned()), ("## C\n", "A > C".to_owned())],
        "the last heading has nothing to stay with"
    );
}

#[test]
fn headings_in_code_quotes_and_lists_are_no_headings() {
    let text = "# A\n\n```sh\n# comment\n```\n\n    # indented\n\n> # quoted\n\n- # item\n\n\\# escaped\n";
    assert_eq!(trails(text), ["A"]);
}

#[test]
fn a_skipped_level_and_a_wider_heading_close_what_is_open() {
    assert_eq!(trails("# A\na\n### C\nc\n## B\nb\n# D\nd\n"), ["A", "A > C", "A > B", "D"]);
}

#[test]
fn front_matter_stays_in_the_first_piece() {
    let text = "---\nglobs: '*.rs'\n# no heading\n---\n\n# Rule\n\nObey.\n\n# Other\n\nToo.\n";
    let found = pieces(text, &SMALL);
    assert_eq!(found.len(), 2);
    assert!(found[0].0.starts_with("---\nglobs") && found[0].0.ends_with("Obey.\n\n"));
    assert_eq!(found[0].1, "Rule");
    assert_eq!(pieces("---\na: b\n---\n\nNo heading.\n", &SMALL).len(), 1);
}

#[test]
fn titles_are_plain_short_and_without_anchors() {
    let long = "word ".repeat(100);
    assert_eq!(trails("# The [link](u) &amp; ![pic](p) <b>x</b> {#anchor}\na\n"), ["The link & pic x"]);
    assert_eq!(trails("# Use {name}\na\n"), ["Use {name}"]);
    assert_eq!(trails(&format!("# {long}\na\n"))[0].chars().count(), 199, "200 characters less the blank at the end");
    assert_eq!(trails("#\na\n## B\nb\n"), ["", "B"]);
}

#[test]
fn a_large_section_is_cut_between_its_outermost_blocks() {
    let sentence = "Twelve words that stand here only to fill up the whole line. ";
    let text = format!("# A\n\n{sentence}\n\n- one item\n- {sentence}\n- three\n\n{sentence}\n");
    let found = pieces(&text, &SMALL);
    assert!(found.len() > 1);
    assert!(found[0].0.starts_with("# A\n\nTwelve") && found[0].0.ends_with("\n\n"), "{found:?}");
    assert!(found[1].0.starts_with("- one item"), "the list starts a piece: {found:?}");
    assert!(found.iter().all(|(_, trail)| trail == "A"));
}

#[test]
fn a_nested_item_keeps_its_indentation() {
    let item = "  - an item that takes up a good part of what a piece may hold\n";
    let text = format!("- outer\n{}", item.repeat(6));
    for (slice, _) in pieces(&text, &SMALL).iter().skip(1) {
        assert!(slice.starts_with("  - an item"), "{slice:?}");
    }
}

#[test]
fn code_and_tables_are_whole_up_to_the_maximum() {
    let code = format!("```\n{}```\n", "let x = 1;\n\n".repeat(20));
    let table = format!("| a | b |\n| - | - |\n{}", "| cell | cell |\n".repeat(20));
    for block in [code, table] {
        assert!(block.len() > 2 * SMALL.target_bytes && block.len() < SMALL.max_bytes);
        let text = format!("Some words before.\n\n{block}\nSome words behind.\n");
        assert!(pieces(&text, &SMALL).iter().any(|(slice, _)| slice.contains(&block)), "{:?}", pieces(&text, &SMALL));
    }
}

#[test]
fn code_above_the_maximum_is_cut_between_lines() {
    let text = format!("```\n{}```\n", "    indented line of code\n".repeat(40));
    let found = pieces(&text, &SMALL);
    assert!(found.len() > 5);
    for (slice, _) in found {
        assert!(slice.ends_with('\n') && (slice.starts_with("```") || slice.starts_with("    ind")), "{slice:?}");
    }
}

#[test]
fn a_long_paragraph_is_cut_behind_its_sentences() {
    let text = "This is, e.g. here, a sentence of some length. Is it (\"really!\") one? ".repeat(10);
    let found = pieces(&text, &SMALL);
    assert!(found.len() > 4);
    for (slice, _) in &found {
        assert!(slice.starts_with("This") || slice.starts_with("Is it"), "{slice:?}");
    }
    let text = "これは文です。".repeat(40);
    assert!(pieces(&text, &SMALL).iter().all(|(slice, _)| slice.ends_with('。')));
}

#[test]
fn words_are_cut_only_when_they_are_above_the_maximum() {
    let link = format!("https://example.org/{}", "x".repeat(300));
    let text = format!("{} {link} {}", "before ".repeat(10), "behind ".repeat(10));
    assert!(pieces(&text, &SMALL).iter().any(|(slice, _)| slice.contains(&link)));
    assert_eq!(pieces(&"x".repeat(1000), &SMALL).len(), 10);
}

#[test]
fn a_heading_stays_with_the_long_paragraph_under_it() {
    let text = format!("# A title of its own, and not a short one\n\n{}", "Some words of a sentence. ".repeat(20));
    assert!(pieces(&text, &SMALL)[0].0.starts_with("# A title of its own, and not a short one\n\nSome words"));
}

#[test]
fn sections_are_cut_at_headings_only() {
    let text = format!("# A\n\n{}\n\n# B\n\nShort.\n", "A paragraph.\n\n".repeat(500));
    let found = sections(&text, 64 * 1024).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[1].heading, ["B"]);
    assert!(sections(&text, 1024).unwrap().len() > 5);
}

#[test]
fn plain_text_gathers_paragraphs_up_to_the_target() {
    let text = "# no heading, forty characters to a line\n\n".repeat(4);
    let found = split(&text, MediaType::PlainText, &SMALL).unwrap();
    assert_eq!(found.iter().map(|piece| piece.end).collect::<Vec<_>>(), [84, 168]);
}

#[test]
fn blank_texts_are_one_piece_and_the_empty_text_is_none() {
    for media in [MediaType::Markdown, MediaType::PlainText] {
        assert!(split("", media, &SMALL).unwrap().is_empty());
        assert_eq!(split(" \n\n\t", media, &SMALL).unwrap().len(), 1);
    }
}

#[test]
fn settings_and_media_types_that_make_no_sense_are_refused() {
    for (target_bytes, max_bytes) in [(0, 0), (15, 100), (100, 99)] {
        let error = split("a", MediaType::Markdown, &Settings { target_bytes, max_bytes }).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidInput);
    }
    assert!(split("a b", MediaType::Markdown, &Settings { target_bytes: usize::MAX, max_bytes: usize::MAX }).is_ok());
    assert_eq!(MediaType::from_media_type("Text/Markdown; charset=utf-8").unwrap(), MediaType::Markdown);
    assert_eq!(MediaType::from_media_type("text/plain").unwrap(), MediaType::PlainText);
    assert_eq!(MediaType::from_media_type("application/pdf").unwrap_err().code(), ErrorCode::Unsupported);
    assert_eq!(MediaType::from_media_type("").unwrap_err().code(), ErrorCode::Unsupported);
}
