//! Splitting text into chunks by its structure, with spans and heading trails; recognising near-duplicates.
//!
//! Pure: no I/O, no clock, no randomness. The same text and settings give the same pieces on every machine.

mod boundary;
mod cut;
mod markdown;
mod nesting;
mod outline;
mod piece;
mod plain;
mod settings;
mod signature;

pub use piece::{Piece, sections, split};
pub use settings::{MediaType, Settings};
pub use signature::{Signature, similarity};
