//! Updating an item: optimistic by version, with chunks that did not change kept.

use std::collections::{HashMap, VecDeque};

use recollect_model::{Call, Error, Item, ItemId, Kind, Operation, Patch, Result, Space};
use recollect_storage::Connection;
use recollect_storage::rows::items::{Links, StoredItem};
use recollect_storage::rows::{chunks, items, spaces, tags, vectors};

use crate::add::row_of;
use crate::near_duplicates;
use crate::patch::apply;
use crate::prepare::PreparedChunk;
use crate::space::{self, Vectors};
use crate::store::Store;
use crate::write::Commit;
use crate::{content, validate};

/// How often an update without an expected version starts over when somebody else changed the item meanwhile.
const ATTEMPTS: usize = 5;

/// What is to become of an item.
pub(crate) struct Next {
    pub item: Item,
    pub operation: Operation,
}

impl Store {
    /// Changes the fields of an item that the patch does not leave. `vectors` holds one row for each chunk of the new
    /// text; chunks that stay keep theirs otherwise.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Conflict` if the item has another version than expected; `InvalidInput` for what is malformed or
    /// belongs to another kind; `AlreadyExists` if the new key is taken.
    pub fn update(
        &self,
        kind: Kind,
        id: ItemId,
        patch: &Patch,
        expected: Option<u32>,
        vectors: Option<&Vectors>,
        call: &Call,
    ) -> Result<Item> {
        self.change(kind, id, expected, vectors, call, |_, before| {
            let item = apply(patch, before.item.clone(), &self.settings.default_tier)?;
            Ok(Next { item, operation: Operation::Updated })
        })
    }

    /// Reads an item, lets `decide` make its next version, and stores that unless the item changed meanwhile.
    pub(crate) fn change(
        &self,
        kind: Kind,
        id: ItemId,
        expected: Option<u32>,
        given: Option<&Vectors>,
        call: &Call,
        decide: impl Fn(&Connection, &StoredItem) -> Result<Next>,
    ) -> Result<Item> {
        for _ in 0..ATTEMPTS {
            let snapshot = self.database.read(call)?;
            let before = live_item(&snapshot, Some(kind), id)?;
            check_version(&before.item, expected)?;
            let next = decide(&snapshot, &before)?;
            if given.is_none() && changes_nothing(&next, &before) {
                return Ok(next.item);
            }
            let prepared = self.prepare_next(&next)?;
            let living = chunks::living(&snapshot, before.row)?;
            drop(snapshot);
            let vectors = self.vectors_of_changed(&prepared, &living, given, call)?;
            let written = self.commit(call, |commit| {
                let current = live_item(commit.transaction, Some(kind), id)?;
                check_version(&current.item, expected)?;
                // The version alone does not tell: its project may have been renamed.
                if current.item == before.item {
                    return self.write_next(commit, &before, next, &prepared, vectors.as_ref()).map(Some);
                }
                let next = decide(commit.transaction, &current)?;
                if given.is_none() && changes_nothing(&next, &current) {
                    return Ok(Some(next.item));
                }
                // Whoever always starts over can lose to the same rival each time. Where the vectors at hand still do,
                // there is no need to.
                let needed = self.prepare_next(&next)?;
                if is_equal(&needed, &prepared) {
                    return self.write_next(commit, &current, next, &prepared, vectors.as_ref()).map(Some);
                }
                if given.is_none() && is_kept(&needed, &chunks::living(commit.transaction, current.row)?) {
                    return self.write_next(commit, &current, next, &needed, None).map(Some);
                }
                Ok(None)
            })?;
            if let Some(item) = written {
                return Ok(item);
            }
        }
        Err(Error::conflict(format!("the item {id} kept changing while it was updated"))
            .with_hint("read it, and update with version= to decide which change wins"))
    }

    /// Checks what is to be stored, and makes its chunks.
    fn prepare_next(&self, next: &Next) -> Result<Vec<PreparedChunk>> {
        validate::check_fields(&next.item.fields)?;
        content::check(&next.item.content)?;
        self.chunks_of(&next.item.content)
    }

    fn write_next(
        &self,
        commit: &mut Commit<'_>,
        before: &StoredItem,
        next: Next,
        prepared: &[PreparedChunk],
        vectors: Option<&HashMap<usize, Vec<f32>>>,
    ) -> Result<Item> {
        let space = match vectors {
            Some(_) => space::active_or_create(commit.transaction, self.wanted_space(), commit.now)?,
            None => spaces::active(commit.transaction)?,
        };
        let fields = &next.item.fields;
        let (project, access) = commit.place(fields)?;
        let links = Links {
            project,
            access,
            content_hash: content::hash(&next.item.content),
            signature: near_duplicates::signature(&next.item.content),
        };
        let tags_changed = fields.tags != before.item.fields.tags;
        let item = commit.replace(before, next.item, &links, next.operation)?;
        if tags_changed {
            tags::detach_all(commit.transaction, before.row)?;
            commit.tag(before.row, &item.fields.tags)?;
        }
        replace_chunks(commit, (before.row, item.kind()), prepared, vectors, space.as_ref())?;
        Ok(item)
    }

    /// The vectors of the chunks that are not there yet, by their place; all of them where the caller gave them.
    fn vectors_of_changed(
        &self,
        prepared: &[PreparedChunk],
        living: &[chunks::Placed],
        given: Option<&Vectors>,
        call: &Call,
    ) -> Result<Option<HashMap<usize, Vec<f32>>>> {
        if let Some(given) = given {
            let space = self.space_of_given(call)?;
            space::check_vectors(given, prepared.len(), &space)?;
            return Ok(Some(given.values.chunks_exact(space.dimension).map(<[f32]>::to_vec).enumerate().collect()));
        }
        let known: std::collections::HashSet<_> = living.iter().map(|chunk| chunk.content_hash).collect();
        let (places, texts): (Vec<usize>, Vec<_>) = prepared
            .iter()
            .enumerate()
            .filter(|(_, chunk)| !known.contains(&chunk.content_hash))
            .map(|(place, chunk)| (place, chunk.embedded_text()))
            .unzip();
        let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
        let Some(vectors) = self.embed_documents(&texts, call)? else { return Ok(None) };
        let Some(space) = self.wanted_space() else { return Ok(None) };
        let space = (0, space.clone());
        let rows = places.into_iter().enumerate();
        Ok(Some(rows.filter_map(|(row, place)| Some((place, row_of(&vectors, row, Some(&space))?.to_vec()))).collect()))
    }
}

/// Whether an update would leave everything as it is. A revert is a new version all the same.
fn changes_nothing(next: &Next, before: &StoredItem) -> bool {
    next.operation == Operation::Updated && next.item == before.item
}

fn is_equal(some: &[PreparedChunk], others: &[PreparedChunk]) -> bool {
    some.len() == others.len() && some.iter().zip(others).all(|(one, other)| one.content_hash == other.content_hash)
}

/// Whether no chunk is needed that is not living.
fn is_kept(needed: &[PreparedChunk], living: &[chunks::Placed]) -> bool {
    needed.iter().all(|chunk| living.iter().any(|placed| placed.content_hash == chunk.content_hash))
}

/// The live item of an id, or an error that says what is the matter.
pub(crate) fn live_item(connection: &Connection, kind: Option<Kind>, id: ItemId) -> Result<StoredItem> {
    let found = items::by_id(connection, id)?.filter(|stored| kind.is_none_or(|kind| stored.item.kind() == kind));
    let what = kind.map_or("item", Kind::as_str);
    match found {
        None => Err(Error::not_found(format!("there is no {what} {id}"))),
        Some(stored) if stored.item.deleted_at.is_some() => {
            Err(Error::not_found(format!("the {what} {id} was deleted")).with_hint("restore it first"))
        }
        Some(stored) => Ok(stored),
    }
}

/// Fails if the caller expects another version.
pub(crate) fn check_version(item: &Item, expected: Option<u32>) -> Result<()> {
    match expected {
        Some(expected) if expected != item.version => Err(Error::conflict(format!(
            "the {} {} has version {}, not {expected}",
            item.kind(),
            item.id,
            item.version
        ))),
        _ => Ok(()),
    }
}

/// Makes the living chunks of an item those given: equal ones stay, with their ids and vectors.
fn replace_chunks(
    commit: &mut Commit<'_>,
    (row, kind): (u32, Kind),
    prepared: &[PreparedChunk],
    new_vectors: Option<&HashMap<usize, Vec<f32>>>,
    space: Option<&(u32, Space)>,
) -> Result<()> {
    let mut reusable: HashMap<[u8; 16], VecDeque<chunks::Placed>> = HashMap::new();
    for chunk in chunks::living(commit.transaction, row)? {
        reusable.entry(chunk.content_hash).or_default().push_back(chunk);
    }
    let mut arrivals = Vec::new();
    let mut is_replaced = false;
    for (ordinal, chunk) in prepared.iter().enumerate() {
        let Some(kept) = reusable.get_mut(&chunk.content_hash).and_then(VecDeque::pop_front) else {
            arrivals.push((ordinal, chunk));
            continue;
        };
        if kept.ordinal != ordinal || kept.start != chunk.start {
            chunks::place(commit.transaction, kept.id, ordinal, chunk.start)?;
        }
        if let (Some(vector), Some((space, _))) = (new_vectors.and_then(|vectors| vectors.get(&ordinal)), space) {
            vectors::Writer::new(commit.transaction, *space).put(kept.id, vector)?;
            is_replaced = true;
        }
    }
    if is_replaced {
        commit.log(Some(row), Some(kind), Operation::Embedded);
    }
    let died = commit.seq();
    for gone in reusable.into_values().flatten() {
        chunks::end(commit.transaction, gone.id, died)?;
    }
    for (ordinal, chunk) in arrivals {
        let known;
        let vector = match (new_vectors.and_then(|vectors| vectors.get(&ordinal)), space) {
            (Some(vector), _) => Some(vector.as_slice()),
            // An older version of the item had the same chunk: a revert needs no embedder.
            (None, Some((id, space))) => {
                known = vectors::of_equal_chunk(commit.transaction, *id, space.dimension, row, chunk.content_hash)?;
                known.as_deref()
            }
            (None, None) => None,
        };
        commit.insert_chunk(row, ordinal, chunk, vector, space)?;
    }
    Ok(())
}
