//! The database file of a connection, read and written through the descriptor that its pager has.
//!
//! A process that opened the file anew would lose its locks on it when it closed that descriptor. See
//! <https://www.sqlite.org/c3ref/io_methods.html>.

use std::ffi::c_int;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use libsql::ffi;

use super::failure::Failure;
use super::handle::Handle;

/// The file of a connection, for as long as it is borrowed.
pub(crate) struct PageFile<'h> {
    file: NonNull<ffi::sqlite3_file>,
    methods: &'h ffi::sqlite3_io_methods,
    handle: PhantomData<&'h Handle>,
}

impl Handle {
    /// The file of this connection. Whoever writes to it is alone with it: the caller holds the guard and the write
    /// lock, and the log is empty.
    pub(crate) fn page_file(&self) -> Result<PageFile<'_>, Failure> {
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
        let Some(file) = NonNull::new(file).filter(|_| code == ffi::SQLITE_OK) else {
            return Err(Failure::of_code(if code == ffi::SQLITE_OK { ffi::SQLITE_MISUSE } else { code }));
        };
        // SAFETY: the file lives as long as its connection, and its methods longer; an open file has them.
        match unsafe { (*file.as_ptr()).pMethods.as_ref() } {
            Some(methods) => Ok(PageFile { file, methods, handle: PhantomData }),
            None => Err(Failure::of_code(ffi::SQLITE_MISUSE)),
        }
    }
}

impl PageFile<'_> {
    /// How long the file is, in bytes.
    pub(crate) fn length(&self) -> Result<u64, Failure> {
        let mut length: ffi::sqlite3_int64 = 0;
        let size = self.methods.xFileSize.ok_or_else(missing)?;
        // SAFETY: an open file and its own method, which stores one number.
        done(unsafe { size(self.file.as_ptr(), &raw mut length) })?;
        Ok(u64::try_from(length).unwrap_or(0))
    }

    /// Fills the buffer with what stands at that place.
    pub(crate) fn read(&self, buffer: &mut [u8], offset: u64) -> Result<(), Failure> {
        let read = self.methods.xRead.ok_or_else(missing)?;
        // SAFETY: an open file and its own method; the buffer is as long as said.
        done(unsafe { read(self.file.as_ptr(), buffer.as_mut_ptr().cast(), length(buffer)?, place(offset)?) })
    }

    /// Writes bytes over what stands at that place.
    pub(crate) fn write(&self, bytes: &[u8], offset: u64) -> Result<(), Failure> {
        let write = self.methods.xWrite.ok_or_else(missing)?;
        // SAFETY: an open file and its own method; the bytes are as many as said, and are only read.
        done(unsafe { write(self.file.as_ptr(), bytes.as_ptr().cast(), length(bytes)?, place(offset)?) })
    }

    /// Waits until the disk has everything that was written.
    pub(crate) fn sync(&self) -> Result<(), Failure> {
        let sync = self.methods.xSync.ok_or_else(missing)?;
        // SAFETY: an open file and its own method.
        done(unsafe { sync(self.file.as_ptr(), ffi::SQLITE_SYNC_FULL) })
    }
}

fn done(code: c_int) -> Result<(), Failure> {
    if code == ffi::SQLITE_OK { Ok(()) } else { Err(Failure::of_system(code)) }
}

fn missing() -> Failure {
    Failure::of_code(ffi::SQLITE_MISUSE)
}

fn length(bytes: &[u8]) -> Result<c_int, Failure> {
    c_int::try_from(bytes.len()).map_err(|_| Failure::of_code(ffi::SQLITE_TOOBIG))
}

fn place(offset: u64) -> Result<ffi::sqlite3_int64, Failure> {
    ffi::sqlite3_int64::try_from(offset).map_err(|_| Failure::of_code(ffi::SQLITE_TOOBIG))
}
