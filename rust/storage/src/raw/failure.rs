//! What libSQL answered instead of success.

use std::ffi::{CStr, c_int};

use libsql::ffi;

/// A result code and its text, before it becomes an [`recollect_model::Error`].
#[derive(Debug)]
pub(crate) struct Failure {
    /// The extended result code.
    pub(crate) code: c_int,
    /// What libSQL says about it.
    pub(crate) message: String,
    /// What the operating system said, for a failure of input, output or opening; 0 if nothing is known.
    pub(crate) system: c_int,
}

impl Failure {
    /// Reads the last error of a connection.
    ///
    /// # Safety
    ///
    /// `database` is an open connection that no other thread is using.
    pub(super) unsafe fn of(database: *mut ffi::sqlite3) -> Self {
        // SAFETY: by the contract of this function; the text is copied before anything else uses the connection.
        let (code, text) = unsafe { (ffi::sqlite3_extended_errcode(database), ffi::sqlite3_errmsg(database)) };
        let mut failure = Self::of_code(code);
        if !text.is_null() {
            // SAFETY: not null, and libSQL ends its messages with NUL.
            failure.message = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
        }
        // The number is kept from the last failure of these two kinds, so that for others it would be a stale one.
        if matches!(failure.primary(), ffi::SQLITE_IOERR | ffi::SQLITE_CANTOPEN) {
            // SAFETY: by the contract of this function.
            failure.system = unsafe { ffi::sqlite3_system_errno(database) };
        }
        failure
    }

    /// A code without a connection to ask.
    pub(super) fn of_code(code: c_int) -> Self {
        // SAFETY: takes any number and answers with a static text.
        let text = unsafe { ffi::sqlite3_errstr(code) };
        let message = if text.is_null() {
            format!("result code {code}")
        } else {
            // SAFETY: a static text that ends with NUL.
            unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
        };
        Self { code, message, system: 0 }
    }

    /// The code of a method of a file, which has just failed on this thread.
    pub(super) fn of_system(code: c_int) -> Self {
        let system = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
        Self { system, ..Self::of_code(code) }
    }

    /// The code without its extension.
    pub(crate) fn primary(&self) -> c_int {
        self.code & 0xff
    }
}
