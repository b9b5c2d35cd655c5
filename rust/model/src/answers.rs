//! What calls answer with.

use crate::id::{ChunkId, ItemId};
use crate::item::Item;
use crate::project::Scope;
use crate::time::Timestamp;
use crate::vocabulary::{Kind, Operation, Trust};

/// The result of adding one item.
#[derive(Debug, Clone, PartialEq)]
pub struct Added {
    /// The item, new or found.
    pub id: ItemId,
    /// Its key.
    pub key: Option<String>,
    /// Its version.
    pub version: u32,
    /// False if equal content was there already.
    pub created: bool,
    /// What the caller may want to look at.
    pub warnings: Vec<AddWarning>,
}

/// Something about an added item that is no error.
#[derive(Debug, Clone, PartialEq)]
pub enum AddWarning {
    /// Another item says nearly the same.
    NearDuplicate {
        /// That item.
        id: ItemId,
        /// The share of word pairs the two texts have in common, from 0 to 1.
        similarity: f32,
    },
    /// Equal content was there already, and these fields of the call differ from the item's.
    FieldsKept {
        /// The names of the fields, which keep the item's values.
        fields: Vec<&'static str>,
    },
    /// No vector was stored, because none was given or the model made none: search by meaning cannot find the item.
    NotEmbedded,
}

/// The result of deleting an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// The item.
    pub id: ItemId,
    /// Its version, one higher than before.
    pub version: u32,
    /// Until when it can be restored.
    pub undo_until: Timestamp,
}

/// One step of an item's history.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// What made this version.
    pub operation: Operation,
    /// The change that made it.
    pub seq: u64,
    /// The item as it was.
    pub item: Item,
}

/// One entry of the change log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The number of the commit.
    pub seq: u64,
    /// The place within the commit, from 0.
    pub ordinal: u32,
    /// The item; none where a channel came into being.
    pub item: Option<ItemId>,
    /// The item's kind.
    pub kind: Option<Kind>,
    /// What was done.
    pub operation: Operation,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The items, in the order asked for.
    pub items: Vec<Item>,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<String>,
}

/// Which items a list or count means. `None` and empty mean "any".
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// The projects.
    pub scope: Option<Scope>,
    /// Items that have all of these tags.
    pub tags: Vec<String>,
    /// Items of this channel.
    pub channel: Option<String>,
    /// Items of this tier.
    pub tier: Option<String>,
    /// Items whose key begins so.
    pub key_prefix: Option<String>,
    /// Items of exactly this source.
    pub source: Option<String>,
    /// Items of this trust level.
    pub trust: Option<Trust>,
    /// Docs whose path begins so; refs whose target does.
    pub path_prefix: Option<String>,
    /// Rules that always apply, or those that do not.
    pub always_on: Option<bool>,
    /// Deleted items within their undo window, instead of live ones.
    pub deleted: bool,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// By creation, oldest first.
    #[default]
    Created,
    /// By last change.
    Updated,
    /// By priority.
    Priority,
    /// By key; items without a key come first.
    Key,
}

/// A search.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// What is looked for.
    pub subject: Subject,
    /// The kinds of items wanted; empty means all.
    pub kinds: Vec<Kind>,
    /// The projects; `None` is the store's default project.
    pub scope: Option<Scope>,
    /// Items that have all of these tags.
    pub tags: Vec<String>,
    /// How many items, from 1.
    pub k: usize,
}

/// What a search looks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// A text, which the store's embedder turns into a vector.
    Text(String),
    /// A vector of the store's space.
    Vector(Vec<f32>),
}

/// The answer to a search.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchAnswer {
    /// At most k items, best first.
    pub hits: Vec<Hit>,
    /// The projects that were searched, nearest first; none means every project.
    pub scope: Option<Vec<String>>,
    /// How many items the scope, kinds and tags let through; of these, those that have vectors were ranked.
    pub matched: u64,
    /// The change the answer is as of.
    pub seq: u64,
    /// The name of the embedding space.
    pub space: String,
}

/// One ranked item.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The item.
    pub id: ItemId,
    /// Its kind.
    pub kind: Kind,
    /// Its version.
    pub version: u32,
    /// Its key.
    pub key: Option<String>,
    /// Its project.
    pub project: String,
    /// Cosine of the query and the best chunk, from -1 to 1.
    pub score: f32,
    /// The chunk that matched best.
    pub chunk: ChunkId,
    /// The chunk's text.
    pub snippet: String,
    /// The headings above it, widest first.
    pub heading: Vec<String>,
    /// Where the chunk begins in the item's text, in characters.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// A doc's title, or a ref's target.
    pub title: Option<String>,
    /// A doc's path.
    pub path: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Where it came from.
    pub source: Option<String>,
    /// How far that is trusted.
    pub trust: Trust,
    /// Its priority.
    pub priority: i32,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// One project and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its path; empty is the root.
    pub path: String,
    /// Its live rules.
    pub rules: u64,
    /// Its live docs.
    pub docs: u64,
    /// Its live refs.
    pub refs: u64,
}

/// An embedding space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Space {
    /// The name of the model, or the caller's name for it.
    pub name: String,
    /// The revision of the model; empty if it has none.
    pub revision: String,
    /// The number of components.
    pub dimension: usize,
    /// BLAKE3-256 of the weights, where they are known.
    pub weights_hash: Option<[u8; 32]>,
}
