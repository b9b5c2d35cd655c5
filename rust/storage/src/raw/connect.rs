//! Opening connections through `libsql` and catching their handles.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int};
use std::ptr;
use std::sync::OnceLock;

use libsql::{Builder, OpenFlags, ffi};
use recollect_model::{Error, Result};

use super::handle::Handle;
use super::patient;
use crate::first_poll::now;

/// The engine this release was proven on.
const ENGINE: &str = "3.47.0";

thread_local! {
    /// The handle of the connection that is being opened on this thread.
    static CAUGHT: Cell<*mut ffi::sqlite3> = const { Cell::new(ptr::null_mut()) };
}

/// What a connection may do to its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    ReadWrite,
    /// As `ReadWrite`, and makes the file.
    Create,
}

/// The first act of a process: lets `libsql` configure the engine, registers the catcher, and refuses an engine other
/// than the proven one. Later calls answer at once.
pub(crate) fn start() -> Result<()> {
    static STARTED: OnceLock<std::result::Result<(), String>> = OnceLock::new();
    STARTED.get_or_init(start_once).as_ref().copied().map_err(|problem| Error::unsupported(problem.clone()))
}

fn start_once() -> std::result::Result<(), String> {
    // `libsql` configures the engine in its first connect and panics when anything used the engine before.
    let connect = || -> libsql::Result<libsql::Connection> {
        now(Builder::new_local(":memory:").build())
            .map_err(|error| libsql::Error::Misuse(error.to_string()))??
            .connect()
    };
    let _first = connect().map_err(|error| format!("libSQL does not start: {error}"))?;
    // SAFETY: `catch` has the signature that libSQL calls automatic extensions with (the C declaration hides it), keeps
    // no pointer but the handle, and lives as long as the process.
    let code = unsafe { ffi::sqlite3_auto_extension(Some(catch)) };
    if code != ffi::SQLITE_OK {
        return Err(format!("libSQL refuses the extension hook (result code {code})"));
    }
    patient::register()?;
    // SAFETY: a static text that ends with NUL.
    let engine = unsafe { CStr::from_ptr(ffi::sqlite3_libversion()) }.to_string_lossy();
    if engine != ENGINE {
        return Err(format!("the engine is {engine}, and this release was proven on {ENGINE} only"));
    }
    Ok(())
}

unsafe extern "C" fn catch(
    database: *mut ffi::sqlite3,
    _message: *mut *const c_char,
    _api: *const ffi::sqlite3_api_routines,
) -> c_int {
    CAUGHT.with(|caught| caught.set(database));
    ffi::SQLITE_OK
}

/// Opens a connection. `path` is absolute, or `:memory:`.
pub(super) fn connect(path: &str, access: Access) -> Result<Handle> {
    start()?;
    if path.contains('\0') {
        return Err(Error::invalid("the path of the store contains NUL"));
    }
    let flags = match access {
        Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Access::ReadWrite => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Access::Create => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    };
    // One caller at a time uses a connection, so its own mutex would only cost.
    let flags = flags | OpenFlags::from_bits_retain(ffi::SQLITE_OPEN_NOMUTEX);
    let database = now(Builder::new_local(path).flags(flags).build())
        .map_err(|error| Error::internal("opening a connection waited for something").with_source(error))?
        .map_err(|error| Error::io(format!("{path} cannot be opened")).with_source(error))?;
    CAUGHT.with(|caught| caught.set(ptr::null_mut()));
    let connection =
        database.connect().map_err(|error| Error::io(format!("{path} cannot be opened")).with_source(error))?;
    let raw = CAUGHT.with(|caught| caught.replace(ptr::null_mut()));
    let Some(raw) = ptr::NonNull::new(raw) else {
        return Err(Error::internal("libSQL opened a connection without showing its handle"));
    };
    // SAFETY: `raw` was caught on this thread while `connection` was opened, so it is the handle of `connection`.
    unsafe { Handle::new(connection, raw) }
}
