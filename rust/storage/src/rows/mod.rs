//! The SQL of the tables, one file per noun. Functions take the connection of a snapshot or of a transaction; those
//! that write are only called inside [`crate::Database::write`].

pub mod access;
pub mod attributes;
pub mod changes;
pub mod chunks;
pub mod items;
pub mod list;
pub mod meta;
pub mod projects;
pub mod removal;
pub mod repair;
pub mod schema;
pub mod settings;
pub mod spaces;
pub mod tags;
pub mod vectors;
pub mod versions;
