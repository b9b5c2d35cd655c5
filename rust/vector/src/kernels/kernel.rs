//! The choice of instructions, made once.

use super::scalar;
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};

/// How many rows [`Kernel::scores`] hands on at once.
const SCORES_BATCH: usize = 32;

/// A set of vector instructions that this processor has.
///
/// A value exists only for instructions that were found on the processor, which is what makes its methods safe.
///
/// Every kernel adds products into sixteen partial sums (component `i` into sum `i % 16`) and folds those in halves.
/// So a score has the same bits whether it comes from [`Self::dot`], [`Self::scores`] or [`Self::scores_of`], whatever
/// stands beside it and whether or not its row is padded with zeros; and the error is at most
/// `(d / 16 + 6) · 2⁻²⁴ · Σ|aᵢ·bᵢ|`, to first order, plus what underflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kernel(Instructions);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Instructions {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Kernel {
    /// The kernel in plain Rust, which runs everywhere.
    pub const fn scalar() -> Self {
        Self(Instructions::Scalar)
    }

    /// AVX2 with fused multiply-add, if the processor has both.
    pub fn avx2() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return Some(Self(Instructions::Avx2));
        }
        None
    }

    /// AVX-512, if the processor has its foundation.
    pub fn avx512() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") {
            return Some(Self(Instructions::Avx512));
        }
        None
    }

    /// The widest kernel of this processor.
    pub fn best() -> Self {
        Self::avx512().or_else(Self::avx2).unwrap_or(Self::scalar())
    }

    /// Every kernel of this processor, the narrowest first.
    pub fn available() -> Vec<Self> {
        [Some(Self::scalar()), Self::avx2(), Self::avx512()].into_iter().flatten().collect()
    }

    /// The name that statistics show: `scalar`, `avx2` or `avx512`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Instructions::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => "avx512",
        }
    }

    /// The dot product of two vectors of the same length.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    pub fn dot(self, a: &[f32], b: &[f32]) -> f32 {
        let mut score = [0.0];
        self.scores_of(a, &[b], &mut score);
        let [score] = score;
        score
    }

    /// The dot products of `query` (d floats) with the consecutive rows of `rows` (n × d floats), into `out` (n
    /// floats).
    ///
    /// # Panics
    ///
    /// If `rows` is not as long as `query` and `out` say.
    pub fn scores(self, query: &[f32], rows: &[f32], out: &mut [f32]) {
        assert_eq!(rows.len(), query.len() * out.len(), "the rows have another shape than the query and the result");
        if query.is_empty() {
            out.fill(0.0);
            return;
        }
        let mut window: [&[f32]; 2 * SCORES_BATCH] = [&[]; 2 * SCORES_BATCH];
        let mut rest = rows;
        for out in out.chunks_mut(SCORES_BATCH) {
            let mut count = 0;
            for (slot, row) in window.iter_mut().zip(rest.chunks_exact(query.len())) {
                *slot = row;
                count += 1;
            }
            let (window, _) = window.split_at(count);
            self.scores_of(query, window, out);
            (_, rest) = rest.split_at(query.len() * out.len());
        }
    }

    /// The dot products of `query` with the first `out.len()` of `rows`, wherever they lie, into `out`.
    ///
    /// Rows behind those are the ones that the caller will score next: the memory is asked for the first of them.
    ///
    /// # Panics
    ///
    /// If a row has another length than the query, or there are fewer rows than results.
    pub fn scores_of(self, query: &[f32], rows: &[&[f32]], out: &mut [f32]) {
        assert!(rows.len() >= out.len(), "there are fewer rows than results");
        assert!(rows.iter().all(|row| row.len() == query.len()), "a row has another dimension than the query");
        match self.0 {
            Instructions::Scalar => scalar::scores_of(query, rows, out),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this value exists only where avx2 and fma were detected, and all rows are as long as the query.
            Instructions::Avx2 => unsafe { avx2::scores_of(query, rows, out) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this value exists only where avx512f was detected, and all rows are as long as the query.
            Instructions::Avx512 => unsafe { avx512::scores_of(query, rows, out) },
        }
    }

    /// The sum of all values, reading each once with the widest loads there are: the yardstick for what the memory can
    /// deliver. Its rounding is that of f32.
    pub fn sum(self, values: &[f32]) -> f32 {
        match self.0 {
            Instructions::Scalar => scalar::sum(values),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this value exists only where avx2 and fma were detected.
            Instructions::Avx2 => unsafe { avx2::sum(values) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this value exists only where avx512f was detected.
            Instructions::Avx512 => unsafe { avx512::sum(values) },
        }
    }
}
