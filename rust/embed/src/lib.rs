//! The built-in static embedding model: a tokeniser, a table of rows, and the mean of the rows of a text's tokens.
//!
//! The model is the one that the Python package `wordllama` ships: a byte-pair tokeniser in the JSON form of the
//! `tokenizers` library, and one half-precision table in the safetensors form. Both files stay where the package put
//! them; [`StaticModel::load`] is given their paths.

mod joins;
mod merges;
mod model;
mod pieces;
mod registry;
mod table;
mod text_hash;
mod tokenizer;
mod tokenizer_file;
mod word_cache;

pub use model::StaticModel;
pub use registry::{KNOWN, KnownModel};
