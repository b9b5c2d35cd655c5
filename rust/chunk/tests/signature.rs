//! Signatures find near-duplicates, tell strangers apart, and never change.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use proptest::prelude::*;
use recollect_chunk::{Signature, similarity};

const RULE: &str = "Always run the whole test suite before you push a branch, and wait until it is green; \
                    a red branch blocks everybody who works on the same project.";

#[test]
fn letter_case_blanks_and_punctuation_do_not_matter() {
    let other = RULE.to_uppercase().replace(' ', " \n ").replace(',', " -- ");
    assert_eq!(Signature::of(RULE), Signature::of(&other));
    assert!((similarity(RULE, &other) - 1.0).abs() < f32::EPSILON);
    assert_eq!(Signature::of("ÄRGER ist ein Wort"), Signature::of("ärger IST ein wort"));
}

#[test]
fn texts_of_three_words_have_no_signature() {
    for text in ["", "  ", "?!", "one", "one two three"] {
        assert_eq!(Signature::of(text), None);
    }
    assert!(Signature::of("one two three four").is_some());
    assert!(Signature::of("日本語だ").is_some(), "each character is a word");
}

#[test]
fn similarity_is_the_share_of_common_word_pairs() {
    let close = |a, b, expected: f32| assert!((similarity(a, b) - expected).abs() < 1e-6, "{a:?} {b:?}");
    close("a b c", "a b d", 1.0 / 3.0);
    close("a b a b a b", "a b a", 1.0);
    close("a b", "b a", 0.0);
    close("日本語", "日本", 0.5);
    close("one", "ONE!", 1.0);
    close("one", "two", 0.0);
    close("", "", 1.0);
    close("", "a b", 0.0);
}

#[test]
fn stored_signatures_stay_valid() {
    assert_eq!(Signature::of(RULE), Some(Signature([1_062_391_392, 55_080_872, 2_104_410_109, 2_368_114_905])));
}

#[test]
fn the_share_of_bands_follows_the_similarity() {
    // One word of sixty changed out of every so many; the probability of a shared band is 1 - (1 - s⁴)⁴.
    for every in [60, 20, 10, 4] {
        let (mut shared, mut expected) = (0.0, 0.0);
        for trial in 0..500 {
            let word = |index: usize, salt: usize| format!("w{}", (trial * 7919 + index * 104_729 + salt) % 1_000_003);
            let a: Vec<_> = (0..60).map(|index| word(index, 0)).collect();
            let b: Vec<_> = (0..60).map(|index| word(index, if index % every == every / 2 { 17 } else { 0 })).collect();
            let (a, b) = (a.join(" "), b.join(" "));
            shared += f64::from(u8::from(Signature::of(&a).unwrap().shares_band(&Signature::of(&b).unwrap())));
            expected += 1.0 - (1.0 - f64::from(similarity(&a, &b)).powi(4)).powi(4);
        }
        let (shared, expected) = (shared / 500.0, expected / 500.0);
        assert!((shared - expected).abs() < 0.07, "every {every}: {shared} shared, {expected} expected");
    }
}

proptest! {
    #[test]
    fn similarity_is_symmetric_and_bounded(a in "([a-c]{1,2}[ .]){0,20}", b in "([a-c]{1,2}[ .]){0,20}") {
        let forth = similarity(&a, &b);
        prop_assert!((0.0..=1.0).contains(&forth));
        prop_assert!((forth - similarity(&b, &a)).abs() < f32::EPSILON);
        prop_assert!((similarity(&a, &a) - 1.0).abs() < f32::EPSILON);
        prop_assert_eq!(Signature::of(&a), Signature::of(&a.to_uppercase()));
    }
}
