//! Items: what a store keeps.

use serde::{Deserialize, Serialize};

use crate::id::ItemId;
use crate::time::Timestamp;
use crate::vocabulary::{Kind, RefState, TargetKind, Trust};

/// What all three kinds of items have in common, as the caller sets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fields {
    /// The caller's own name for the item, unique per kind, project and access class.
    pub key: Option<String>,
    /// The project path; empty is the root.
    pub project: String,
    /// Tags, sorted, each once.
    pub tags: Vec<String>,
    /// A JSON object, as text.
    pub metadata: String,
    /// The channel, if the item is only for those who were granted it.
    pub channel: Option<String>,
    /// The access tier.
    pub tier: String,
    /// From -1,000 to 1,000; higher is more important.
    pub priority: i32,
    /// Where the item came from, in the caller's words.
    pub source: Option<String>,
    /// How far that source is trusted.
    pub trust: Trust,
    /// Not to be used before.
    pub valid_from: Option<Timestamp>,
    /// Not to be used from then on, but kept.
    pub valid_until: Option<Timestamp>,
    /// Not to be used from then on.
    pub expires_at: Option<Timestamp>,
}

/// What distinguishes the kinds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Content {
    /// An instruction.
    Rule(Rule),
    /// A document.
    Doc(Doc),
    /// A pointer.
    Ref(Ref),
}

/// An instruction to obey.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// The instruction.
    pub text: String,
    /// Path globs; the rule applies where one matches.
    pub applies_to: Vec<String>,
    /// The modes of work it applies in; none means all.
    pub modes: Vec<String>,
    /// Whether it always applies.
    pub always_on: bool,
}

/// A project document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Doc {
    /// Where it stands in its project.
    pub path: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// `text/markdown` or `text/plain`.
    pub media_type: String,
    /// BLAKE3-256 of the text's UTF-8 bytes.
    pub content_hash: [u8; 32],
    /// The text, verbatim.
    pub text: String,
}

/// A pointer with a note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ref {
    /// What it points to, as written.
    pub target: String,
    /// What sort of thing that is.
    pub target_kind: TargetKind,
    /// Why it matters.
    pub note: String,
    /// When the target was last looked at.
    pub checked_at: Option<Timestamp>,
    /// What was found then.
    pub state: RefState,
}

impl Content {
    /// The kind of item this is the content of.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Rule(_) => Kind::Rule,
            Self::Doc(_) => Kind::Doc,
            Self::Ref(_) => Kind::Ref,
        }
    }
}

/// One item at one version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// Counts the changes to the item, from 1.
    pub version: u32,
    /// The common fields.
    pub fields: Fields,
    /// The rest.
    pub content: Content,
    /// When it came into being.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When this version came into being.
    pub updated_at: Timestamp,
    /// By whom.
    pub updated_by: String,
    /// When it was deleted, if it was.
    pub deleted_at: Option<Timestamp>,
}

impl Item {
    /// The kind of item.
    pub const fn kind(&self) -> Kind {
        self.content.kind()
    }
}

/// What is to be added. Fields that are `None` take their default.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The common fields; tags need not be sorted.
    pub fields: DraftFields,
    /// The content, not yet checked.
    pub content: DraftContent,
}

/// The common fields of a [`Draft`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DraftFields {
    /// See [`Fields::key`].
    pub key: Option<String>,
    /// See [`Fields::project`]; `None` is the store's default project.
    pub project: Option<String>,
    /// See [`Fields::tags`].
    pub tags: Vec<String>,
    /// See [`Fields::metadata`]; `None` is `{}`.
    pub metadata: Option<String>,
    /// See [`Fields::channel`].
    pub channel: Option<String>,
    /// See [`Fields::tier`]; `None` is the store's default tier.
    pub tier: Option<String>,
    /// See [`Fields::priority`].
    pub priority: i64,
    /// See [`Fields::source`].
    pub source: Option<String>,
    /// See [`Fields::trust`]; `None` is trusted.
    pub trust: Option<String>,
    /// See [`Fields::valid_from`].
    pub valid_from: Option<Timestamp>,
    /// See [`Fields::valid_until`].
    pub valid_until: Option<Timestamp>,
    /// See [`Fields::expires_at`].
    pub expires_at: Option<Timestamp>,
}

/// The content of a [`Draft`].
#[derive(Debug, Clone, PartialEq)]
pub enum DraftContent {
    /// A rule.
    Rule {
        /// See [`Rule::text`].
        text: String,
        /// See [`Rule::applies_to`].
        applies_to: Vec<String>,
        /// See [`Rule::modes`].
        modes: Vec<String>,
        /// See [`Rule::always_on`].
        always_on: bool,
    },
    /// A doc.
    Doc {
        /// See [`Doc::text`].
        text: String,
        /// See [`Doc::path`].
        path: Option<String>,
        /// See [`Doc::title`]; `None` is the first heading of a Markdown text, if it has one.
        title: Option<String>,
        /// See [`Doc::media_type`]; `None` is told from the path, else `text/markdown`.
        media_type: Option<String>,
    },
    /// A ref.
    Ref {
        /// See [`Ref::target`].
        target: String,
        /// See [`Ref::target_kind`]; `None` is told from the target.
        target_kind: Option<String>,
        /// See [`Ref::note`].
        note: String,
        /// See [`Ref::checked_at`].
        checked_at: Option<Timestamp>,
        /// See [`Ref::state`]; `None` is unchecked.
        state: Option<String>,
    },
}

/// What an update does to one field.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Field<T> {
    /// Leaves it as it is.
    #[default]
    Leave,
    /// Takes the value away: the field becomes what it is on an item that never had one.
    Unset,
    /// Sets it.
    Set(T),
}

impl<T> Field<T> {
    /// Whether the field is to change at all.
    pub const fn is_leave(&self) -> bool {
        matches!(self, Self::Leave)
    }
}

/// What an update changes. Fields of another kind than the item's must be left.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Patch {
    /// See [`Fields::key`].
    pub key: Field<String>,
    /// See [`Fields::project`].
    pub project: Field<String>,
    /// See [`Fields::tags`]: replaces them all.
    pub tags: Field<Vec<String>>,
    /// See [`Fields::metadata`]: replaces the object.
    pub metadata: Field<String>,
    /// See [`Fields::channel`].
    pub channel: Field<String>,
    /// See [`Fields::tier`].
    pub tier: Field<String>,
    /// See [`Fields::priority`].
    pub priority: Field<i64>,
    /// See [`Fields::source`].
    pub source: Field<String>,
    /// See [`Fields::trust`].
    pub trust: Field<String>,
    /// See [`Fields::valid_from`].
    pub valid_from: Field<Timestamp>,
    /// See [`Fields::valid_until`].
    pub valid_until: Field<Timestamp>,
    /// See [`Fields::expires_at`].
    pub expires_at: Field<Timestamp>,
    /// The text of a rule or doc.
    pub text: Field<String>,
    /// See [`Rule::applies_to`].
    pub applies_to: Field<Vec<String>>,
    /// See [`Rule::modes`].
    pub modes: Field<Vec<String>>,
    /// See [`Rule::always_on`].
    pub always_on: Field<bool>,
    /// See [`Doc::path`].
    pub path: Field<String>,
    /// See [`Doc::title`].
    pub title: Field<String>,
    /// See [`Doc::media_type`].
    pub media_type: Field<String>,
    /// See [`Ref::target`].
    pub target: Field<String>,
    /// See [`Ref::target_kind`].
    pub target_kind: Field<String>,
    /// See [`Ref::note`].
    pub note: Field<String>,
    /// See [`Ref::checked_at`].
    pub checked_at: Field<Timestamp>,
    /// See [`Ref::state`].
    pub state: Field<String>,
}
