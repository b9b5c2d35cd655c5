//! The layer's methods on one open file.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::slice;
use std::sync::Arc;

use libsql::ffi;

use crate::disk::Watched;
use crate::fault::{FaultKind, Operation};
use crate::folder::NodeId;
use crate::node::Change;

/// What libSQL holds for a file: ours, and behind it the one of the layer beneath.
#[repr(C)]
pub(crate) struct ShimFile {
    pub(crate) base: ffi::sqlite3_file,
    opened: *mut Opened,
}

/// What the layer knows of an open file.
pub(crate) struct Opened {
    place: Option<Place>,
    /// Whether the next sync is one of the folder too.
    must_sync_folder: bool,
}

/// A file in a watched folder.
struct Place {
    watched: Arc<Watched>,
    name: String,
    node: NodeId,
}

impl Opened {
    pub(crate) fn new(place: Option<(Arc<Watched>, String, NodeId)>, must_sync_folder: bool) -> Self {
        let place = place.map(|(watched, name, node)| Place { watched, name, node });
        Self { place, must_sync_folder }
    }

    fn strike(&self, operation: Operation) -> Option<(FaultKind, c_int)> {
        self.place.as_ref().and_then(|place| place.watched.strike(operation, &place.name))
    }
}

impl ShimFile {
    /// The file of the layer beneath.
    ///
    /// # Safety
    ///
    /// `file` is one that libSQL made for this layer.
    pub(crate) unsafe fn inner(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
        // SAFETY: libSQL gives the bytes of a `ShimFile` and those that the layer beneath asked for.
        unsafe { file.cast::<Self>().add(1).cast() }
    }

    /// Makes the file one of ours.
    ///
    /// # Safety
    ///
    /// As for [`Self::inner`], and the inner file is open.
    pub(crate) unsafe fn fill(shim: *mut Self, opened: Opened) {
        // SAFETY: see above.
        unsafe {
            (*shim).opened = Box::into_raw(Box::new(opened));
            (*shim).base.pMethods = &raw const METHODS;
        }
    }

    /// # Safety
    ///
    /// `file` is an open file of ours, used by one thread at a time, as libSQL does.
    unsafe fn opened<'f>(file: *mut ffi::sqlite3_file) -> &'f mut Opened {
        // SAFETY: `fill` stored the pointer, and `close` frees it last.
        unsafe { &mut *(*file.cast::<Self>()).opened }
    }
}

/// Version 3: with the index of the log and with mapped pages.
static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 3,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: Some(fetch),
    xUnfetch: Some(unfetch),
};

/// Calls a method of the layer beneath. Inside of `unsafe` only.
macro_rules! beneath {
    ($file:expr, $method:ident, $code:expr $(, $argument:expr)*) => {{
        let inner = ShimFile::inner($file);
        match (*(*inner).pMethods).$method {
            Some(method) => method(inner $(, $argument)*),
            None => $code,
        }
    }};
}

/// Methods that only pass on.
macro_rules! pass_on {
    ($($name:ident $method:ident ($($argument:ident: $type:ty),*) else $code:expr;)*) => {$(
        unsafe extern "C" fn $name(file: *mut ffi::sqlite3_file $(, $argument: $type)*) -> c_int {
            // SAFETY: libSQL calls the methods of a file of ours with what it would call those beneath with.
            unsafe { beneath!(file, $method, $code $(, $argument)*) }
        }
    )*};
}

pass_on! {
    lock xLock (level: c_int) else ffi::SQLITE_IOERR_LOCK;
    unlock xUnlock (level: c_int) else ffi::SQLITE_IOERR_UNLOCK;
    check_reserved_lock xCheckReservedLock (answer: *mut c_int) else ffi::SQLITE_IOERR_CHECKRESERVEDLOCK;
    file_control xFileControl (operation: c_int, argument: *mut c_void) else ffi::SQLITE_NOTFOUND;
    sector_size xSectorSize () else 4096;
    device_characteristics xDeviceCharacteristics () else 0;
    shm_lock xShmLock (offset: c_int, count: c_int, flags: c_int) else ffi::SQLITE_IOERR_SHMLOCK;
    shm_unmap xShmUnmap (delete: c_int) else ffi::SQLITE_OK;
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: as in `pass_on`.
    unsafe { beneath!(file, xShmBarrier, ()) }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: the last call for this file; the box is the one that `fill` made.
    unsafe {
        let code = beneath!(file, xClose, ffi::SQLITE_OK);
        drop(Box::from_raw((*file.cast::<ShimFile>()).opened));
        (*file).pMethods = ptr::null();
        code
    }
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    buffer: *mut c_void,
    length: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: as in `pass_on`.
    unsafe {
        if let Some((_, code)) = ShimFile::opened(file).strike(Operation::Read) {
            return code;
        }
        beneath!(file, xRead, ffi::SQLITE_IOERR_READ, buffer, length, offset)
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    buffer: *const c_void,
    length: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: as in `pass_on`; the buffer holds `length` bytes, which is not negative.
    unsafe {
        let opened = ShimFile::opened(file);
        let failure = opened.strike(Operation::Write);
        // What still has room on a full disk is written.
        let written = match failure {
            None => length,
            Some((FaultKind::Full, _)) => length / 2,
            Some(_) => 0,
        };
        if written > 0 {
            if let Some(place) = &opened.place {
                let bytes = slice::from_raw_parts(buffer.cast::<u8>(), usize::try_from(written).unwrap_or(0)).to_vec();
                let offset = u64::try_from(offset).unwrap_or(0);
                place.watched.change(place.node, &place.name, Change::Write { offset, bytes });
            }
            let code = beneath!(file, xWrite, ffi::SQLITE_IOERR_WRITE, buffer, written, offset);
            if code != ffi::SQLITE_OK {
                return code;
            }
        }
        failure.map_or(ffi::SQLITE_OK, |(_, code)| code)
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: ffi::sqlite3_int64) -> c_int {
    // SAFETY: as in `pass_on`.
    unsafe {
        let opened = ShimFile::opened(file);
        if let Some((_, code)) = opened.strike(Operation::Truncate) {
            return code;
        }
        if let Some(place) = &opened.place {
            let length = u64::try_from(length).unwrap_or(0);
            place.watched.change(place.node, &place.name, Change::Truncate { length });
        }
        beneath!(file, xTruncate, ffi::SQLITE_IOERR_TRUNCATE, length)
    }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: as in `pass_on`.
    unsafe {
        let opened = ShimFile::opened(file);
        let failure = opened.strike(Operation::Sync);
        let Some(place) = &opened.place else {
            return beneath!(file, xSync, ffi::SQLITE_IOERR_FSYNC, flags);
        };
        // A watched file need not really be synced: nobody takes the power away.
        if let Some((_, code)) = failure {
            place.watched.lost(place.node);
            return code;
        }
        place.watched.synced(place.node, &place.name, opened.must_sync_folder);
        opened.must_sync_folder = false;
        ffi::SQLITE_OK
    }
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: as in `pass_on`.
    unsafe {
        if let Some((_, code)) = ShimFile::opened(file).strike(Operation::Size) {
            return code;
        }
        beneath!(file, xFileSize, ffi::SQLITE_IOERR_FSTAT, size)
    }
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    pages: *mut *mut c_void,
) -> c_int {
    // SAFETY: as in `pass_on`.
    unsafe {
        if let Some(place) = &ShimFile::opened(file).place {
            let needed = (u64::try_from(region).unwrap_or(0) + 1) * u64::try_from(size).unwrap_or(0);
            let operation = if extend != 0 && place.watched.index_bytes(&place.name) < needed {
                Operation::GrowIndex
            } else {
                Operation::MapIndex
            };
            if let Some((_, code)) = place.watched.strike(operation, &place.name) {
                *pages = ptr::null_mut();
                return code;
            }
        }
        beneath!(file, xShmMap, ffi::SQLITE_IOERR_SHMMAP, region, size, extend, pages)
    }
}

unsafe extern "C" fn fetch(
    file: *mut ffi::sqlite3_file,
    offset: ffi::sqlite3_int64,
    length: c_int,
    page: *mut *mut c_void,
) -> c_int {
    // SAFETY: as in `pass_on`.
    unsafe {
        if ShimFile::opened(file).place.is_some() {
            // No page, so that libSQL reads it, which can fail.
            *page = ptr::null_mut();
            return ffi::SQLITE_OK;
        }
        beneath!(file, xFetch, ffi::SQLITE_IOERR_READ, offset, length, page)
    }
}

unsafe extern "C" fn unfetch(file: *mut ffi::sqlite3_file, offset: ffi::sqlite3_int64, page: *mut c_void) -> c_int {
    // SAFETY: as in `pass_on`.
    unsafe { beneath!(file, xUnfetch, ffi::SQLITE_OK, offset, page) }
}
