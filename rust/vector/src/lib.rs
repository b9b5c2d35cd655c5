//! Similarity kernels and exact top-k under a mask.
//!
//! A [`Table`] holds normalised vectors in memory, so that the cosine of a normalised query with a row is their dot
//! product. [`top_k`] ranks rows and [`top_owners`] ranks owners, each row belonging to one owner (a chunk to its item);
//! both look only at live rows whose owner is in an [`OwnerMask`]. A [`Kernel`] does the arithmetic with the widest
//! instructions that the processor has.

mod best;
mod block;
mod kernels;
mod normalise;
mod owners;
mod pace;
mod search;
mod table;

pub use best::Hit;
pub use kernels::Kernel;
pub use normalise::{MAX_DIMENSION, MIN_DIMENSION, normalise};
pub use owners::OwnerMask;
pub use search::{top_k, top_owners};
pub use table::Table;
