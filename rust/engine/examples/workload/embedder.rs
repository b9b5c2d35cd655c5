//! Vectors without a model.

use recollect_engine::Embedder;
use recollect_model::{Call, Result, Space};

pub const DIMENSION: usize = 16;

/// Counts the bytes of a text by their lower four bits.
pub struct ByteEmbedder {
    space: Space,
}

impl ByteEmbedder {
    pub fn new() -> Self {
        let space =
            Space { name: "bytes".to_owned(), revision: String::new(), dimension: DIMENSION, weights_hash: None };
        Self { space }
    }

    fn vector(text: &str) -> [f32; DIMENSION] {
        let mut vector = [0.0; DIMENSION];
        for byte in text.bytes() {
            if let Some(count) = vector.get_mut(usize::from(byte) % DIMENSION) {
                *count += 1.0;
            }
        }
        vector
    }
}

impl Embedder for ByteEmbedder {
    fn space(&self) -> &Space {
        &self.space
    }

    fn embed_documents(&self, texts: &[&str], _call: &Call) -> Result<Vec<f32>> {
        Ok(texts.iter().flat_map(|text| Self::vector(text)).collect())
    }

    fn embed_queries(&self, texts: &[&str], call: &Call) -> Result<Vec<f32>> {
        self.embed_documents(texts, call)
    }
}
