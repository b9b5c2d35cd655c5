//! Leaves the waiting to the callers, who have time limits.
//!
//! A process that is stopped, or swapped out, between the two copies of the header of the log's index makes everybody
//! else wait: the engine tries a hundred times to begin a read and sleeps in between, for ten seconds in all, in a loop
//! that no handler can end. With short sleeps it soon answers that the store is busy, and the loops above it, which know
//! the time limit of the call, try again or give up. The engine sleeps nowhere else in this use of it.

use std::ffi::c_int;
use std::ptr;
use std::thread;
use std::time::Duration;

use libsql::ffi;

/// The longest single sleep: a hundred of them are a twentieth of a second.
const LONGEST: Duration = Duration::from_micros(500);

/// Makes a copy of the engine's file system layer, with short sleeps, the one that connections use. Called once, before
/// the first connection to a file.
pub(super) fn register() -> Result<(), String> {
    // SAFETY: the engine has started, and a null name asks for the default layer.
    let beneath = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
    if beneath.is_null() {
        return Err("libSQL has no file system layer".to_owned());
    }
    // SAFETY: a registered layer is a valid table, which nobody changes.
    let mut layer = unsafe { *beneath };
    layer.zName = c"recollect".as_ptr();
    layer.pNext = ptr::null_mut();
    layer.xSleep = Some(sleep);
    // SAFETY: the table lives as long as the process, and its other methods take it for the layer that it is a copy of:
    // they use what was copied with it and nothing else.
    let code = unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(layer)), 1) };
    if code == ffi::SQLITE_OK { Ok(()) } else { Err(format!("libSQL refuses the layer (result code {code})")) }
}

unsafe extern "C" fn sleep(_layer: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    let asked = Duration::from_micros(u64::try_from(microseconds).unwrap_or(0));
    thread::sleep(asked.min(LONGEST));
    microseconds
}
