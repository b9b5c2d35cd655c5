//! What turns text into vectors.

use std::path::Path;

use recollect_embed::StaticModel;
use recollect_model::{Call, Result, Space};

/// Turns texts into vectors of one space. Documents and queries may be treated differently.
pub trait Embedder: Send + Sync {
    /// The space of the vectors.
    fn space(&self) -> &Space;

    /// One row of [`Space::dimension`] components for each text, in order. A row of zeros stands for a text that has
    /// no meaning to the model.
    ///
    /// # Errors
    ///
    /// Whatever the model fails with.
    fn embed_documents(&self, texts: &[&str], call: &Call) -> Result<Vec<f32>>;

    /// As [`Self::embed_documents`], for texts that are searched with.
    ///
    /// # Errors
    ///
    /// Whatever the model fails with.
    fn embed_queries(&self, texts: &[&str], call: &Call) -> Result<Vec<f32>>;
}

/// The built-in static model; it treats documents and queries alike.
pub struct StaticEmbedder {
    model: StaticModel,
    space: Space,
}

impl StaticEmbedder {
    /// Loads the model from its two files.
    ///
    /// # Errors
    ///
    /// As [`StaticModel::load`].
    pub fn load(tokenizer: &Path, weights: &Path) -> Result<Self> {
        let model = StaticModel::load(tokenizer, weights)?;
        let space = Space {
            name: model.name().to_owned(),
            revision: model.known().map_or("", |known| known.revision).to_owned(),
            dimension: model.dimension(),
            weights_hash: Some(model.weights_hash()),
        };
        Ok(Self { model, space })
    }

    /// The model itself.
    pub const fn model(&self) -> &StaticModel {
        &self.model
    }
}

impl Embedder for StaticEmbedder {
    fn space(&self) -> &Space {
        &self.space
    }

    fn embed_documents(&self, texts: &[&str], call: &Call) -> Result<Vec<f32>> {
        let mut out = vec![0.0; texts.len() * self.space.dimension];
        self.model.embed(texts, &mut out, call)?;
        Ok(out)
    }

    fn embed_queries(&self, texts: &[&str], call: &Call) -> Result<Vec<f32>> {
        self.embed_documents(texts, call)
    }
}
