//! Whatever the text and the settings, the pieces tile it, none is blank and none is too large.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use proptest::prelude::*;
use recollect_chunk::{MediaType, Piece, Settings, sections, split};

fn assert_tiles(text: &str, pieces: &[Piece], max_bytes: usize) {
    let mut end = 0;
    let mut end_char = 0;
    for piece in pieces {
        assert_eq!((piece.start, piece.start_char), (end, end_char), "a gap or an overlap in {text:?}");
        let slice = text.get(piece.start..piece.end).expect("borders of characters");
        let content = slice.trim();
        assert!(piece.end > piece.start);
        assert!(!content.is_empty() || text.trim().is_empty(), "a blank piece in {text:?}: {pieces:?}");
        assert!(content.len() <= max_bytes, "{} bytes at {} in {text:?}", content.len(), piece.start);
        end = piece.end;
        end_char = piece.end_char;
        assert_eq!(end_char - piece.start_char, slice.chars().count());
    }
    assert_eq!(end, text.len(), "the end of {text:?} is missing");
    if text.trim().is_empty() {
        assert!(pieces.len() <= 1);
    }
}

/// Texts out of what means something to Markdown, to sentences and to UTF-8.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => prop::sample::select(vec![
            "# ", "## ", "### ", "\n# A\n", "\n## B `c` *d*\n", "\n\n", "\n", "\r\n", "\r", " ", "    ", "\t", "- ",
            "\n- ", "  - ", "1. ", "> ", "\n> ", "```\n", "\n```rust\n", "~~~", "---\n", "\n---\n", "===\n", "\n===\n",
            "| a | b |\n| - | - |\n", "| c | d |\n", "<div>\n", "</div>\n\n", "<!-- ", " -->", "[a]: b\n", "[a]", "*",
            "`", ". ", "! ", "? ", "。", "…", "é", "日本語", "👩‍👩‍👧", "\u{a0}", "\u{2003}", "\u{200d}", "\\", "&amp;",
        ]).prop_map(str::to_owned),
        3 => "[a-zA-Z]{1,12}",
        1 => "\\PC{0,8}",
        1 => (prop::sample::select(vec!["a", " ", ">", "- ", "x y ", "Word. ", "\n", "#", "語"]), 1..300_usize)
            .prop_map(|(part, count)| part.repeat(count)),
    ];
    prop::collection::vec(part, 0..80).prop_map(|parts| parts.concat())
}

fn settings() -> impl Strategy<Value = Settings> {
    (16..400_usize, 0..800_usize)
        .prop_map(|(target_bytes, more)| Settings { target_bytes, max_bytes: target_bytes + more })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn markdown_is_tiled(text in text(), settings in settings()) {
        let pieces = split(&text, MediaType::Markdown, &settings).unwrap();
        assert_tiles(&text, &pieces, settings.max_bytes);
        prop_assert_eq!(&pieces, &split(&text, MediaType::Markdown, &settings).unwrap());
    }

    #[test]
    fn plain_text_is_tiled(text in text(), settings in settings()) {
        let pieces = split(&text, MediaType::PlainText, &settings).unwrap();
        assert_tiles(&text, &pieces, settings.max_bytes);
        prop_assert!(pieces.iter().all(|piece| piece.heading.is_empty()));
    }

    #[test]
    fn sections_are_tiled(text in text(), max_bytes in 16..2000_usize) {
        assert_tiles(&text, &sections(&text, max_bytes).unwrap(), max_bytes);
    }
}
