//! The one place where a failure of libSQL becomes an error of recollect.

use libsql::ffi;
use recollect_model::Error;

use crate::raw::Failure;

/// What a failure means to the caller. `reason` is why our own progress handler stopped the statement, if it did.
pub(crate) fn from_failure(failure: &Failure, reason: Option<Error>) -> Error {
    let Failure { code, message } = failure;
    let said = |what: &str| format!("{what}: {message} (result code {code})");
    match failure.primary() {
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_PROTOCOL => Error::locked(said("the store is busy")),
        ffi::SQLITE_INTERRUPT => reason.unwrap_or_else(|| Error::cancelled(said("the statement was stopped"))),
        ffi::SQLITE_CORRUPT => Error::corrupt(said("the store is damaged")),
        ffi::SQLITE_NOTADB => Error::corrupt(said("the file is no recollect store")),
        ffi::SQLITE_FULL => Error::io(said("the disk is full")).with_hint("free some space and try again"),
        // Extended codes of SQLITE_READONLY: the `-shm` or `-wal` file cannot be made.
        _ if [ffi::SQLITE_READONLY_CANTINIT, ffi::SQLITE_READONLY_DIRECTORY].contains(code) => {
            Error::permission_denied(said("the files that go with the store cannot be made in its folder"))
                .with_hint("even reading needs them: copy the store to a folder that can be written, and open it there")
        }
        ffi::SQLITE_READONLY | ffi::SQLITE_PERM | ffi::SQLITE_AUTH => {
            Error::permission_denied(said("the store cannot be written"))
        }
        ffi::SQLITE_IOERR => Error::io(said("reading or writing the store failed")),
        ffi::SQLITE_CANTOPEN => Error::io(said("a file of the store cannot be opened")),
        ffi::SQLITE_NOMEM => Error::io(said("memory is exhausted")),
        ffi::SQLITE_CONSTRAINT => Error::conflict(said(constraint(*code))),
        ffi::SQLITE_TOOBIG => Error::invalid(said("a value is too large")),
        ffi::SQLITE_MISMATCH => Error::invalid(said("a value cannot be stored")),
        _ => Error::internal(said("libSQL failed")),
    }
}

/// Which kind of constraint an extended code speaks of.
fn constraint(code: i32) -> &'static str {
    match code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            "there is such a row already"
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "a row refers to one that is not there",
        ffi::SQLITE_CONSTRAINT_NOTNULL => "a value is missing",
        ffi::SQLITE_CONSTRAINT_CHECK => "a value is out of range",
        ffi::SQLITE_CONSTRAINT_DATATYPE => "a value has the wrong type",
        _ => "a constraint does not hold",
    }
}
