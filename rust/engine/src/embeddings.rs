//! Vectors in bulk, for those who compute their own.

use recollect_model::{Call, ChunkId, Error, ItemId, Operation, Result, limits};
use recollect_storage::rows::{attributes, chunks, items, spaces, vectors};

use crate::prepare::embedded_text;
use crate::read::check_limit;
use crate::space::{self, Vectors};
use crate::store::Store;

/// Vectors of items.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Embeddings {
    /// The chunk of each row.
    pub chunks: Vec<ChunkId>,
    /// For each row, the place of its item among the ids asked for.
    pub items: Vec<u32>,
    /// The rows, one behind the other.
    pub vectors: Vec<f32>,
    /// The components of a row.
    pub dimension: usize,
}

impl Store {
    /// The vectors of the living chunks of some items, as they were stored; chunks without one are left out.
    ///
    /// # Errors
    ///
    /// `NotFound` if one of the items is not there.
    pub fn embeddings(&self, ids: &[ItemId], call: &Call) -> Result<Embeddings> {
        let snapshot = self.database.read(call)?;
        let space = spaces::active(&snapshot)?;
        let dimension =
            space.as_ref().map(|(_, space)| space).or(self.wanted_space()).map_or(0, |space| space.dimension);
        let mut found = Embeddings { dimension, ..Embeddings::default() };
        for (place, id) in (0_u32..).zip(ids) {
            let row =
                items::live_row(&snapshot, *id)?.ok_or_else(|| Error::not_found(format!("there is no item {id}")))?;
            let Some((space, _)) = &space else { continue };
            vectors::for_each_of_item(&snapshot, *space, row, |chunk, bytes| {
                found.chunks.push(chunk);
                found.items.push(place);
                vectors::decode_into(bytes, dimension, &mut found.vectors)
            })?;
        }
        Ok(found)
    }

    /// Stores the vectors of living chunks, all or none, replacing those they have. Returns how many.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for vectors that do not fit; `NotFound` for a chunk that is not living.
    pub fn put_embeddings(&self, chunk_ids: &[ChunkId], rows: &Vectors, call: &Call) -> Result<usize> {
        let wanted = self.space_of_given(call)?;
        space::check_vectors(rows, chunk_ids.len(), &wanted)?;
        if chunk_ids.is_empty() {
            return Ok(0);
        }
        self.commit(call, |commit| {
            let active = space::active_or_create(commit.transaction, self.wanted_space(), commit.now)?;
            let (space, _) = active
                .filter(|(_, active)| active.dimension == wanted.dimension)
                .ok_or_else(|| Error::conflict("the store's embedding space changed meanwhile"))?;
            let writer = vectors::Writer::new(commit.transaction, space);
            let mut touched = Vec::new();
            for (chunk, vector) in chunk_ids.iter().zip(rows.values.chunks_exact(wanted.dimension)) {
                let item = chunks::item_of_living(commit.transaction, *chunk)?
                    .ok_or_else(|| Error::not_found(format!("there is no living chunk {chunk}")))?;
                writer.put(*chunk, vector)?;
                touched.push(item);
            }
            touched.sort_unstable();
            touched.dedup();
            for row in touched {
                let kind = attributes::of_item(commit.transaction, row)?.map(|attributes| attributes.kind);
                commit.log(Some(row), kind, Operation::Embedded);
            }
            Ok(chunk_ids.len())
        })
    }

    /// Living chunks that have no vector, with the text to embed, oldest first.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a limit out of range.
    pub fn missing_embeddings(&self, limit: usize, call: &Call) -> Result<Vec<(ChunkId, String)>> {
        check_limit("limit", limit, limits::PAGE)?;
        let snapshot = self.database.read(call)?;
        let space = spaces::active(&snapshot)?.map(|(id, _)| id);
        let found = chunks::without_vector(&snapshot, space, limit)?;
        Ok(found
            .into_iter()
            .map(|(chunk, heading, text)| (chunk, embedded_text(&heading, &text).into_owned()))
            .collect())
    }
}
