//! Arrays: in by the buffer protocol, out as bytes, which numpy wraps without a copy.

use pyo3::buffer::{Element, PyBuffer};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use recollect_engine::Vectors;
use recollect_model::{Error, Result};

/// The values of an array in C order, and its shape.
fn read<T: Element>(name: &str, what: &str, array: &Bound<'_, PyAny>) -> Result<(Vec<T>, Vec<usize>)> {
    let wrong = || Error::invalid(format!("{name} must be a C-ordered array of {what}"));
    let buffer = PyBuffer::<T>::get(array).map_err(|_| wrong())?;
    if !buffer.is_c_contiguous() {
        return Err(wrong());
    }
    let values = buffer.to_vec(array.py()).map_err(|_| wrong())?;
    Ok((values, buffer.shape().to_vec()))
}

/// One vector of shape (d,).
pub(crate) fn floats(name: &str, array: &Bound<'_, PyAny>) -> Result<Vec<f32>> {
    let (values, shape) = read(name, "float32", array)?;
    match shape.as_slice() {
        [_] => Ok(values),
        _ => Err(Error::invalid(format!("{name} must have the shape (d,), not {shape:?}"))),
    }
}

/// Vectors of shape (n, d).
pub(crate) fn vectors(name: &str, array: &Bound<'_, PyAny>) -> Result<Vectors> {
    let (values, dimension) = rows(name, array)?;
    Ok(Vectors { values, dimension })
}

/// Vectors of shape (n, d), with d.
pub(crate) fn rows(name: &str, array: &Bound<'_, PyAny>) -> Result<(Vec<f32>, usize)> {
    let (values, shape) = read(name, "float32", array)?;
    match shape.as_slice() {
        [_, columns] => Ok((values, *columns)),
        _ => Err(Error::invalid(format!("{name} must have the shape (n, d), not {shape:?}"))),
    }
}

/// Numbers of shape (n,).
pub(crate) fn unsigned(name: &str, array: &Bound<'_, PyAny>) -> Result<Vec<u32>> {
    let (values, _) = read(name, "uint32", array)?;
    Ok(values)
}

/// The bytes of 32-bit values, in the order of the machine.
pub(crate) fn to_bytes<'py, T: Copy>(
    py: Python<'py>,
    values: &[T],
    bytes_of: impl Fn(T) -> [u8; 4],
) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, values.len() * 4, |out| {
        for (four, value) in out.as_chunks_mut::<4>().0.iter_mut().zip(values) {
            *four = bytes_of(*value);
        }
        Ok(())
    })
}
