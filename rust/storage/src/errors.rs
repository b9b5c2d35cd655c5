//! The one place where a failure of libSQL becomes an error of recollect.
//!
//! The codes are those of <https://www.sqlite.org/rescode.html>.

use std::io::ErrorKind;

use libsql::ffi;
use recollect_model::Error;

use crate::raw::Failure;

const MAKE_ROOM: &str = "make room and call again; the store goes on as it is";

/// Numbers of the operating system (Linux, macOS and the BSDs agree on all but the last of these).
mod system {
    pub(super) const NOT_PERMITTED: i32 = 1;
    pub(super) const ACCESS: i32 = 13;
    pub(super) const FILES_IN_SYSTEM: i32 = 23;
    pub(super) const FILES_IN_PROCESS: i32 = 24;
    pub(super) const FILE_TOO_BIG: i32 = 27;
    pub(super) const NO_SPACE: i32 = 28;
    pub(super) const READ_ONLY: i32 = 30;
    pub(super) const QUOTA: i32 = if cfg!(target_os = "linux") { 122 } else { 69 };
}

/// What a failure means to the caller. `reason` is why our own progress handler stopped the statement, if it did.
pub(crate) fn from_failure(failure: &Failure, reason: Option<Error>) -> Error {
    let code = failure.code;
    let said = |what: &str| describe(what, failure);
    if is_disk_full(failure) {
        return Error::io(said("the disk is full")).with_hint(MAKE_ROOM);
    }
    match failure.primary() {
        // Also while another connection recovers the log.
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => Error::locked(said("the store is busy")),
        ffi::SQLITE_PROTOCOL => Error::locked(said("another process is at a point of a commit where nobody can read"))
            .with_hint("try again; if it stays so, look for a process that uses the store and is stopped, and let it go on or end it"),
        // A statement is compiled anew when the schema changed, but not for ever.
        ffi::SQLITE_SCHEMA => Error::locked(said("the schema of the store is changing")),
        ffi::SQLITE_INTERRUPT => reason.unwrap_or_else(|| Error::cancelled(said("the statement was stopped"))),
        ffi::SQLITE_CORRUPT if code == ffi::SQLITE_CORRUPT_INDEX => {
            Error::corrupt(said("an index of the store is damaged")).with_hint("run `recollect check --repair`")
        }
        ffi::SQLITE_CORRUPT => Error::corrupt(said("the store is damaged")),
        ffi::SQLITE_NOTADB => Error::corrupt(said("the file is no recollect store")),
        ffi::SQLITE_READONLY => read_only(code, &said),
        ffi::SQLITE_PERM | ffi::SQLITE_AUTH => Error::permission_denied(said("the store cannot be written")),
        ffi::SQLITE_NOMEM => out_of_memory(&said),
        ffi::SQLITE_IOERR if code == ffi::SQLITE_IOERR_NOMEM => out_of_memory(&said),
        ffi::SQLITE_IOERR if code == ffi::SQLITE_IOERR_CORRUPTFS => {
            Error::corrupt(said("the file system under the store is damaged"))
        }
        ffi::SQLITE_IOERR => Error::io(said("reading or writing the store failed"))
            .with_hint("look for errors of the disk in the log of the system"),
        ffi::SQLITE_CANTOPEN => cannot_open(failure, &said),
        ffi::SQLITE_CONSTRAINT => Error::conflict(said(constraint(code))),
        ffi::SQLITE_TOOBIG => Error::invalid(said("a value is too large")),
        ffi::SQLITE_MISMATCH => Error::invalid(said("a value cannot be stored")),
        ffi::SQLITE_NOLFS => Error::unsupported(said("the file system takes no files of that size")),
        _ => Error::internal(said("libSQL failed")),
    }
}

/// What a failure of the system means to the caller, for a file that libSQL does not open. `said` is what failed.
pub(crate) fn from_system(said: String, error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Error::permission_denied(said),
        ErrorKind::NotFound => Error::not_found(said),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Error::io(format!("the disk is full: {said}")).with_hint(MAKE_ROOM)
        }
        _ => Error::io(said),
    }
    .with_source(error)
}

/// Whether the disk, or the system beneath it, failed. Memory and room on the disk that ran out are no such failure.
pub(crate) fn is_disk_failure(failure: &Failure) -> bool {
    failure.primary() == ffi::SQLITE_IOERR && failure.code != ffi::SQLITE_IOERR_NOMEM && !is_disk_full(failure)
}

/// Whether nobody knows any more what the disk holds, when the failure came to a connection that writes. What fails to
/// read, to be locked or to be mapped leaves everything as it was.
pub(crate) fn is_loss(failure: &Failure) -> bool {
    is_disk_failure(failure) && !HARMLESS.contains(&failure.code)
}

/// The failures of input and output that change nothing on the disk.
const HARMLESS: [i32; 13] = [
    ffi::SQLITE_IOERR_READ,
    ffi::SQLITE_IOERR_SHORT_READ,
    ffi::SQLITE_IOERR_FSTAT,
    ffi::SQLITE_IOERR_ACCESS,
    ffi::SQLITE_IOERR_LOCK,
    ffi::SQLITE_IOERR_RDLOCK,
    ffi::SQLITE_IOERR_UNLOCK,
    ffi::SQLITE_IOERR_CHECKRESERVEDLOCK,
    ffi::SQLITE_IOERR_SHMOPEN,
    ffi::SQLITE_IOERR_SHMSIZE,
    ffi::SQLITE_IOERR_SHMLOCK,
    ffi::SQLITE_IOERR_SHMMAP,
    ffi::SQLITE_IOERR_MMAP,
];

/// The text of a failure: what it means, what libSQL says, and what the system said.
pub(crate) fn describe(what: &str, failure: &Failure) -> String {
    let Failure { code, message, system } = failure;
    let base = format!("{what}: {message} (result code {code})");
    if *system == 0 { base } else { format!("{base}: {}", std::io::Error::from_raw_os_error(*system)) }
}

/// libSQL itself knows only `ENOSPC`, and not where it makes room in the `-shm` file. A sync that fails for want of
/// room is a failed sync.
pub(crate) fn is_disk_full(failure: &Failure) -> bool {
    let has_no_room = [system::NO_SPACE, system::QUOTA, system::FILE_TOO_BIG].contains(&failure.system);
    let is_growth = [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_SHMSIZE, ffi::SQLITE_CANTOPEN].contains(&failure.code);
    failure.primary() == ffi::SQLITE_FULL || (is_growth && has_no_room)
}

fn out_of_memory(said: &impl Fn(&str) -> String) -> Error {
    Error::io(said("memory is exhausted")).with_hint("free some memory, or ask for less at once; then call again")
}

fn read_only(code: i32, said: &impl Fn(&str) -> String) -> Error {
    match code {
        // The `-shm` or `-wal` file cannot be made.
        ffi::SQLITE_READONLY_CANTINIT | ffi::SQLITE_READONLY_DIRECTORY => {
            Error::permission_denied(said("the files that go with the store cannot be made in its folder"))
                .with_hint("even reading needs them: copy the store to a folder that can be written, and open it there")
        }
        // Reading cannot do what the last writer left undone.
        ffi::SQLITE_READONLY_RECOVERY | ffi::SQLITE_READONLY_ROLLBACK | ffi::SQLITE_READONLY_CANTLOCK => {
            Error::permission_denied(said("the store was not closed, and cannot be recovered without writing"))
                .with_hint("open it for writing once, or copy it to a folder that can be written")
        }
        ffi::SQLITE_READONLY_DBMOVED => Error::conflict(said("the file of the store was moved or replaced"))
            .with_hint("close the store; open it again"),
        _ => Error::permission_denied(said("the store cannot be written")),
    }
}

fn cannot_open(failure: &Failure, said: &impl Fn(&str) -> String) -> Error {
    let what = said("a file of the store cannot be opened");
    match failure.system {
        system::ACCESS | system::NOT_PERMITTED | system::READ_ONLY => Error::permission_denied(what),
        system::FILES_IN_PROCESS | system::FILES_IN_SYSTEM => {
            Error::io(what).with_hint("too many files are open: close some, or raise the limit (ulimit -n)")
        }
        _ => Error::io(what),
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

#[cfg(test)]
mod tests {
    use recollect_model::ErrorCode;

    use super::*;

    const INPUT_OUTPUT: i32 = 5;

    fn failure(code: i32, system: i32) -> Failure {
        Failure { code, message: "said".to_owned(), system }
    }

    #[test]
    fn every_code_means_what_the_caller_can_do() {
        use ErrorCode::{Cancelled, Conflict, Corrupt, Internal, InvalidInput, Io, Locked, PermissionDenied};
        let table = [
            (ffi::SQLITE_BUSY, Locked),
            (ffi::SQLITE_BUSY_RECOVERY, Locked),
            (ffi::SQLITE_BUSY_SNAPSHOT, Locked),
            (ffi::SQLITE_BUSY_TIMEOUT, Locked),
            (ffi::SQLITE_LOCKED, Locked),
            (ffi::SQLITE_LOCKED_SHAREDCACHE, Locked),
            (ffi::SQLITE_PROTOCOL, Locked),
            (ffi::SQLITE_SCHEMA, Locked),
            (ffi::SQLITE_INTERRUPT, Cancelled),
            (ffi::SQLITE_CORRUPT, Corrupt),
            (ffi::SQLITE_CORRUPT_INDEX, Corrupt),
            (ffi::SQLITE_NOTADB, Corrupt),
            (ffi::SQLITE_IOERR_CORRUPTFS, Corrupt),
            (ffi::SQLITE_READONLY, PermissionDenied),
            (ffi::SQLITE_READONLY_RECOVERY, PermissionDenied),
            (ffi::SQLITE_READONLY_CANTLOCK, PermissionDenied),
            (ffi::SQLITE_READONLY_CANTINIT, PermissionDenied),
            (ffi::SQLITE_READONLY_DIRECTORY, PermissionDenied),
            (ffi::SQLITE_READONLY_DBMOVED, Conflict),
            (ffi::SQLITE_PERM, PermissionDenied),
            (ffi::SQLITE_AUTH, PermissionDenied),
            (ffi::SQLITE_FULL, Io),
            (ffi::SQLITE_NOMEM, Io),
            (ffi::SQLITE_IOERR_NOMEM, Io),
            (ffi::SQLITE_IOERR_READ, Io),
            (ffi::SQLITE_IOERR_FSYNC, Io),
            (ffi::SQLITE_CANTOPEN, Io),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, Conflict),
            (ffi::SQLITE_TOOBIG, InvalidInput),
            (ffi::SQLITE_MISMATCH, InvalidInput),
            (ffi::SQLITE_MISUSE, Internal),
            (ffi::SQLITE_ERROR, Internal),
        ];
        for (code, wanted) in table {
            let error = from_failure(&failure(code, 0), None);
            assert_eq!(error.code(), wanted, "result code {code}");
            assert!(error.message().contains(&format!("result code {code}")), "{error}");
        }
        let reason = Error::timeout("late");
        assert_eq!(from_failure(&failure(ffi::SQLITE_INTERRUPT, 0), Some(reason)).code(), ErrorCode::Timeout);
    }

    #[test]
    fn the_system_decides_where_libsql_does_not_know() {
        let code = |failure: Failure| from_failure(&failure, None).code();
        assert_eq!(code(failure(ffi::SQLITE_CANTOPEN, system::ACCESS)), ErrorCode::PermissionDenied);
        assert_eq!(code(failure(ffi::SQLITE_CANTOPEN, system::READ_ONLY)), ErrorCode::PermissionDenied);
        let error = from_failure(&failure(ffi::SQLITE_CANTOPEN, system::FILES_IN_PROCESS), None);
        assert!(error.code() == ErrorCode::Io && error.hint().contains("ulimit"), "{error:?}");
        for system in [system::NO_SPACE, system::QUOTA, system::FILE_TOO_BIG] {
            let error = from_failure(&failure(ffi::SQLITE_IOERR_SHMSIZE, system), None);
            assert!(error.message().starts_with("the disk is full"), "{error}");
        }
    }

    #[test]
    fn only_a_disk_that_fails_to_write_is_a_loss() {
        for (code, system) in [
            (ffi::SQLITE_IOERR_WRITE, INPUT_OUTPUT),
            (ffi::SQLITE_IOERR_FSYNC, system::NO_SPACE),
            (ffi::SQLITE_IOERR_TRUNCATE, INPUT_OUTPUT),
            (ffi::SQLITE_IOERR_DIR_FSYNC, INPUT_OUTPUT),
            (ffi::SQLITE_IOERR, INPUT_OUTPUT),
        ] {
            assert!(is_loss(&failure(code, system)), "result code {code}");
        }
        for code in
            [ffi::SQLITE_IOERR_READ, ffi::SQLITE_IOERR_SHORT_READ, ffi::SQLITE_IOERR_SHMMAP, ffi::SQLITE_IOERR_LOCK]
        {
            let failure = failure(code, INPUT_OUTPUT);
            assert!(is_disk_failure(&failure) && !is_loss(&failure), "result code {code}");
        }
        for (code, system) in [
            (ffi::SQLITE_FULL, system::NO_SPACE),
            (ffi::SQLITE_IOERR_SHMSIZE, system::NO_SPACE),
            (ffi::SQLITE_IOERR_WRITE, system::QUOTA),
            (ffi::SQLITE_IOERR_NOMEM, 0),
            (ffi::SQLITE_CANTOPEN, INPUT_OUTPUT),
            (ffi::SQLITE_CORRUPT, 0),
            (ffi::SQLITE_BUSY, 0),
        ] {
            assert!(!is_disk_failure(&failure(code, system)), "result code {code}");
        }
    }
}
