//! The table of rows: one half-precision vector for each token.

use std::ops::Range;

use recollect_model::{Error, Result};
use serde::Deserialize;

const TENSOR: &str = "embedding.weight";
/// A longer header is no header.
const HEADER_LIMIT: u64 = 1 << 20;
const VALUE_BYTES: usize = 2;

/// Rows of `dimension` values of IEEE 754 binary16, as the file has them.
#[derive(Debug)]
pub(crate) struct Table {
    bytes: Vec<u8>,
    values: Range<usize>,
    dimension: usize,
    row_count: usize,
}

#[derive(Deserialize)]
struct Header {
    #[serde(rename = "embedding.weight")]
    tensor: Option<TensorInfo>,
}

#[derive(Deserialize)]
struct TensorInfo {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (usize, usize),
}

impl Table {
    /// Takes the bytes of a safetensors file: a length of 8 bytes, a header in JSON, the values.
    ///
    /// # Errors
    ///
    /// `Corrupt` if the file is malformed, truncated or holds a value that is not finite; `Unsupported` if the table
    /// is not there, or not of two dimensions and half precision.
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self> {
        let malformed = || Error::corrupt("the weight file is not a whole safetensors file");
        let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(malformed)?;
        let length = u64::from_le_bytes(*length);
        let length = usize::try_from(length.min(HEADER_LIMIT)).map_err(|_| malformed())?;
        let (header, data) = rest.split_at_checked(length).ok_or_else(malformed)?;
        let header: Header = serde_json::from_slice(header).map_err(|error| malformed().with_source(error))?;
        let Some(tensor) = header.tensor else {
            return Err(Error::unsupported(format!("the weight file has no tensor `{TENSOR}`")));
        };
        let &[row_count, dimension] = tensor.shape.as_slice() else {
            return Err(Error::unsupported(format!("the tensor `{TENSOR}` is not a table of rows")));
        };
        if tensor.dtype != "F16" {
            return Err(Error::unsupported(format!("the tensor `{TENSOR}` is {}, not F16", tensor.dtype)));
        }
        let (start, end) = tensor.data_offsets;
        let size = row_count.checked_mul(dimension).and_then(|count| count.checked_mul(VALUE_BYTES));
        if dimension == 0 || start > end || end > data.len() || size != Some(end - start) {
            return Err(malformed());
        }
        let offset = bytes.len() - data.len();
        let values = offset + start..offset + end;
        Ok(Self { bytes, values, dimension, row_count })
    }

    /// How many values a row has.
    pub(crate) fn dimension(&self) -> usize {
        self.dimension
    }

    /// How many rows there are.
    pub(crate) fn row_count(&self) -> usize {
        self.row_count
    }

    /// Whether no value is infinite or not a number.
    pub(crate) fn is_finite(&self) -> bool {
        let values = self.bytes.get(self.values.clone()).unwrap_or_default();
        let (values, _) = values.as_chunks::<VALUE_BYTES>();
        values.iter().all(|value| u16::from_le_bytes(*value) & 0x7C00 != 0x7C00)
    }

    fn row(&self, id: u16) -> &[[u8; VALUE_BYTES]] {
        let start = self.values.start + usize::from(id) * self.dimension * VALUE_BYTES;
        let row = self.bytes.get(start..start + self.dimension * VALUE_BYTES).unwrap_or_default();
        row.as_chunks().0
    }

    /// Writes the mean of the rows of `ids` to `out`, of `dimension` values; zeros if there are no ids.
    ///
    /// The rows are added one after the other in f32, as numpy adds along an outer axis, so the result is that of
    /// the Python package bit for bit.
    pub(crate) fn mean(&self, ids: &[u16], out: &mut [f32]) {
        out.fill(0.0);
        let (groups, rest) = ids.as_chunks::<4>();
        for &[first, second, third, fourth] in groups {
            let rows = self.row(first).iter().zip(self.row(second)).zip(self.row(third)).zip(self.row(fourth));
            for (sum, (((a, b), c), d)) in out.iter_mut().zip(rows) {
                *sum = *sum + scaled(*a) + scaled(*b) + scaled(*c) + scaled(*d);
            }
        }
        for &id in rest {
            for (sum, value) in out.iter_mut().zip(self.row(id)) {
                *sum += scaled(*value);
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a text of over 2^24 tokens is not met")]
        let count = ids.len().max(1) as f32;
        for sum in out {
            *sum = *sum * SCALE / count;
        }
    }
}

/// What [`scaled`] leaves out.
const SCALE: f32 = f32::from_bits((127 + 112) << 23);

/// The value of a binary16 divided by 2^112, exactly.
///
/// The exponents of binary16 and binary32 differ in bias by 112. Moving the bits into place without correcting the
/// bias is three instructions for four values, and one multiplication of the sum makes it good. Sums stay exact to
/// the bit: values are multiples of 2^-24, and scaled down they still lie above the smallest binary32.
fn scaled(half: [u8; VALUE_BYTES]) -> f32 {
    let spread = (u32::from(u16::from_le_bytes(half)) << 16).cast_signed() >> 3;
    f32::from_bits(spread.cast_unsigned() & 0x8FFF_E000)
}
