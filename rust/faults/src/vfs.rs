//! The layer itself: what libSQL asks of a file system as a whole.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int};
use std::mem::size_of;
use std::ptr;
use std::sync::{Arc, OnceLock};

use libsql::{Builder, ffi};

use crate::disk::find;
use crate::fault::{FaultKind, Operation};
use crate::file::{Opened, ShimFile};

/// The operating system's own layer, beneath ours.
struct Beneath(*mut ffi::sqlite3_vfs);

// SAFETY: a registered layer is a table that lives as long as the process and may be used by every thread.
unsafe impl Send for Beneath {}
// SAFETY: as above.
unsafe impl Sync for Beneath {}

static BENEATH: OnceLock<Beneath> = OnceLock::new();

/// Puts the layer beneath every file that libSQL opens from now on. To be called before the first store is opened;
/// further calls do nothing.
///
/// # Panics
///
/// When libSQL does not start or refuses the layer.
pub fn install() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        // `libsql` configures the engine in its first connect and panics when anything used the engine before.
        drop(first_connection());
        // SAFETY: the engine has started, and a null name asks for the default layer.
        let beneath = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
        assert!(!beneath.is_null(), "libSQL has no file system");
        // SAFETY: a registered layer is a valid table.
        let mut layer = unsafe { *beneath };
        layer.zName = c"recollect-faults".as_ptr();
        layer.pNext = ptr::null_mut();
        layer.szOsFile += c_int::try_from(size_of::<ShimFile>()).unwrap_or(c_int::MAX);
        layer.xOpen = Some(open);
        layer.xDelete = Some(delete);
        layer.xAccess = Some(access);
        layer.xGetLastError = Some(last_error);
        BENEATH.get_or_init(|| Beneath(beneath));
        // The methods that stay as they were do not look at the layer they are called on.
        // SAFETY: the table lives as long as the process.
        let code = unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(layer)), 1) };
        assert_eq!(code, ffi::SQLITE_OK, "libSQL refuses the layer");
    });
}

#[expect(clippy::expect_used, reason = "a test cannot go on without the engine")]
fn first_connection() -> libsql::Connection {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut building = std::pin::pin!(Builder::new_local(":memory:").build());
    match building.as_mut().poll(&mut context) {
        std::task::Poll::Ready(database) => database.and_then(|database| database.connect()).expect("libSQL starts"),
        std::task::Poll::Pending => panic!("opening a database in memory waits for something"),
    }
}

thread_local! {
    /// The number of the system's error of the last call that was made to fail; 0 when the engine has asked for it.
    static LAST_ERROR: Cell<c_int> = const { Cell::new(0) };
}

/// Has the engine told why the call failed that is being made to fail on this thread.
pub(crate) fn explain(kind: FaultKind) {
    LAST_ERROR.set(kind.system_error());
}

unsafe extern "C" fn last_error(_vfs: *mut ffi::sqlite3_vfs, length: c_int, text: *mut c_char) -> c_int {
    match (LAST_ERROR.take(), beneath()) {
        (0, beneath) if !beneath.is_null() => {
            // SAFETY: the layer beneath lives as long as the process; the rest is what the engine passed.
            unsafe { (*beneath).xGetLastError.map_or(0, |ask| ask(beneath, length, text)) }
        }
        (number, _) => number,
    }
}

fn beneath() -> *mut ffi::sqlite3_vfs {
    BENEATH.get().map_or(ptr::null_mut(), |beneath| beneath.0)
}

/// Kinds of files that libSQL has the folder synced for at their first sync, as the layer for Unix does.
const WITH_FOLDER: c_int = ffi::SQLITE_OPEN_SUPER_JOURNAL | ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_WAL;

unsafe extern "C" fn open(
    _vfs: *mut ffi::sqlite3_vfs,
    path: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let shim = file.cast::<ShimFile>();
    // A file that was not opened has no methods, and is not closed.
    // SAFETY: libSQL gives `szOsFile` bytes, enough for a `ShimFile`.
    unsafe { (*shim).base.pMethods = ptr::null() };
    let is_temporary = path.is_null() || flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0;
    // SAFETY: a path that is not null ends with NUL.
    let found = if is_temporary { None } else { find(unsafe { CStr::from_ptr(path) }) };
    if let Some((watched, name)) = &found {
        // SAFETY: as above.
        let is_there = std::path::Path::new(&*unsafe { CStr::from_ptr(path) }.to_string_lossy()).exists();
        let is_creation = !is_there && flags & ffi::SQLITE_OPEN_CREATE != 0;
        let operation = if is_creation { Operation::Create } else { Operation::Open };
        if let Some((_, code)) = watched.strike(operation, name) {
            return code;
        }
    }
    // SAFETY: the bytes behind the `ShimFile` are what the layer beneath asked for, and aligned as it needs.
    let code = unsafe {
        let inner = ShimFile::inner(file);
        (*inner).pMethods = ptr::null();
        match (*beneath()).xOpen {
            Some(open) => open(beneath(), path, inner, flags, out_flags),
            None => ffi::SQLITE_CANTOPEN,
        }
    };
    if code != ffi::SQLITE_OK {
        return code;
    }
    let place = found.map(|(watched, name)| {
        let node = watched.opened(&name);
        (watched, name, node)
    });
    let must_sync_folder = flags & ffi::SQLITE_OPEN_CREATE != 0 && flags & WITH_FOLDER != 0;
    // SAFETY: as above; the file is open, so libSQL will close it, and `close` frees the box.
    unsafe { ShimFile::fill(shim, Opened::new(place, must_sync_folder)) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(_vfs: *mut ffi::sqlite3_vfs, path: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: libSQL passes a text that ends with NUL.
    let found = find(unsafe { CStr::from_ptr(path) });
    if let Some((watched, name)) = &found
        && let Some((_, code)) = watched.strike(Operation::Delete, name)
    {
        return code;
    }
    // The folder of a watched file need not really be synced: nobody takes the power away.
    let really_sync = if found.is_some() { 0 } else { sync_folder };
    // SAFETY: the layer beneath lives as long as the process.
    let code = unsafe {
        match (*beneath()).xDelete {
            Some(delete) => delete(beneath(), path, really_sync),
            None => ffi::SQLITE_IOERR_DELETE,
        }
    };
    if let Some((watched, name)) = found.filter(|_| code == ffi::SQLITE_OK) {
        watched.removed(&name, sync_folder & 1 != 0);
    }
    code
}

unsafe extern "C" fn access(
    _vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    flags: c_int,
    answer: *mut c_int,
) -> c_int {
    // SAFETY: libSQL passes a text that ends with NUL.
    let found = find(unsafe { CStr::from_ptr(path) });
    if let Some((watched, name)) = found
        && let Some((_, code)) = Arc::as_ref(&watched).strike(Operation::Access, &name)
    {
        return code;
    }
    // SAFETY: the layer beneath lives as long as the process, and `answer` is libSQL's.
    unsafe {
        match (*beneath()).xAccess {
            Some(access) => access(beneath(), path, flags, answer),
            None => ffi::SQLITE_IOERR_ACCESS,
        }
    }
}
