//! Every kernel computes the dot product within the stated error, and with the same bits however it is asked.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use proptest::prelude::*;
use recollect_vector::Kernel;

/// The bound that `Kernel` states, and the smallest normal number for what underflows.
fn bound(a: &[f32], b: &[f32]) -> f64 {
    let magnitude: f64 = a.iter().zip(b).map(|(a, b)| (f64::from(*a) * f64::from(*b)).abs()).sum();
    let steps = f64::from(u32::try_from(a.len()).unwrap()) / 16.0 + 6.0;
    // One percent for the terms of second order.
    1.01 * steps * 2.0_f64.powi(-24) * magnitude + f64::from(f32::MIN_POSITIVE)
}

fn exact(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// Numbers that are reproducible, of both signs and of sizes that differ widely.
fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let fraction = f32::from(u16::try_from(state >> 48).unwrap()) / 32768.0 - 1.0;
            fraction * [1.0, 100.0, 0.01, 1e-6][usize::try_from(state % 4).unwrap()]
        })
        .collect()
}

#[test]
fn test_dot_of_each_dimension_is_within_the_bound() {
    for kernel in Kernel::available() {
        for dimension in (0..=300).chain([511, 512, 513, 1023, 1536, 2047, 4095, 4096]) {
            let (a, b) = (numbers(1, dimension), numbers(2, dimension));
            let error = (f64::from(kernel.dot(&a, &b)) - exact(&a, &b)).abs();
            assert!(error <= bound(&a, &b), "{} at {dimension}: off by {error}", kernel.name());
        }
    }
}

#[test]
fn test_dot_counts_each_component_once() {
    for kernel in Kernel::available() {
        for dimension in 1..=130 {
            let ones = vec![1.0; dimension];
            for index in 0..dimension {
                let mut unit = vec![0.0; dimension];
                unit[index] = 2.0;
                assert_eq!(kernel.dot(&unit, &ones).to_bits(), 2.0_f32.to_bits(), "{} of {dimension}", kernel.name());
            }
        }
    }
}

#[test]
fn test_dot_beyond_the_end_is_not_read() {
    for kernel in Kernel::available() {
        for dimension in 0..=66 {
            let mut surrounded = vec![f32::NAN; dimension + 2 * 16];
            surrounded[16..16 + dimension].fill(0.5);
            let vector = &surrounded[16..16 + dimension];
            assert!(kernel.dot(vector, vector).is_finite(), "{} at {dimension}", kernel.name());
        }
    }
}

#[test]
fn test_wide_kernels_agree_bit_for_bit() {
    let (Some(avx2), Some(avx512)) = (Kernel::avx2(), Kernel::avx512()) else { return };
    for dimension in (2..200).chain([384, 767, 4096]) {
        let (a, b) = (numbers(3, dimension), numbers(4, dimension));
        assert_eq!(avx2.dot(&a, &b).to_bits(), avx512.dot(&a, &b).to_bits(), "at {dimension}");
    }
}

#[test]
fn test_best_is_the_last_of_the_available() {
    let available = Kernel::available();
    assert_eq!(available.first().copied(), Some(Kernel::scalar()));
    assert_eq!(available.last().copied(), Some(Kernel::best()));
    let names: Vec<&str> = available.iter().map(|kernel| kernel.name()).collect();
    assert!(["scalar", "avx2", "avx512"].starts_with(&names) || names == ["scalar", "avx512"], "{names:?}");
}

#[test]
fn test_sum_reads_each_value_once() {
    for kernel in Kernel::available() {
        for count in (0_u16..400).chain([4096, 4099]) {
            let values: Vec<f32> = (0..count).map(|value| f32::from(value % 5)).collect();
            let exact: u32 = (0..count).map(|value| u32::from(value % 5)).sum();
            assert!((f64::from(kernel.sum(&values)) - f64::from(exact)).abs() < 0.5, "{} of {count}", kernel.name());
        }
    }
}

#[test]
#[should_panic(expected = "another dimension")]
fn test_dot_of_different_lengths_panics() {
    Kernel::best().dot(&[1.0, 2.0], &[1.0]);
}

#[test]
#[should_panic(expected = "another shape")]
fn test_scores_of_a_wrong_shape_panics() {
    Kernel::best().scores(&[1.0, 2.0], &[1.0; 7], &mut [0.0; 3]);
}

#[test]
#[should_panic(expected = "fewer rows")]
fn test_more_results_than_rows_panics() {
    Kernel::best().scores_of(&[1.0, 2.0], &[&[1.0, 2.0]], &mut [0.0; 2]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn test_scores_have_the_bits_of_dot(
        dimension in 2_usize..=200, count in 0_usize..150, seed: u64, padding in 0_usize..20,
    ) {
        let (query, rows) = (numbers(seed, dimension), numbers(!seed, dimension * count));
        for kernel in Kernel::available() {
            let mut contiguous = vec![f32::NAN; count];
            kernel.scores(&query, &rows, &mut contiguous);

            let pad = |row: &[f32]| [row, vec![0.0; padding].as_slice()].concat();
            let padded: Vec<Vec<f32>> = rows.chunks(dimension).map(pad).collect();
            let scattered: Vec<&[f32]> = padded.iter().rev().map(Vec::as_slice).collect();
            let mut reversed = vec![f32::NAN; count];
            kernel.scores_of(&pad(&query), &scattered, &mut reversed);
            reversed.reverse();

            for ((row, contiguous), padded) in rows.chunks(dimension).zip(&contiguous).zip(&reversed) {
                let single = kernel.dot(&query, row);
                prop_assert_eq!(single.to_bits(), contiguous.to_bits());
                // Adding zeros makes 0 of −0, nothing else.
                prop_assert_eq!((single + 0.0).to_bits(), (padded + 0.0).to_bits());
                let error = (f64::from(single) - exact(&query, row)).abs();
                prop_assert!(error <= bound(&query, row), "{} off by {}", kernel.name(), error);
            }
        }
    }

    #[test]
    fn test_every_kernel_is_within_twice_the_bound_of_scalar(dimension in 2_usize..=4096, seed: u64) {
        let (a, b) = (numbers(seed, dimension), numbers(!seed, dimension));
        let scalar = f64::from(Kernel::scalar().dot(&a, &b));
        for kernel in Kernel::available() {
            let difference = (f64::from(kernel.dot(&a, &b)) - scalar).abs();
            prop_assert!(difference <= 2.0 * bound(&a, &b), "{} at {}: {}", kernel.name(), dimension, difference);
        }
    }
}
