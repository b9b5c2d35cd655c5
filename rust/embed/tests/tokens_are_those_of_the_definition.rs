//! Cutting, remembering and queueing change nothing: the ids are those of merging the whole text at once.
#![allow(clippy::unwrap_used, reason = "a failing set-up is a failing test")]

mod made;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use recollect_embed::StaticModel;

fn model() -> &'static StaticModel {
    static MODEL: OnceLock<StaticModel> = OnceLock::new();
    MODEL.get_or_init(made::model)
}

fn text() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        " ", "  ", "    ", "a", "b", "ab", "abab", "abababab", "c", "bc", "aa", "(", ")", "()", "é", "e\u{301}", "漢",
        "字", "--", "\n", "\t", "\0", "\r\n", "<s>", "</s>", "<unk>", "<", "</", "s>", "▁", "▁▁", "▂", "â", "😀",
        "<0x0A>",
    ]);
    prop::collection::vec(parts, 0..60).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ids_of_mixed_text_are_those_of_the_definition(text in text()) {
        prop_assert_eq!(model().token_ids(&text), made::ids_by_definition(&text));
        prop_assert_eq!(model().token_count(&text), model().token_ids(&text).len());
    }

    #[test]
    fn ids_of_any_text_are_those_of_the_definition(text in any::<String>()) {
        prop_assert_eq!(model().token_ids(&text), made::ids_by_definition(&text));
    }

    #[test]
    fn ids_around_the_length_where_the_queue_takes_over_are_those_of_the_definition(
        unit in prop::sample::select(vec!["a", "ab", "-", "é", "aab", "▁", " "]), count in 55usize..75, tail in "[ab-]{0,8}",
    ) {
        let text = unit.repeat(count) + &tail;
        prop_assert_eq!(model().token_ids(&text), made::ids_by_definition(&text));
    }

    #[test]
    fn a_newline_or_a_special_token_parts_a_text_exactly(left in text(), right in text()) {
        let (left, right) = (left + "x", format!("x{right}"));
        let whole = model().token_ids(&format!("{left}</s>{right}"));
        let parts = [model().token_ids(&left), vec![2], model().token_ids(&right)].concat();
        prop_assert_eq!(whole, parts);
    }
}

#[test]
fn an_empty_text_has_no_tokens() {
    assert!(model().token_ids("").is_empty());
}

#[test]
fn a_word_met_again_has_the_same_tokens() {
    let words = ["a", "ab", "abababab", "x", "()", "ab(ab)ab", "abababababababababababababababababab"];
    for _ in 0..2 {
        for word in words {
            assert_eq!(model().token_ids(word), made::ids_by_definition(word), "{word}");
        }
    }
}

#[test]
fn a_megabyte_of_one_letter_takes_seconds_at_most() {
    for unit in ["a", " ", "ab", "-", "x", "\n", "\0", "e\u{301}", "<", "</s>", "▁", "é", "â"] {
        let text = unit.repeat((1 << 20) / unit.len());
        let started = Instant::now();
        assert!(model().token_count(&text) > 1_000, "{unit:?}");
        assert!(started.elapsed() < Duration::from_secs(20), "{unit:?} took {:?}", started.elapsed());
    }
}
