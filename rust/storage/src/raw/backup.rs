//! The backup API. See <https://www.sqlite.org/backup.html>.

use std::ffi::c_int;
use std::marker::PhantomData;
use std::ptr::NonNull;

use libsql::ffi;

use super::failure::Failure;
use super::handle::Handle;

/// A copy that is under way, page by page.
pub(crate) struct Backup<'h> {
    raw: NonNull<ffi::sqlite3_backup>,
    target: &'h Handle,
    source: PhantomData<&'h Handle>,
}

impl<'h> Backup<'h> {
    /// Starts copying the whole of `source` over the whole of `target`. While `source` has a read transaction open the
    /// copy is of that moment, whatever others commit.
    pub(crate) fn new(source: &'h Handle, target: &'h Handle) -> Result<Self, Failure> {
        // SAFETY: two open connections that this thread uses and that outlive the backup; the names end with NUL.
        let raw =
            unsafe { ffi::sqlite3_backup_init(target.as_ptr(), c"main".as_ptr(), source.as_ptr(), c"main".as_ptr()) };
        let raw = NonNull::new(raw).ok_or_else(|| target.failure())?;
        Ok(Self { raw, target, source: PhantomData })
    }

    /// Copies up to that many pages; true when everything is copied.
    pub(crate) fn step(&mut self, pages: c_int) -> Result<bool, Failure> {
        // SAFETY: a backup under way.
        match unsafe { ffi::sqlite3_backup_step(self.raw.as_ptr(), pages) } {
            ffi::SQLITE_OK => Ok(false),
            ffi::SQLITE_DONE => Ok(true),
            code => {
                let failure = self.target.failure();
                Err(if failure.code == ffi::SQLITE_OK { Failure::of_code(code) } else { failure })
            }
        }
    }
}

impl Drop for Backup<'_> {
    fn drop(&mut self) {
        // SAFETY: a backup under way, gone afterwards. Its answer repeats the failure of the last step.
        unsafe {
            ffi::sqlite3_backup_finish(self.raw.as_ptr());
        }
    }
}
