//! The versions of an item.

use recollect_model::{Call, ChunkId, Content, Error, Item, ItemId, Kind, Operation, Result, Version};
use recollect_storage::Connection;
use recollect_storage::rows::items::StoredItem;
use recollect_storage::rows::{chunks, items, projects, versions};
use serde::{Deserialize, Serialize};

use crate::store::Store;
use crate::update::Next;

/// A version as it is kept: the text of rules and docs is that of the chunks.
#[derive(Serialize, Deserialize)]
struct Record {
    item: Item,
    /// The id of its project, whose path may be another one by now.
    project: u32,
    chunks: Vec<ChunkId>,
}

/// The JSON of a version.
pub(crate) fn encode(item: &Item, project: u32, chunks: Vec<ChunkId>) -> Result<String> {
    let mut item = item.clone();
    match &mut item.content {
        Content::Rule(rule) => rule.text.clear(),
        Content::Doc(doc) => doc.text.clear(),
        Content::Ref(_) => {}
    }
    serde_json::to_string(&Record { item, project, chunks })
        .map_err(|source| Error::internal("an item has no JSON form").with_source(source))
}

fn decode(connection: &Connection, record: &str) -> Result<Item> {
    let Record { mut item, project, chunks: ids } = serde_json::from_str(record)
        .map_err(|source| Error::corrupt("an older version of an item cannot be read").with_source(source))?;
    if let Some(path) = projects::path(connection, project)? {
        item.fields.project = path;
    }
    match &mut item.content {
        Content::Rule(rule) => rule.text = chunks::text_of(connection, &ids)?,
        Content::Doc(doc) => doc.text = chunks::text_of(connection, &ids)?,
        Content::Ref(_) => {}
    }
    Ok(item)
}

fn versions_of(connection: &Connection, current: StoredItem) -> Result<Vec<Version>> {
    let mut history = Vec::new();
    for row in versions::of_item(connection, current.row)? {
        history.push(Version { operation: row.operation, seq: row.from_seq, item: decode(connection, &row.record)? });
    }
    history.push(Version { operation: current.operation, seq: current.from_seq, item: current.item });
    Ok(history)
}

impl Store {
    /// Every version of an item, oldest first, the current one last; of deleted items too.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub fn history(&self, kind: Kind, id: ItemId, call: &Call) -> Result<Vec<Version>> {
        let snapshot = self.database.read(call)?;
        let found = items::by_id(&snapshot, id)?.filter(|stored| stored.item.kind() == kind);
        versions_of(&snapshot, found.ok_or_else(|| Error::not_found(format!("there is no {kind} {id}")))?)
    }

    /// Gives an item the fields and the content that it had at an older version; that makes a new version. Where it
    /// would have expired by now, the time at which it expires stays what it is, so that the next sweep does not remove
    /// what was just brought back.
    ///
    /// # Errors
    ///
    /// `NotFound` for an item or version that is not there; `Conflict` if the item has another version than expected;
    /// `AlreadyExists` if its old key was given to another item meanwhile.
    pub fn revert(&self, kind: Kind, id: ItemId, to: u32, expected: Option<u32>, call: &Call) -> Result<Item> {
        self.change(kind, id, expected, None, call, |connection, before| {
            let old = versions_of(connection, before.clone())?
                .into_iter()
                .map(|version| version.item)
                .find(|item| item.version == to)
                .ok_or_else(|| Error::not_found(format!("the {kind} {id} has no version {to}")))?;
            let mut item = before.item.clone();
            item.fields = old.fields;
            if item.fields.expires_at.is_some_and(|expires_at| expires_at <= self.now()) {
                item.fields.expires_at = before.item.fields.expires_at;
            }
            item.content = old.content;
            Ok(Next { item, operation: Operation::Reverted })
        })
    }
}
