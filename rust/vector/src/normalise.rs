//! Vectors of length one.

use recollect_model::{Error, Result, limits};

/// The smallest dimension of a vector: with one component every cosine is 1 or −1.
pub const MIN_DIMENSION: usize = 2;

/// The largest dimension of a vector.
pub const MAX_DIMENSION: usize = limits::DIMENSION;

/// Checks that vectors may have this many components.
///
/// # Errors
///
/// `InvalidInput` outside [`MIN_DIMENSION`] to [`MAX_DIMENSION`].
pub(crate) fn check_dimension(dimension: usize) -> Result<()> {
    if (MIN_DIMENSION..=MAX_DIMENSION).contains(&dimension) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "a vector of {dimension} components: the dimension must be from {MIN_DIMENSION} to {MAX_DIMENSION}"
    )))
}

/// Writes `vector` scaled to length one into `out`, and returns the length (Euclidean norm) that it had.
///
/// The squares are added as f64, whose range holds the square of every f32, so neither the smallest subnormal nor
/// the largest components lose anything. The length is an f64 because it may exceed the largest f32.
///
/// # Errors
///
/// `InvalidInput`, with `out` untouched, if the dimension is outside [`MIN_DIMENSION`] to [`MAX_DIMENSION`], `out` has
/// another one, a component is not finite (the message names the first), or all are zero.
pub fn normalise(vector: &[f32], out: &mut [f32]) -> Result<f64> {
    check_dimension(vector.len())?;
    if vector.len() != out.len() {
        return Err(Error::invalid(format!("a vector of {} components where {} are due", vector.len(), out.len())));
    }
    let squares: f64 = vector.iter().map(|&component| f64::from(component) * f64::from(component)).sum();
    if !squares.is_finite() {
        return Err(not_finite(vector));
    }
    if squares == 0.0 {
        return Err(Error::invalid("a vector of zeros has no direction").with_hint("leave out texts without content"));
    }
    let norm = squares.sqrt();
    for (out, &component) in out.iter_mut().zip(vector) {
        #[expect(clippy::cast_possible_truncation, reason = "the quotient is at most one; rounding is the purpose")]
        let scaled = (f64::from(component) / norm) as f32;
        *out = scaled;
    }
    Ok(norm)
}

fn not_finite(vector: &[f32]) -> Error {
    let first = vector.iter().enumerate().find(|(_, component)| !component.is_finite());
    let (index, component) = first.map_or((0, f32::NAN), |(index, component)| (index, *component));
    Error::invalid(format!("component {index} of the vector is {component}"))
        .with_hint("every component must be finite")
}
