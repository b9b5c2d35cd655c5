//! Adding items.

use recollect_model::{
    AddWarning, Added, Call, Content, Draft, Error, ErrorCode, Fields, Item, ItemId, Kind, Operation, Result, Space,
    limits,
};
use recollect_storage::rows::items::{Links, StoredItem};
use recollect_storage::rows::{attributes, chunks, items, removal, spaces, vectors};

use crate::near_duplicates::{self, NearDuplicates};
use crate::prepare::PreparedChunk;
use crate::space::{self, Vectors};
use crate::store::Store;
use crate::write::{Commit, key_conflict};
use crate::{content, validate};

/// An item that is ready to be stored.
struct Prepared {
    fields: Fields,
    content: Content,
    content_hash: [u8; 16],
    signature: Option<[u8; 16]>,
    chunks: Vec<PreparedChunk>,
    /// The number of its first chunk in the batch.
    first_chunk: usize,
}

impl Store {
    /// Adds items of one kind, all or none. `vectors` holds one row for each chunk of the batch, in order.
    ///
    /// An item of the same key or content that has expired and was not swept yet is in nobody's way: it is removed for
    /// good in the same commit, as a sweep does.
    ///
    /// # Errors
    ///
    /// `InvalidInput`, naming the item, for what is malformed; `AlreadyExists` for a key that is taken by other content;
    /// `NotFound` for a channel that was never created; `Conflict` for vectors of another space.
    pub fn add(&self, kind: Kind, drafts: Vec<Draft>, vectors: Option<Vectors>, call: &Call) -> Result<Vec<Added>> {
        if drafts.len() > limits::BATCH {
            return Err(Error::invalid(format!("{} items in one batch, more than {}", drafts.len(), limits::BATCH)));
        }
        let is_batch = drafts.len() > 1;
        let mut prepared = Vec::with_capacity(drafts.len());
        let mut chunk_count = 0;
        let mut text_bytes = 0;
        for (number, draft) in drafts.into_iter().enumerate() {
            if number % 256 == 0 {
                call.check_interrupt()?;
            }
            let item = self
                .prepare(kind, draft, chunk_count)
                .map_err(|error| if is_batch { at(number, error) } else { error })?;
            chunk_count += item.chunks.len();
            text_bytes += item.chunks.iter().map(|chunk| chunk.text.len()).sum::<usize>();
            prepared.push(item);
        }
        if text_bytes > limits::BATCH_TEXT {
            return Err(Error::invalid(format!(
                "{text_bytes} bytes of text in one batch, more than {}",
                limits::BATCH_TEXT
            )));
        }
        if prepared.is_empty() {
            return Ok(Vec::new());
        }
        let vectors = self.vectors_for(&prepared, chunk_count, vectors, call)?;
        self.commit(call, |commit| {
            let space = match &vectors {
                Some(_) => space::active_or_create(commit.transaction, self.wanted_space(), commit.now)?,
                None => spaces::active(commit.transaction)?,
            };
            let mut near_duplicates = self.near_duplicates();
            near_duplicates.catch_up(commit.transaction, commit.meta.seq)?;
            let mut added = Vec::with_capacity(prepared.len());
            for (number, item) in prepared.iter().enumerate() {
                if number % 256 == 0 {
                    call.check_interrupt()?;
                }
                let one = self
                    .add_one(commit, item, vectors.as_deref(), space.as_ref(), &mut near_duplicates)
                    .map_err(|error| if is_batch { at(number, error) } else { error })?;
                added.push(one);
            }
            if let Some(created) = added.iter().find(|one| one.created) {
                near_duplicates.forget(&commit.gone);
                near_duplicates.expect(commit.seq(), created.id);
                commit.is_remembered = true;
            }
            Ok(added)
        })
    }

    fn prepare(&self, kind: Kind, draft: Draft, first_chunk: usize) -> Result<Prepared> {
        let fields = validate::fields(draft.fields, &self.default_project, &self.settings.default_tier)?;
        let content = content::from_draft(draft.content)?;
        if content.kind() != kind {
            return Err(Error::invalid(format!("a {} was given where a {kind} is added", content.kind())));
        }
        let chunks = self.chunks_of(&content)?;
        let content_hash = content::hash(&content);
        let signature = near_duplicates::signature(&content);
        Ok(Prepared { fields, content, content_hash, signature, chunks, first_chunk })
    }

    /// The vectors of a batch: those given, or the embedder's.
    fn vectors_for(
        &self,
        prepared: &[Prepared],
        chunk_count: usize,
        given: Option<Vectors>,
        call: &Call,
    ) -> Result<Option<Vec<f32>>> {
        if let Some(given) = given {
            let space = self.space_of_given(call)?;
            space::check_vectors(&given, chunk_count, &space)?;
            return Ok(Some(given.values));
        }
        let texts: Vec<_> =
            prepared.iter().flat_map(|item| item.chunks.iter().map(PreparedChunk::embedded_text)).collect();
        let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
        self.embed_documents(&texts, call)
    }

    /// The space that vectors of the caller must be of.
    pub(crate) fn space_of_given(&self, call: &Call) -> Result<Space> {
        self.space(call)?.ok_or_else(|| {
            Error::invalid("vectors were given, but the store has no embedding space").with_hint(
                "open the store with embedder=recollect.ExternalVectors(name, dimension) to say what they are",
            )
        })
    }

    /// The embedder's vectors; none without an embedder.
    pub(crate) fn embed_documents(&self, texts: &[&str], call: &Call) -> Result<Option<Vec<f32>>> {
        let Some(embedder) = &self.embedder else { return Ok(None) };
        if texts.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let vectors = embedder.embed_documents(texts, call)?;
        check_embedded(&vectors, texts.len(), embedder.space())?;
        Ok(Some(vectors))
    }

    fn add_one(
        &self,
        commit: &mut Commit<'_>,
        prepared: &Prepared,
        vectors: Option<&[f32]>,
        space: Option<&(u32, Space)>,
        near_duplicates: &mut NearDuplicates,
    ) -> Result<Added> {
        let Prepared { fields, content, content_hash, signature, chunks, first_chunk } = prepared;
        let kind = content.kind();
        let (links, existing) = loop {
            let (project, access) = commit.place(fields)?;
            let links = Links { project, access, content_hash: *content_hash, signature: *signature };
            let existing = match &fields.key {
                Some(key) => items::row_of_key(commit.transaction, kind, project, access, key)?,
                None => items::row_of_content(commit.transaction, kind, &links)?,
            };
            match existing.map(|row| removal::expired(commit.transaction, row, commit.now)).transpose()?.flatten() {
                // Its project may go with it, and there may be another one of equal content.
                Some((row, id)) => {
                    commit.sweep(row, id, kind)?;
                }
                None => break (links, existing),
            }
        };
        if let Some(row) = existing {
            let vectors = |ordinal| vectors.and_then(|vectors| row_of(vectors, first_chunk + ordinal, space));
            fill_missing_vectors(commit, row, chunks, vectors, space)?;
            return existing_item(commit, row, prepared);
        }
        let mut warnings = Vec::new();
        warnings.extend(near_duplicates.find(
            commit.transaction,
            content,
            &links,
            self.settings.near_duplicate_similarity,
        )?);
        if fields.key.is_some()
            && warnings.is_empty()
            && let Some(equal) = items::row_of_content(commit.transaction, kind, &links)?
            && let Some(equal) = items::by_row(commit.transaction, equal)?
        {
            // Too short a text to have a signature, or one whose band remembers others.
            warnings.push(AddWarning::NearDuplicate { id: equal.item.id, similarity: 1.0 });
        }
        let item = Item {
            id: ItemId::generate(),
            version: 1,
            fields: fields.clone(),
            content: content.clone(),
            created_at: commit.now,
            created_by: commit.by().to_owned(),
            updated_at: commit.now,
            updated_by: commit.by().to_owned(),
            deleted_at: None,
        };
        let stored =
            StoredItem { row: commit.next_item()?, from_seq: commit.seq(), operation: Operation::Created, item };
        items::insert(commit.transaction, &stored, &links).map_err(|error| key_conflict(error, &stored.item))?;
        commit.tag(stored.row, &fields.tags)?;
        let mut is_embedded = false;
        for (ordinal, chunk) in chunks.iter().enumerate() {
            let vector = vectors.and_then(|vectors| row_of(vectors, first_chunk + ordinal, space));
            is_embedded |= vector.is_some();
            commit.insert_chunk(stored.row, ordinal, chunk, vector, space)?;
        }
        if !is_embedded && (space.is_some() || self.wanted_space().is_some()) {
            warnings.push(AddWarning::NotEmbedded);
        }
        if let Some(signature) = signature {
            commit.is_remembered = true;
            near_duplicates.insert((commit.seq(), stored.item.id), stored.row, kind, &links, *signature);
        }
        commit.log(Some(stored.row), Some(kind), Operation::Created);
        Ok(Added { id: stored.item.id, key: fields.key.clone(), version: 1, created: true, warnings })
    }
}

/// A row of a batch of vectors; none for one of zeros, which says that the model found nothing in the text.
pub(crate) fn row_of<'v>(vectors: &'v [f32], row: usize, space: Option<&(u32, Space)>) -> Option<&'v [f32]> {
    let (_, space) = space?;
    let vector = vectors.get(row * space.dimension..(row + 1) * space.dimension)?;
    vector.iter().any(|component| *component != 0.0).then_some(vector)
}

/// Checks what an embedder returned.
pub(crate) fn check_embedded(vectors: &[f32], rows: usize, space: &Space) -> Result<()> {
    if vectors.len() != rows * space.dimension {
        return Err(Error::embedder(format!(
            "the embedder returned {} components for {rows} texts of {} dimensions",
            vectors.len(),
            space.dimension
        )));
    }
    match vectors.iter().position(|component| !component.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::embedder(format!(
            "the embedder returned {} for text {}",
            vectors.get(at).copied().unwrap_or_default(),
            at / space.dimension
        ))),
    }
}

/// The answer when the key or the content is there already.
fn existing_item(commit: &Commit<'_>, row: u32, prepared: &Prepared) -> Result<Added> {
    let Prepared { fields, content, content_hash, .. } = prepared;
    let stored = items::by_row(commit.transaction, row)?
        .ok_or_else(|| Error::internal("an item vanished while it was looked at"))?;
    let links = items::links(commit.transaction, row)?;
    let Item { id, version, fields: kept, content: kept_content, .. } = stored.item;
    if links.content_hash != *content_hash {
        let key = fields.key.as_deref().unwrap_or_default();
        return Err(Error::already_exists(format!("the key {key:?} belongs to another {}, {id}", kept_content.kind()))
            .with_hint("use update to change it, or another key"));
    }
    let mut differing = Vec::new();
    let mut compare = |name, is_equal: bool| {
        if !is_equal {
            differing.push(name);
        }
    };
    compare("tags", kept.tags == fields.tags);
    compare("metadata", kept.metadata == fields.metadata);
    compare("priority", kept.priority == fields.priority);
    compare("source", kept.source == fields.source);
    compare("trust", kept.trust == fields.trust);
    compare("valid_from", kept.valid_from == fields.valid_from);
    compare("valid_until", kept.valid_until == fields.valid_until);
    compare("expires_at", kept.expires_at == fields.expires_at);
    if let (Content::Ref(kept), Content::Ref(given)) = (&kept_content, content) {
        compare("target_kind", kept.target_kind == given.target_kind);
        compare("checked_at", kept.checked_at == given.checked_at);
        compare("state", kept.state == given.state);
    }
    let warnings = if differing.is_empty() { Vec::new() } else { vec![AddWarning::FieldsKept { fields: differing }] };
    Ok(Added { id, key: kept.key, version, created: false, warnings })
}

/// Stores the vectors of chunks that were added without: by another handle, which had no embedder.
fn fill_missing_vectors<'v>(
    commit: &mut Commit<'_>,
    row: u32,
    prepared: &[PreparedChunk],
    vector_of: impl Fn(usize) -> Option<&'v [f32]>,
    space: Option<&(u32, Space)>,
) -> Result<()> {
    let Some((space, _)) = space else { return Ok(()) };
    let mut is_filled = false;
    for placed in chunks::living(commit.transaction, row)? {
        let is_same = prepared.get(placed.ordinal).is_some_and(|chunk| chunk.content_hash == placed.content_hash);
        let Some(vector) = vector_of(placed.ordinal).filter(|_| is_same) else { continue };
        if !vectors::is_stored(commit.transaction, *space, placed.id)? {
            vectors::Writer::new(commit.transaction, *space).put(placed.id, vector)?;
            is_filled = true;
        }
    }
    if is_filled {
        let kind = attributes::of_item(commit.transaction, row)?.map(|attributes| attributes.kind);
        commit.log(Some(row), kind, Operation::Embedded);
    }
    Ok(())
}

/// Says which item of a batch an error is about.
fn at(number: usize, error: Error) -> Error {
    if matches!(error.code(), ErrorCode::Timeout | ErrorCode::Cancelled | ErrorCode::Locked | ErrorCode::Closed) {
        return error;
    }
    Error::new(error.code(), format!("item {number}: {error}")).with_hint(error.hint().to_owned())
}
