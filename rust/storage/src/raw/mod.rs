//! The one module of this crate with `unsafe`: what the `libsql` crate does not offer on its own connections.
//!
//! `libsql` opens, owns and closes every connection. While it does so this module catches the `sqlite3*` through
//! `sqlite3_auto_extension`, and uses it for statements whose values are bound and read without copies and whose text
//! is read as checked UTF-8 (`libsql` reads text to the first NUL and panics on bytes that are no UTF-8, and hides a
//! failed bind), for the progress handler, for checkpoints with counts, for the backup API, for the pages of the file, and for
//! `db_config`.
//!
//! Nothing outside sees a pointer. A statement may outlive its connection: `sqlite3_close_v2`, by which `libsql`
//! closes, keeps the connection alive until its last statement is gone.

#[cfg(feature = "amplifier")]
mod amplify;
mod backup;
mod connect;
mod failure;
mod handle;
mod pages;
mod patient;
mod progress;
mod statement;

pub(crate) use backup::Backup;
pub(crate) use connect::{Access, start};
pub(crate) use failure::Failure;
pub use handle::CheckpointMode;
pub(crate) use handle::Handle;
pub(crate) use pages::PageFile;
pub(crate) use statement::{Columns, Kind, Running, Statement};
