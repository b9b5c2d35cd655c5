//! Makes the window wide in which an unguarded commit harms a checkpoint, so that the harm shows within seconds.
//!
//! A checkpoint reads the header of the log's index, and when that has changed it calls `xUnfetch` of the database file
//! before it looks at how far the log was copied. A pause in that call is a pause exactly between the two.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use libsql::ffi;
use recollect_model::{Error, Result};

use super::handle::Handle;

const PAUSE: Duration = Duration::from_micros(300);

type Unfetch = unsafe extern "C" fn(*mut ffi::sqlite3_file, ffi::sqlite3_int64, *mut c_void) -> c_int;

static UNFETCH: OnceLock<Unfetch> = OnceLock::new();

impl Handle {
    /// Slows the checkpoints of this connection down.
    pub(crate) fn amplify(&self) -> Result<()> {
        let mut file: *mut ffi::sqlite3_file = ptr::null_mut();
        // SAFETY: the handle is open, the name ends with NUL, and this operation stores one pointer.
        let code = unsafe {
            ffi::sqlite3_file_control(
                self.as_ptr(),
                c"main".as_ptr(),
                ffi::SQLITE_FCNTL_FILE_POINTER,
                (&raw mut file).cast(),
            )
        };
        if code != ffi::SQLITE_OK || file.is_null() {
            return Err(Error::internal("libSQL does not show the database file"));
        }
        // SAFETY: the file of an open connection has its methods, which are a static table.
        let mut methods = unsafe { *(*file).pMethods };
        let Some(unfetch) = methods.xUnfetch else {
            return Err(Error::internal("the database file has no xUnfetch"));
        };
        if *UNFETCH.get_or_init(|| unfetch) as usize != unfetch as usize {
            return Err(Error::internal("two database files have different methods"));
        }
        methods.xUnfetch = Some(slow_unfetch);
        // SAFETY: the copy lives as long as the process, and differs only in calling the same function later. Nobody
        // else uses the connection.
        unsafe { (*file).pMethods = Box::leak(Box::new(methods)) };
        Ok(())
    }
}

unsafe extern "C" fn slow_unfetch(
    file: *mut ffi::sqlite3_file,
    offset: ffi::sqlite3_int64,
    page: *mut c_void,
) -> c_int {
    thread::sleep(PAUSE);
    match UNFETCH.get() {
        // SAFETY: what libSQL passed, to the function it would have called.
        Some(unfetch) => unsafe { unfetch(file, offset, page) },
        None => ffi::SQLITE_OK,
    }
}
