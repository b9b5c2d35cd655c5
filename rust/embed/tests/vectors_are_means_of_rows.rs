//! A vector is the mean of the rows of its text's tokens, whatever stands beside it in the batch.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing set-up is a failing test")]

mod made;

use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use made::DIMENSION;
use proptest::prelude::*;
use recollect_embed::StaticModel;
use recollect_model::{Call, CancelToken, ErrorCode};

fn model() -> &'static StaticModel {
    static MODEL: OnceLock<StaticModel> = OnceLock::new();
    MODEL.get_or_init(made::model)
}

fn embed(texts: &[&str]) -> Vec<f32> {
    let mut out = vec![f32::NAN; texts.len() * DIMENSION];
    model().embed(texts, &mut out, &Call::unlimited()).unwrap();
    out
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[abc() é漢\n-]{0,40}", 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_batch_is_its_texts_one_by_one(texts in texts()) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let one_by_one: Vec<u32> = texts.iter().flat_map(|text| embed(&[text])).map(f32::to_bits).collect();
        let batch: Vec<u32> = embed(&texts).into_iter().map(f32::to_bits).collect();
        prop_assert_eq!(batch, one_by_one);
    }

    #[test]
    fn a_vector_is_the_mean_of_rows(text in "[abc() é漢\n-]{1,60}") {
        let ids = made::ids_by_definition(&text);
        for (at, value) in embed(&[&text]).into_iter().enumerate() {
            let values: Vec<f64> =
                ids.iter().map(|&id| made::half_value(made::half(id as usize, at))).collect();
            let count = f64::from(u32::try_from(ids.len()).unwrap());
            let size = values.iter().map(|value| value.abs()).sum::<f64>() / count;
            let mean = values.iter().sum::<f64>() / count;
            prop_assert!((f64::from(value) - mean).abs() <= size * 1e-5, "{} for {}", value, mean);
        }
    }
}

#[test]
fn one_token_has_its_row_exactly() {
    let ids = made::ids_by_definition("</s>");
    assert_eq!(ids, [2]);
    for (at, value) in embed(&["</s>"]).into_iter().enumerate() {
        assert!((f64::from(value) - made::half_value(made::half(2, at))).abs() == 0.0, "column {at}: {value}");
    }
}

#[test]
fn a_text_without_tokens_has_zeros() {
    assert_eq!(embed(&["ab", "", "ab"])[DIMENSION..2 * DIMENSION], [0.0; DIMENSION]);
}

#[test]
fn room_of_another_size_is_refused() {
    for room in [0, DIMENSION - 1, DIMENSION, 2 * DIMENSION + 1] {
        let error = model().embed(&["a", "b"], &mut vec![0.0; room], &Call::unlimited()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidInput);
    }
}

#[test]
fn two_threads_side_by_side_give_what_one_gives() {
    let texts: Vec<String> = (0..2_000).map(|n| format!("ab a{} () é{n}", "b".repeat(n % 9))).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let alone = embed(&texts);
    thread::scope(|scope| {
        let runs: Vec<_> = (0..3).map(|_| scope.spawn(|| embed(&texts))).collect();
        for run in runs {
            assert!(run.join().unwrap() == alone);
        }
    });
}

#[test]
fn a_cancelled_call_ends() {
    let token = CancelToken::default();
    token.cancel();
    let call = Call::unlimited().with_cancel(token);
    let error = model().embed(&["a"], &mut [0.0; DIMENSION], &call).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Cancelled);
}

#[test]
fn a_call_cancelled_while_it_runs_ends_long_before_its_texts() {
    let text = "ab ".repeat(20_000);
    let texts = vec![text.as_str(); 20_000];
    let token = CancelToken::default();
    let call = Call::unlimited().with_cancel(token.clone());
    let error = thread::scope(|scope| {
        let run = scope.spawn(|| model().embed(&texts, &mut vec![0.0; texts.len() * DIMENSION], &call));
        thread::sleep(Duration::from_millis(20));
        token.cancel();
        run.join().unwrap().unwrap_err()
    });
    assert_eq!(error.code(), ErrorCode::Cancelled);
}

#[test]
fn a_call_out_of_time_ends() {
    let call = Call::unlimited().with_timeout(Duration::ZERO);
    let error = model().embed(&["a"], &mut [0.0; DIMENSION], &call).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout);
}
