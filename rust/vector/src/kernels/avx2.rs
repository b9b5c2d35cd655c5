//! The kernel for AVX2 with fused multiply-add: two registers of partial sums.

use std::arch::x86_64::{
    __m256, __m256i, _MM_HINT_T1, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_movehl_ps, _mm_prefetch, _mm_shuffle_ps,
    _mm256_add_ps, _mm256_castps256_ps128, _mm256_extractf128_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256,
    _mm256_maskload_ps, _mm256_setzero_ps,
};

use super::ahead::{FLOATS_AHEAD, rows_ahead};
use super::lane::LANE;

const WIDTH: usize = 8;

/// How many loads [`sum`] keeps in flight.
const SUM_CHAINS: usize = 8;

/// The mask of the first `n` floats of a register begins at element `WIDTH - n`.
static FIRST: [i32; 2 * WIDTH] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

/// The dot products of `query` with each row.
///
/// # Safety
///
/// The processor has avx2 and fma, and each row is as long as the query.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn scores_of(query: &[f32], rows: &[&[f32]], out: &mut [f32]) {
    let following = rows.iter().skip(rows_ahead(query.len())).chain(std::iter::repeat(&query));
    for ((row, later), out) in rows.iter().zip(following).zip(out) {
        // SAFETY: the row is as long as the query, by the contract of this function.
        *out = unsafe { dot(query, row.as_ptr(), later.as_ptr()) };
    }
}

/// The dot product of `query` with a row, while the memory is asked for a row that comes `later`.
///
/// # Safety
///
/// The processor has avx2 and fma, and `query.len()` floats can be read behind `row`. Behind `later` nothing is read.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn dot(query: &[f32], row: *const f32, later: *const f32) -> f32 {
    let (mut sums_low, mut sums_high) = (_mm256_setzero_ps(), _mm256_setzero_ps());
    let (lanes, rest) = query.as_chunks::<LANE>();
    for (index, lane) in lanes.iter().enumerate() {
        let start = index * LANE;
        _mm_prefetch::<_MM_HINT_T1>(later.wrapping_add(start).cast());
        let (query, row) = (lane.as_ptr(), row.wrapping_add(start));
        // SAFETY: a lane of the query holds LANE floats; `start + LANE` is at most its length, which the row has too.
        unsafe {
            sums_low = _mm256_fmadd_ps(_mm256_loadu_ps(query), _mm256_loadu_ps(row), sums_low);
            let (query, row) = (query.wrapping_add(WIDTH), row.wrapping_add(WIDTH));
            sums_high = _mm256_fmadd_ps(_mm256_loadu_ps(query), _mm256_loadu_ps(row), sums_high);
        }
    }
    if !rest.is_empty() {
        let (low, high) = (first(rest.len()), first(rest.len().saturating_sub(WIDTH)));
        let (query, row) = (rest.as_ptr(), row.wrapping_add(lanes.len() * LANE));
        // SAFETY: the two masks let through `rest.len()` floats, which the row has behind the full lanes, as the query
        // has; a masked load reads nothing else.
        unsafe {
            sums_low = _mm256_fmadd_ps(_mm256_maskload_ps(query, low), _mm256_maskload_ps(row, low), sums_low);
            let (query, row) = (query.wrapping_add(WIDTH), row.wrapping_add(WIDTH));
            sums_high = _mm256_fmadd_ps(_mm256_maskload_ps(query, high), _mm256_maskload_ps(row, high), sums_high);
        }
    }
    fold(_mm256_add_ps(sums_low, sums_high))
}

/// The mask that lets through the first `count` floats of a register, all of them if `count` is [`WIDTH`] or more.
#[target_feature(enable = "avx2")]
fn first(count: usize) -> __m256i {
    let start = FIRST.as_ptr().wrapping_add(WIDTH - count.min(WIDTH));
    // SAFETY: `start` is one of the elements 0 to WIDTH, from each of which on FIRST has at least WIDTH elements.
    unsafe { _mm256_loadu_si256(start.cast()) }
}

/// The sum of the eight floats, the upper half added to the lower each time.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn fold(sums: __m256) -> f32 {
    let four = _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps::<1>(sums));
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
}

/// The sum of all values.
///
/// # Safety
///
/// The processor has avx2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn sum(values: &[f32]) -> f32 {
    let (steps, rest) = values.as_chunks::<{ SUM_CHAINS * WIDTH }>();
    let mut sums = [_mm256_setzero_ps(); SUM_CHAINS];
    for step in steps {
        let (registers, _) = step.as_chunks::<WIDTH>();
        for (sum, register) in sums.iter_mut().zip(registers) {
            _mm_prefetch::<_MM_HINT_T1>(register.as_ptr().wrapping_add(FLOATS_AHEAD).cast());
            // SAFETY: `register` holds WIDTH floats.
            *sum = _mm256_add_ps(*sum, unsafe { _mm256_loadu_ps(register.as_ptr()) });
        }
    }
    sums.map(|sum| fold(sum)).iter().sum::<f32>() + rest.iter().sum::<f32>()
}
