//! What all commits share: the guard, the number, the log, and the dictionaries of one batch.

use std::collections::{HashMap, HashSet};

use recollect_model::{Call, Clock, Error, Fields, Item, ItemId, Kind, Operation, Result, Space, Timestamp};
use recollect_storage::rows::changes::Entry;
use recollect_storage::rows::chunks::NewChunk;
use recollect_storage::rows::items::{Links, StoredItem};
use recollect_storage::rows::meta::Meta;
use recollect_storage::rows::removal::{self, Removed};
use recollect_storage::rows::versions::VersionRow;
use recollect_storage::rows::{access, changes, chunks, items, meta, projects, tags, vectors, versions};
use recollect_storage::{Database, Transaction};

use crate::history;
use crate::prepare::PreparedChunk;
use crate::store::Store;

/// One commit in the making.
pub(crate) struct Commit<'t> {
    pub transaction: &'t Transaction<'t>,
    pub meta: Meta,
    pub now: Timestamp,
    /// Whether the near-duplicate cache holds something of it already.
    pub is_remembered: bool,
    /// The rows of the items that it removes for good.
    pub gone: HashSet<u32>,
    by: &'t str,
    entries: Vec<Entry>,
    projects: HashMap<String, u32>,
    tags: HashMap<String, u32>,
    access: HashMap<(String, Option<String>), u32>,
}

/// Runs `work` in a write transaction and gives it the next number, if it changed anything.
pub(crate) fn commit<T>(
    database: &Database,
    clock: &dyn Clock,
    by: &str,
    call: &Call,
    work: impl FnOnce(&mut Commit<'_>) -> Result<T>,
) -> Result<T> {
    database.write(call, |transaction| {
        let mut commit = Commit {
            transaction,
            meta: meta::read(transaction)?,
            now: clock.now(),
            is_remembered: false,
            gone: HashSet::new(),
            by,
            entries: Vec::new(),
            projects: HashMap::new(),
            tags: HashMap::new(),
            access: HashMap::new(),
        };
        let value = work(&mut commit)?;
        if !commit.entries.is_empty() {
            changes::append(transaction, &mut commit.meta, &commit.entries, commit.now, commit.by)?;
            meta::advance(transaction, &commit.meta)?;
        }
        Ok(value)
    })
}

impl Store {
    /// As [`commit`], by this handle.
    pub(crate) fn commit<T>(&self, call: &Call, work: impl FnOnce(&mut Commit<'_>) -> Result<T>) -> Result<T> {
        let mut remembered = None;
        let result = commit(&self.database, &*self.clock, &self.principal, call, |commit| {
            let value = work(commit);
            if commit.is_remembered {
                remembered = Some(commit.seq());
            }
            value
        });
        if let Some(seq) = remembered {
            self.near_duplicates().settle(seq, result.is_ok());
        }
        result
    }
}

impl Commit<'_> {
    /// The number that this commit will have.
    pub const fn seq(&self) -> u64 {
        self.meta.seq + 1
    }

    /// Who makes it.
    pub const fn by(&self) -> &str {
        self.by
    }

    /// Writes down what was done.
    pub fn log(&mut self, item: Option<u32>, kind: Option<Kind>, operation: Operation) {
        self.entries.push(Entry { item, kind, operation });
    }

    /// Removes an item for good.
    pub fn remove(&mut self, row: u32, id: ItemId, kind: Kind, operation: Operation) -> Result<Removed> {
        let removed = removal::remove(self.transaction, row, id, kind)?;
        // Names that only it had went with it.
        self.projects.clear();
        self.tags.clear();
        self.gone.insert(row);
        self.log(Some(row), Some(kind), operation);
        Ok(removed)
    }

    /// Removes an item for good that is due.
    pub fn sweep(&mut self, row: u32, id: ItemId, kind: Kind) -> Result<Removed> {
        self.remove(row, id, kind, Operation::Swept)
    }

    /// The row id of a new item.
    pub fn next_item(&mut self) -> Result<u32> {
        next(&mut self.meta.next_item, "items")
    }

    fn next_chunk(&mut self) -> Result<u32> {
        next(&mut self.meta.next_chunk, "chunks")
    }

    /// The project and the access class of an item.
    pub fn place(&mut self, fields: &Fields) -> Result<(u32, u32)> {
        let project = if let Some(id) = self.projects.get(&fields.project) {
            *id
        } else {
            let id = projects::intern(self.transaction, &fields.project)?;
            self.projects.insert(fields.project.clone(), id);
            id
        };
        let class = (fields.tier.clone(), fields.channel.clone());
        let access = if let Some(id) = self.access.get(&class) {
            *id
        } else {
            let id = access::intern_class(self.transaction, &fields.tier, fields.channel.as_deref())?;
            self.access.insert(class, id);
            id
        };
        Ok((project, access))
    }

    /// Gives an item its tags.
    pub fn tag(&mut self, row: u32, names: &[String]) -> Result<()> {
        for name in names {
            let tag = if let Some(id) = self.tags.get(name) {
                *id
            } else {
                let id = tags::intern(self.transaction, name)?;
                self.tags.insert(name.clone(), id);
                id
            };
            tags::attach(self.transaction, row, tag)?;
        }
        Ok(())
    }

    /// Stores a chunk and its vector.
    pub fn insert_chunk(
        &mut self,
        row: u32,
        ordinal: usize,
        chunk: &PreparedChunk,
        vector: Option<&[f32]>,
        space: Option<&(u32, Space)>,
    ) -> Result<()> {
        let id = self.next_chunk()?;
        chunks::insert(
            self.transaction,
            &NewChunk {
                id,
                item: row,
                ordinal,
                start: chunk.start,
                characters: chunk.characters,
                heading: &items::json(&chunk.heading)?,
                text: &chunk.text,
                content_hash: chunk.content_hash,
                born: self.seq(),
            },
        )?;
        if let (Some(vector), Some((space, _))) = (vector, space) {
            vectors::Writer::new(self.transaction, *space).put(id, vector)?;
        }
        Ok(())
    }

    /// Keeps the version that is about to be replaced.
    pub fn keep_version(&self, before: &StoredItem) -> Result<()> {
        let living = chunks::living(self.transaction, before.row)?;
        let project = items::links(self.transaction, before.row)?.project;
        let record = history::encode(&before.item, project, living.iter().map(|chunk| chunk.id).collect())?;
        let row =
            VersionRow { version: before.item.version, from_seq: before.from_seq, operation: before.operation, record };
        versions::insert(self.transaction, before.row, row, self.seq())
    }

    /// Replaces the row of an item by its next version; tags and chunks are the caller's.
    pub fn replace(
        &mut self,
        before: &StoredItem,
        mut after: Item,
        links: &Links,
        operation: Operation,
    ) -> Result<Item> {
        self.keep_version(before)?;
        after.version = before
            .item
            .version
            .checked_add(1)
            .ok_or_else(|| Error::unsupported("the item has had more versions than can be counted"))?;
        after.updated_at = self.now;
        self.by.clone_into(&mut after.updated_by);
        let stored = StoredItem { row: before.row, from_seq: self.seq(), operation, item: after };
        items::update(self.transaction, &stored, links).map_err(|error| key_conflict(error, &stored.item))?;
        self.log(Some(before.row), Some(stored.item.kind()), operation);
        Ok(stored.item)
    }
}

/// Says which key is taken, where the database can only say that one is.
pub(crate) fn key_conflict(error: Error, item: &Item) -> Error {
    match (&item.fields.key, error.code()) {
        (Some(key), recollect_model::ErrorCode::Conflict) => {
            Error::already_exists(format!("there is a {} with the key {key:?} already", item.kind()))
        }
        _ => error,
    }
}

fn next(counter: &mut u32, what: &str) -> Result<u32> {
    let id = *counter;
    *counter = id
        .checked_add(1)
        .ok_or_else(|| Error::unsupported(format!("the store has had 2^32 {what}, and their ids are used up")))?;
    Ok(id)
}
