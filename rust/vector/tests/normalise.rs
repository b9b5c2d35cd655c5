//! Any vector with a direction becomes one of length one; any other is refused, and names what is wrong.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use proptest::prelude::*;
use recollect_model::{Error, ErrorCode};
use recollect_vector::{MAX_DIMENSION, MIN_DIMENSION, normalise};

fn length(vector: &[f32]) -> f64 {
    vector.iter().map(|component| f64::from(*component).powi(2)).sum::<f64>().sqrt()
}

fn refusal(vector: &[f32]) -> Error {
    let mut out = vec![7.0; vector.len()];
    let error = normalise(vector, &mut out).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidInput);
    assert!(out.iter().all(|component| component.to_bits() == 7.0_f32.to_bits()), "the result was touched");
    error
}

#[test]
fn test_normalise_returns_the_length_and_keeps_the_direction() {
    let mut out = [0.0; 2];
    assert_eq!(normalise(&[3.0, -4.0], &mut out).unwrap().to_bits(), 5.0_f64.to_bits());
    assert_eq!(out.map(f32::to_bits), [0.6_f32.to_bits(), (-0.8_f32).to_bits()]);
}

#[test]
fn test_normalise_of_extreme_components_neither_overflows_nor_vanishes() {
    let smallest = f32::from_bits(1);
    for component in [f32::MAX, -f32::MAX, smallest, -smallest, f32::MIN_POSITIVE] {
        for dimension in [2, 3, 17, MAX_DIMENSION] {
            let mut out = vec![0.0; dimension];
            let norm = normalise(&vec![component; dimension], &mut out).unwrap();
            let root = f64::from(u32::try_from(dimension).unwrap()).sqrt();
            assert!((norm / (f64::from(component.abs()) * root) - 1.0).abs() < 1e-12, "{component} × {dimension}");
            assert!((length(&out) - 1.0).abs() < 1e-6, "{component} × {dimension}");
        }
    }
}

#[test]
fn test_normalise_of_a_component_that_is_not_finite_names_it() {
    for (bad, word) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        for index in [0, 1, 15, 16, 40] {
            let mut vector = vec![1.0; 41];
            vector[index] = bad;
            let message = refusal(&vector).message().to_owned();
            assert!(message.contains(&format!("component {index} ")) && message.contains(word), "{message}");
        }
    }
    let both = [1.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
    assert!(refusal(&both).message().contains("component 1 "));
}

#[test]
fn test_normalise_of_zeros_is_refused() {
    for dimension in [MIN_DIMENSION, 256, MAX_DIMENSION] {
        assert!(refusal(&vec![0.0; dimension]).message().contains("zeros"));
        assert!(refusal(&vec![-0.0; dimension]).message().contains("zeros"));
    }
}

#[test]
fn test_normalise_outside_the_dimensions_is_refused() {
    for dimension in [0, 1, MAX_DIMENSION + 1] {
        assert!(refusal(&vec![1.0; dimension]).message().contains("dimension"));
    }
}

#[test]
fn test_normalise_into_another_length_is_refused() {
    for length in [0, 2, 4] {
        let error = normalise(&[1.0, 2.0, 3.0], &mut vec![0.0; length]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidInput);
        assert!(error.message().contains('3'), "{error}");
    }
}

proptest! {
    #[test]
    fn test_normalise_of_any_bits_gives_length_one_or_refuses(
        vector in proptest::collection::vec(any::<u32>().prop_map(f32::from_bits), MIN_DIMENSION..200),
    ) {
        let mut out = vec![f32::NAN; vector.len()];
        let is_finite = vector.iter().all(|component| component.is_finite());
        let is_zero = vector.iter().all(|component| *component == 0.0);
        match normalise(&vector, &mut out) {
            Ok(norm) => {
                prop_assert!(is_finite && !is_zero);
                prop_assert!((norm / length(&vector) - 1.0).abs() < 1e-12);
                prop_assert!((length(&out) - 1.0).abs() < 1e-6);
                for (before, after) in vector.iter().zip(&out) {
                    prop_assert!((f64::from(*after) - f64::from(*before) / norm).abs() <= f64::from(f32::EPSILON));
                }
            }
            Err(error) => {
                prop_assert_eq!(error.code(), ErrorCode::InvalidInput);
                prop_assert!(!is_finite || is_zero);
            }
        }
    }

    #[test]
    fn test_normalise_of_finite_components_gives_length_one(
        vector in proptest::collection::vec(-1e3_f32..1e3, MIN_DIMENSION..400),
    ) {
        prop_assume!(vector.iter().any(|component| *component != 0.0));
        let mut out = vec![f32::NAN; vector.len()];
        normalise(&vector, &mut out).unwrap();
        prop_assert!((length(&out) - 1.0).abs() < 1e-6);
    }
}
