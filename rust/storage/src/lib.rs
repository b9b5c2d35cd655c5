//! The libSQL store: connections, guard, migrations, transactions, codecs.
//!
//! [`Database`] opens a store. A [`Snapshot`] reads one moment of it, a [`Transaction`] is one commit; both lead to a
//! [`Connection`], on which the functions of [`rows`] run their SQL.
//!
//! The feature `unguarded` takes the lock files away, and `amplifier` makes a checkpoint slow where an unguarded commit
//! harms it. Both exist for the program that proves what the guard is for, and belong in no release.

#![deny(unsafe_code)]

mod backup;
mod cache;
mod checkpointer;
mod connection;
mod core;
mod database;
mod engine;
mod erasure;
mod errors;
mod first_poll;
mod guard;
mod integrity;
mod leftover;
mod lifecycle;
mod lock_file;
mod loss;
#[cfg(test)]
mod migration_tests;
mod migrations;
mod open_files;
mod opening;
mod options;
mod patience;
mod place;
mod pragmas;
mod process;
#[expect(unsafe_code, reason = "the one module that speaks to the engine itself")]
mod raw;
mod readers;
mod row;
mod snapshot;
mod stats;
mod transaction;
mod turn;
mod value;
mod writer;

pub mod rows;

pub use connection::Connection;
pub use database::Database;
pub use erasure::Erased;
pub use lock_file::lock_descriptors;
pub use options::{Durability, Location, OpenMode, OpenOptions};
pub use raw::CheckpointMode;
pub use row::Row;
pub use snapshot::Snapshot;
pub use stats::{Checkpoint, CheckpointStats, DatabaseStats, GuardStats, ReaderStats};
pub use transaction::Transaction;
pub use value::Value;
