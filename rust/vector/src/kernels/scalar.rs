//! The kernel in plain Rust: the reference for the others, and what other processors use.

use super::lane::LANE;

/// The dot products of `query` with each row; the caller has checked the lengths.
pub(super) fn scores_of(query: &[f32], rows: &[&[f32]], out: &mut [f32]) {
    for (row, out) in rows.iter().zip(out) {
        *out = dot(query, row);
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_lanes, a_rest) = a.as_chunks::<LANE>();
    let (b_lanes, b_rest) = b.as_chunks::<LANE>();
    let mut sums = [0.0; LANE];
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        add_products(&mut sums, a, b);
    }
    add_products(&mut sums, a_rest, b_rest);
    fold(sums)
}

#[inline]
fn add_products(sums: &mut [f32; LANE], a: &[f32], b: &[f32]) {
    for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
        *sum += a * b;
    }
}

/// The sum of all values.
pub(super) fn sum(values: &[f32]) -> f32 {
    let (lanes, rest) = values.as_chunks::<LANE>();
    let mut sums = [0.0; LANE];
    for lane in lanes {
        for (sum, value) in sums.iter_mut().zip(lane) {
            *sum += value;
        }
    }
    fold(sums) + rest.iter().sum::<f32>()
}

/// Adds the upper half to the lower until one sum is left, the order in which registers are folded.
fn fold(mut sums: [f32; LANE]) -> f32 {
    let mut width = LANE / 2;
    while width > 0 {
        let (low, high) = sums.split_at_mut(width);
        for (low, high) in low.iter_mut().zip(high) {
            *low += *high;
        }
        width /= 2;
    }
    let [total, ..] = sums;
    total
}
