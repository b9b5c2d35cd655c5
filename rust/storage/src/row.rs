//! One row of an answer. Reading checks the type: a damaged file is an error, never a panic.

use std::str;

use recollect_model::{Error, Result};
use serde::de::DeserializeOwned;

use crate::raw::{Columns, Kind};

/// The current row of a query. Columns are numbered from 0.
///
/// Every method fails with `Corrupt` when the column holds another type than asked for, and with `Internal` when the
/// query has no such column.
pub struct Row<'r> {
    columns: Columns<'r>,
}

#[expect(clippy::missing_errors_doc, reason = "the errors are the same for all and stand at the type")]
impl<'r> Row<'r> {
    pub(crate) fn new(columns: Columns<'r>) -> Self {
        Self { columns }
    }

    /// Whether the column is NULL.
    pub fn is_null(&self, column: usize) -> Result<bool> {
        Ok(self.kind(column)? == Kind::Null)
    }

    /// An integer.
    pub fn integer(&self, column: usize) -> Result<i64> {
        self.expect(column, Kind::Integer)?;
        Ok(self.columns.integer(column))
    }

    /// An integer or NULL.
    pub fn optional_integer(&self, column: usize) -> Result<Option<i64>> {
        self.optional(column, Self::integer)
    }

    /// An integer that is not negative.
    pub fn unsigned(&self, column: usize) -> Result<u64> {
        let number = self.integer(column)?;
        u64::try_from(number).map_err(|_| out_of_range(column, number))
    }

    /// An integer that is the id of a row: below 2^32.
    pub fn id(&self, column: usize) -> Result<u32> {
        let number = self.integer(column)?;
        u32::try_from(number).map_err(|_| out_of_range(column, number))
    }

    /// An id or NULL.
    pub fn optional_id(&self, column: usize) -> Result<Option<u32>> {
        self.optional(column, Self::id)
    }

    /// An integer that is a length or an index.
    pub fn size(&self, column: usize) -> Result<usize> {
        let number = self.integer(column)?;
        usize::try_from(number).map_err(|_| out_of_range(column, number))
    }

    /// A float.
    pub fn real(&self, column: usize) -> Result<f64> {
        self.expect(column, Kind::Real)?;
        Ok(self.columns.real(column))
    }

    /// Text, where it lies. It is gone at the next row.
    pub fn text_ref(&self, column: usize) -> Result<&'r str> {
        let bytes = self.read(column, Kind::Text)?;
        str::from_utf8(bytes).map_err(|error| {
            Error::corrupt(format!("the store is damaged: column {column} holds text that is no UTF-8"))
                .with_source(error)
        })
    }

    /// Text.
    pub fn text(&self, column: usize) -> Result<String> {
        self.text_ref(column).map(str::to_owned)
    }

    /// Text or NULL.
    pub fn optional_text(&self, column: usize) -> Result<Option<String>> {
        self.optional(column, Self::text)
    }

    /// What a text of JSON says.
    pub fn json<T: DeserializeOwned>(&self, column: usize) -> Result<T> {
        serde_json::from_str(self.text_ref(column)?).map_err(|error| {
            Error::corrupt(format!("the store is damaged: column {column} holds no such JSON")).with_source(error)
        })
    }

    /// Bytes, where they lie. They are gone at the next row.
    pub fn blob_ref(&self, column: usize) -> Result<&'r [u8]> {
        self.read(column, Kind::Blob)
    }

    /// Bytes.
    pub fn blob(&self, column: usize) -> Result<Vec<u8>> {
        self.blob_ref(column).map(<[u8]>::to_vec)
    }

    /// Shows bytes to a function.
    pub fn with_blob<T>(&self, column: usize, read: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
        read(self.blob_ref(column)?)
    }

    /// Exactly `N` bytes.
    pub fn bytes<const N: usize>(&self, column: usize) -> Result<[u8; N]> {
        let bytes = self.blob_ref(column)?;
        bytes.try_into().map_err(|_| {
            Error::corrupt(format!("the store is damaged: column {column} holds {} bytes instead of {N}", bytes.len()))
        })
    }

    /// Exactly `N` bytes, or NULL.
    pub fn optional_bytes<const N: usize>(&self, column: usize) -> Result<Option<[u8; N]>> {
        self.optional(column, Self::bytes)
    }

    fn optional<T>(&self, column: usize, read: impl FnOnce(&Self, usize) -> Result<T>) -> Result<Option<T>> {
        if self.is_null(column)? { Ok(None) } else { read(self, column).map(Some) }
    }

    fn kind(&self, column: usize) -> Result<Kind> {
        self.columns.kind(column).ok_or_else(|| Error::internal(format!("the query has no column {column}")))
    }

    fn expect(&self, column: usize, wanted: Kind) -> Result<()> {
        let kind = self.kind(column)?;
        if kind == wanted {
            return Ok(());
        }
        Err(Error::corrupt(format!("the store is damaged: column {column} is {kind:?} instead of {wanted:?}")))
    }

    fn read(&self, column: usize, wanted: Kind) -> Result<&'r [u8]> {
        self.expect(column, wanted)?;
        self.columns.bytes(column).ok_or_else(|| Error::io("memory is exhausted"))
    }
}

fn out_of_range(column: usize, number: i64) -> Error {
    Error::corrupt(format!("the store is damaged: column {column} holds {number}, which is out of range"))
}
