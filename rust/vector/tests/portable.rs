//! Every kernel and every path to it, small enough to run under Miri, which sees each read that leaves a vector.
//!
//! Miri has the instructions that it compiles for: with `RUSTFLAGS=-Ctarget-feature=+avx512f` every kernel runs, without
//! it the one in plain Rust.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::float_cmp, reason = "sums of small whole numbers are exact")]

use recollect_model::Call;
use recollect_vector::{Kernel, OwnerMask, Table, top_k, top_owners};

/// One full lane and a part of one.
const DIMENSION: usize = 19;

/// The rows of a full block of that dimension, and some for a second one.
const ROWS: u16 = 256 + 14;

#[test]
fn test_each_length_is_read_to_its_end_only() {
    for kernel in Kernel::available() {
        for length in 0_u8..=50 {
            // Allocations of that very length, between which nothing may be read.
            let rows: Vec<Box<[f32]>> = (0..3_u8).map(|row| vec![f32::from(row); length.into()].into()).collect();
            let query: Box<[f32]> = vec![1.0; length.into()].into();
            let slices: Vec<&[f32]> = rows.iter().map(|row| &**row).collect();
            let mut scores = [f32::NAN; 3];
            kernel.scores_of(&query, &slices, &mut scores);
            let length = f32::from(length);
            assert_eq!(scores, [0.0, length, 2.0 * length], "{} of {length}", kernel.name());
        }
    }
}

#[test]
fn test_sum_of_each_length_is_read_to_its_end_only() {
    for kernel in Kernel::available() {
        for count in [0_u16, 1, 15, 16, 63, 64, 65, 127, 128, 129, 300] {
            let values: Box<[f32]> = vec![1.0; count.into()].into();
            assert!((kernel.sum(&values) - f32::from(count)).abs() < 0.5, "{} of {count}", kernel.name());
        }
    }
}

#[test]
fn test_search_over_several_blocks() {
    let mut table = Table::with_kernel(DIMENSION, Kernel::best()).unwrap();
    let mut vector = vec![0.0; DIMENSION];
    for id in 0..ROWS {
        vector.fill(1.0);
        if let Some(component) = vector.get_mut(usize::from(id) % DIMENSION) {
            *component = 2.0 + f32::from(id);
        }
        table.push(u32::from(id), u32::from(id / 2), &vector).unwrap();
    }
    let before = table.clone();
    assert!(table.remove(260));
    // The large component of 260 stands where those of 241, 222 and 203 stand; the larger it is, the nearer the row to
    // that axis.
    let query = before.get(260).unwrap().to_vec();
    let (everyone, narrow) = (OwnerMask::full(ROWS.div_ceil(2).into()), OwnerMask::full(121));
    let hits = top_k(&table, &query, 3, &everyone, &Call::unlimited()).unwrap();
    assert_eq!(hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [241, 222, 203]);
    let hits = top_owners(&before, &query, 2, &narrow, &Call::unlimited()).unwrap();
    assert_eq!(hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [241, 222]);
}
