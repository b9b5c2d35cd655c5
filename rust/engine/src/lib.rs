//! The store: items, projects, search, over storage, chunking, embedding and vectors.

mod add;
mod check;
mod content;
mod cursor;
mod delete;
mod embedder;
mod embeddings;
mod history;
mod index;
mod masks;
mod near_duplicates;
mod open;
mod patch;
mod prepare;
mod projects;
mod read;
mod search;
mod space;
mod store;
mod update;
mod validate;
mod write;

pub use check::{CheckReport, StoreStats};
pub use embedder::{Embedder, StaticEmbedder};
pub use embeddings::Embeddings;
pub use index::IndexStats;
pub use open::StoreOptions;
pub use prepare::{Pieces, TextPiece};
pub use read::{Locator, Paging};
pub use recollect_storage::{Checkpoint, DatabaseStats, Durability, Location, OpenMode, OpenOptions};
pub use space::Vectors;
pub use store::Store;
