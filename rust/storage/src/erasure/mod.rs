//! Erasing for good: what deleted rows left in the unused part of b-tree pages.
//!
//! With `secure_delete` the engine overwrites what it deletes, but not the copies it leaves behind when it moves a
//! cell within a page or to another one. They stand where no cell is, are never read, and stay until something is
//! written over them.

mod page;
mod run;

pub use run::Erased;
pub(crate) use run::erase;
