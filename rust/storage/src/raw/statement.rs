//! Statements: values are bound and columns are read where they lie.

use std::ffi::{c_int, c_uchar};
use std::ptr::NonNull;
use std::slice;

use libsql::ffi;

use super::failure::Failure;
use crate::value::Value;

/// The type of a column in the current row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Integer,
    Real,
    Text,
    Blob,
}

/// A compiled statement.
pub(crate) struct Statement {
    raw: NonNull<ffi::sqlite3_stmt>,
    parameters: usize,
    columns: usize,
    is_read_only: bool,
}

// SAFETY: a statement moves between threads only together with its connection, inside `crate::connection::Connection`,
// which one thread at a time uses.
unsafe impl Send for Statement {}

impl Statement {
    /// # Safety
    ///
    /// `raw` was just compiled, and nobody else has it.
    pub(super) unsafe fn new(raw: NonNull<ffi::sqlite3_stmt>) -> Self {
        // SAFETY: a live statement.
        let (parameters, columns, is_read_only) = unsafe {
            (
                ffi::sqlite3_bind_parameter_count(raw.as_ptr()),
                ffi::sqlite3_column_count(raw.as_ptr()),
                ffi::sqlite3_stmt_readonly(raw.as_ptr()) != 0,
            )
        };
        let count = |number: c_int| usize::try_from(number).unwrap_or(0);
        Self { raw, parameters: count(parameters), columns: count(columns), is_read_only }
    }

    /// How many values it takes.
    pub(crate) fn parameters(&self) -> usize {
        self.parameters
    }

    /// Whether it changes nothing.
    pub(crate) fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    /// Resets the statement, binds the values, and runs it row by row. What is returned resets it again when it goes.
    pub(crate) fn run<'s>(&'s mut self, values: &'s [Value<'_>]) -> Result<Running<'s>, Failure> {
        self.reset();
        let running = Running { statement: self };
        for (position, value) in (1..).zip(values) {
            running.statement.bind(position, value)?;
        }
        Ok(running)
    }

    /// Binds without a copy. `run` alone calls it: the values outlive its `Running`, and a statement that was not
    /// reset by its `Running` is reset before it is next stepped.
    fn bind(&self, position: c_int, value: &Value<'_>) -> Result<(), Failure> {
        let raw = self.raw.as_ptr();
        // SAFETY: a live statement, not running. Text and bytes are as long as said and live until the bindings are
        // cleared. No destructor means that they stay the caller's.
        let code = unsafe {
            match value {
                Value::Null => ffi::sqlite3_bind_null(raw, position),
                Value::Integer(number) => ffi::sqlite3_bind_int64(raw, position, *number),
                Value::Unsigned(number) => match i64::try_from(*number) {
                    Ok(number) => ffi::sqlite3_bind_int64(raw, position, number),
                    Err(_) => return Err(refusal("an integer is above 2^63 - 1")),
                },
                Value::Real(number) if number.is_nan() => return Err(refusal("a number is NaN")),
                Value::Real(number) => ffi::sqlite3_bind_double(raw, position, *number),
                Value::Text(text) => bind_text(raw, position, text)?,
                Value::OwnedText(text) => bind_text(raw, position, text)?,
                Value::Bytes(bytes) => bind_bytes(raw, position, bytes),
                Value::Blob(bytes) => bind_bytes(raw, position, bytes),
            }
        };
        if code == ffi::SQLITE_OK { Ok(()) } else { Err(self.failure()) }
    }

    fn reset(&self) {
        // SAFETY: a live statement. The answer of a reset is the failure of the last step, which was already reported.
        unsafe {
            ffi::sqlite3_reset(self.raw.as_ptr());
            ffi::sqlite3_clear_bindings(self.raw.as_ptr());
        }
    }

    fn failure(&self) -> Failure {
        // SAFETY: a live statement, whose connection is open as long as it lives, on the thread that uses both.
        unsafe { Failure::of(ffi::sqlite3_db_handle(self.raw.as_ptr())) }
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        // SAFETY: a live statement, gone afterwards.
        unsafe {
            ffi::sqlite3_finalize(self.raw.as_ptr());
        }
    }
}

/// A refusal of ours, in the shape of libSQL's own.
fn refusal(problem: &str) -> Failure {
    Failure { code: ffi::SQLITE_MISMATCH, message: problem.to_owned(), system: 0 }
}

/// # Safety
///
/// As for [`Statement::bind`].
unsafe fn bind_text(raw: *mut ffi::sqlite3_stmt, position: c_int, text: &str) -> Result<c_int, Failure> {
    if text.as_bytes().contains(&0) {
        return Err(refusal("a text contains NUL"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "the constant is 1")]
    let encoding = ffi::SQLITE_UTF8 as c_uchar;
    // SAFETY: by the contract. A pointer that is not null binds the empty text, and not NULL.
    Ok(unsafe { ffi::sqlite3_bind_text64(raw, position, text.as_ptr().cast(), text.len() as u64, None, encoding) })
}

/// # Safety
///
/// As for [`Statement::bind`].
unsafe fn bind_bytes(raw: *mut ffi::sqlite3_stmt, position: c_int, bytes: &[u8]) -> c_int {
    // SAFETY: by the contract. A pointer that is not null binds the empty blob, and not NULL.
    unsafe { ffi::sqlite3_bind_blob64(raw, position, bytes.as_ptr().cast(), bytes.len() as u64, None) }
}

/// A statement that runs. It is reset, and forgets its values, when this goes.
pub(crate) struct Running<'s> {
    statement: &'s Statement,
}

impl Running<'_> {
    /// The next row, or none when the statement has ended.
    pub(crate) fn step(&mut self) -> Result<Option<Columns<'_>>, Failure> {
        // SAFETY: a live statement with its values bound.
        match unsafe { ffi::sqlite3_step(self.statement.raw.as_ptr()) } {
            ffi::SQLITE_ROW => Ok(Some(Columns { statement: self.statement })),
            ffi::SQLITE_DONE => Ok(None),
            _ => Err(self.statement.failure()),
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.statement.reset();
    }
}

/// The columns of the current row. It borrows what runs, so it is gone before the next step.
#[derive(Clone, Copy)]
pub(crate) struct Columns<'r> {
    statement: &'r Statement,
}

impl<'r> Columns<'r> {
    /// The type of a column, or none if there is no such column.
    pub(crate) fn kind(self, column: usize) -> Option<Kind> {
        if column >= self.statement.columns {
            return None;
        }
        let column = c_int::try_from(column).ok()?;
        // SAFETY: a live statement with a current row.
        match unsafe { ffi::sqlite3_column_type(self.statement.raw.as_ptr(), column) } {
            ffi::SQLITE_INTEGER => Some(Kind::Integer),
            ffi::SQLITE_FLOAT => Some(Kind::Real),
            ffi::SQLITE_TEXT => Some(Kind::Text),
            ffi::SQLITE_BLOB => Some(Kind::Blob),
            _ => Some(Kind::Null),
        }
    }

    /// An integer column; 0 for any other.
    pub(crate) fn integer(self, column: usize) -> i64 {
        // SAFETY: a live statement with a current row; a number out of range reads NULL.
        unsafe { ffi::sqlite3_column_int64(self.statement.raw.as_ptr(), index(column)) }
    }

    /// A float column; 0 for any other.
    pub(crate) fn real(self, column: usize) -> f64 {
        // SAFETY: as for `integer`.
        unsafe { ffi::sqlite3_column_double(self.statement.raw.as_ptr(), index(column)) }
    }

    /// The bytes of a text or blob column; none when libSQL is out of memory. Only for a column of one of the two
    /// types: those are not converted, so the bytes stay where they are until the next step.
    pub(crate) fn bytes(self, column: usize) -> Option<&'r [u8]> {
        if !matches!(self.kind(column), Some(Kind::Text | Kind::Blob)) {
            return None;
        }
        // SAFETY: a live statement with a current row. The blob is asked for before its length, and the text in the
        // encoding of the database (UTF-8), so that neither call converts.
        let (start, length) = unsafe {
            (
                ffi::sqlite3_column_blob(self.statement.raw.as_ptr(), index(column)),
                ffi::sqlite3_column_bytes(self.statement.raw.as_ptr(), index(column)),
            )
        };
        let length = usize::try_from(length).ok()?;
        if length == 0 {
            return Some(&[]);
        }
        if start.is_null() {
            return None;
        }
        // SAFETY: `length` bytes that libSQL keeps until the next step or reset, which need what `'r` borrows.
        Some(unsafe { slice::from_raw_parts(start.cast::<u8>(), length) })
    }
}

fn index(column: usize) -> c_int {
    c_int::try_from(column).unwrap_or(c_int::MAX)
}
