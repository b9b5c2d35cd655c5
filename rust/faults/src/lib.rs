//! For tests: a file system under libSQL that loses power, fills up and fails on command.
//!
//! [`install`] puts a layer between libSQL and the operating system, for the whole process. Files outside of watched
//! folders pass through it untouched. A folder that [`Disk::watch`] watches stays an ordinary folder, which every tool
//! can read; beside it the layer keeps what of it would be left after a power cut:
//!
//! - what every file held when it was last synced, and each write and truncation since;
//! - which names were there when the folder was last synced, and each name made or removed since.
//!
//! From that, [`Disk::cut`] writes the folder that a machine might find after losing power now: each unsynced write
//! kept, lost, or torn at sectors of 512 bytes, in any order between files, by a seed. As libSQL assumes of a disk,
//! bytes outside of a write do not change ("powersafe overwrite", <https://www.sqlite.org/psow.html>). The index of the
//! log (`-shm`) is shared memory and is not kept.
//!
//! [`Disk::fail`] makes a call fail, as often as asked for, with the result code that the operating system's own layer
//! would answer. A sync that fails loses what was unsynced, as Linux does: it marks the pages clean, so that they can
//! still be read and no later sync writes them.
//!
//! The crate belongs in no release: it is a dependency of tests and examples only. Lock files, and whatever else does
//! not go through libSQL, are not seen.

#![expect(unsafe_code, reason = "the layer is called by the engine's C code, and calls it")]

mod chance;
mod disk;
mod fault;
mod file;
mod folder;
mod image;
mod node;
mod vfs;

pub use disk::{Disk, Moment};
pub use fault::{Fault, FaultKind, Fired, Lasts, Operation};
pub use vfs::install;
