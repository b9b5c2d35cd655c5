//! Storage of floats that starts at a cache line.

/// How many floats a lane holds: one cache line, one AVX-512 register.
pub(crate) const LANE: usize = 16;

/// Sixteen floats on a cache line of their own, so that no load of a kernel straddles two lines.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Lane([f32; LANE]);

impl Lane {
    /// Sixteen zeros.
    pub(crate) const ZERO: Self = Self([0.0; LANE]);
}

// The casts below need a lane to be its floats and nothing else.
const _: () = assert!(size_of::<Lane>() == size_of::<[f32; LANE]>());

/// The floats of consecutive lanes.
pub(crate) fn floats(lanes: &[Lane]) -> &[f32] {
    // SAFETY: a lane is exactly LANE floats without padding (asserted above), stricter in alignment than a float, so
    // `lanes` is `lanes.len() * LANE` initialised floats in one allocation, borrowed for as long as the result is.
    unsafe { std::slice::from_raw_parts(lanes.as_ptr().cast::<f32>(), lanes.len() * LANE) }
}

/// The floats of consecutive lanes, to be written.
pub(crate) fn floats_mut(lanes: &mut [Lane]) -> &mut [f32] {
    // SAFETY: as in `floats`; the exclusive borrow of `lanes` is passed on, and any f32 is a valid content of a lane.
    unsafe { std::slice::from_raw_parts_mut(lanes.as_mut_ptr().cast::<f32>(), lanes.len() * LANE) }
}
