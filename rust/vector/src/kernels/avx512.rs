//! The kernel for AVX-512: one register of partial sums.

use std::arch::x86_64::{
    __m512, __mmask16, _MM_HINT_T1, _mm_prefetch, _mm256_add_ps, _mm256_castpd_ps, _mm512_add_ps, _mm512_castps_pd,
    _mm512_castps512_ps256, _mm512_extractf64x4_pd, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_maskz_loadu_ps,
    _mm512_setzero_ps,
};

use super::ahead::{FLOATS_AHEAD, rows_ahead};
use super::avx2;
use super::lane::LANE;

/// How many loads [`sum`] keeps in flight.
const SUM_CHAINS: usize = 8;

/// The dot products of `query` with each row.
///
/// # Safety
///
/// The processor has avx512f, and each row is as long as the query.
#[target_feature(enable = "avx512f")]
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
/// The processor has avx512f, and `query.len()` floats can be read behind `row`. Behind `later` nothing is read.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn dot(query: &[f32], row: *const f32, later: *const f32) -> f32 {
    let mut sums = _mm512_setzero_ps();
    let (lanes, rest) = query.as_chunks::<LANE>();
    for (index, lane) in lanes.iter().enumerate() {
        let start = index * LANE;
        _mm_prefetch::<_MM_HINT_T1>(later.wrapping_add(start).cast());
        // SAFETY: a lane of the query holds LANE floats; `start + LANE` is at most its length, which the row has too.
        let (query, row) = unsafe { (_mm512_loadu_ps(lane.as_ptr()), _mm512_loadu_ps(row.wrapping_add(start))) };
        sums = _mm512_fmadd_ps(query, row, sums);
    }
    if !rest.is_empty() {
        let mask: __mmask16 = (1 << rest.len()) - 1;
        // SAFETY: the mask lets through `rest.len()` floats, which the row has behind the full lanes, as the query has;
        // a masked load reads nothing else.
        let (query, row) = unsafe {
            (
                _mm512_maskz_loadu_ps(mask, rest.as_ptr()),
                _mm512_maskz_loadu_ps(mask, row.wrapping_add(lanes.len() * LANE)),
            )
        };
        sums = _mm512_fmadd_ps(query, row, sums);
    }
    fold(sums)
}

/// The sum of the sixteen floats, the upper half added to the lower each time.
#[inline]
#[target_feature(enable = "avx512f")]
fn fold(sums: __m512) -> f32 {
    let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(sums)));
    avx2::fold(_mm256_add_ps(_mm512_castps512_ps256(sums), high))
}

/// The sum of all values.
///
/// # Safety
///
/// The processor has avx512f.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn sum(values: &[f32]) -> f32 {
    let (steps, rest) = values.as_chunks::<{ SUM_CHAINS * LANE }>();
    let mut sums = [_mm512_setzero_ps(); SUM_CHAINS];
    for step in steps {
        let (registers, _) = step.as_chunks::<LANE>();
        for (sum, register) in sums.iter_mut().zip(registers) {
            _mm_prefetch::<_MM_HINT_T1>(register.as_ptr().wrapping_add(FLOATS_AHEAD).cast());
            // SAFETY: `register` holds LANE floats.
            *sum = _mm512_add_ps(*sum, unsafe { _mm512_loadu_ps(register.as_ptr()) });
        }
    }
    sums.map(|sum| fold(sum)).iter().sum::<f32>() + rest.iter().sum::<f32>()
}
