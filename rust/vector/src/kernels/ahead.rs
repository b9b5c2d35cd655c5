//! How far ahead of the arithmetic the memory is asked.
//!
//! A scan is bound by memory. One row at a time, in the order of the addresses, and a hint into the second-level cache
//! for what comes 8 KiB later keeps the hardware's own streams going and bridges their stop at each page; several rows
//! side by side read about twice as slowly, because the streams then fetch what is not needed.

/// The distance in floats.
pub(super) const FLOATS_AHEAD: usize = 2048;

/// The distance in rows of that dimension.
pub(super) fn rows_ahead(dimension: usize) -> usize {
    (FLOATS_AHEAD / dimension.max(1)).max(1)
}
