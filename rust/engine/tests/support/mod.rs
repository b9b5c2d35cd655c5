//! What the tests of this crate need: a folder with a store in it, an embedder without a model, a clock set by hand.
#![allow(dead_code, reason = "no test file uses all of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may panic"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use recollect_engine::{Durability, Embedder, Locator, OpenMode, OpenOptions, Paging, Store, StoreOptions, Vectors};
use recollect_model::{
    AddWarning, Added, Call, Clock, Draft, DraftContent, DraftFields, ErrorCode, Filter, Item, ItemId, Kind, Order,
    Patch, Query, Result, Scope, Space, Subject, Timestamp,
};
use recollect_storage::{Database, Transaction, params};

pub const DIMENSION: usize = 16;

pub fn unlimited() -> Call {
    Call::unlimited()
}

/// Counts the words of a text into sixteen places, so that texts with words in common are near each other. A text
/// without a word has the vector of zeros.
pub struct WordEmbedder {
    space: Space,
}

impl WordEmbedder {
    pub fn new() -> Self {
        Self::of(space("words", DIMENSION))
    }

    pub fn of(space: Space) -> Self {
        Self { space }
    }

    /// The vector of one text.
    pub fn vector(&self, text: &str) -> Vec<f32> {
        let mut vector = vec![0.0; self.space.dimension];
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            // FNV-1a, of which the upper half is mixed best.
            let hash = word
                .bytes()
                .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
            vector[(hash >> 32) as usize % self.space.dimension] += 1.0;
        }
        vector
    }
}

impl Embedder for WordEmbedder {
    fn space(&self) -> &Space {
        &self.space
    }

    fn embed_documents(&self, texts: &[&str], _call: &Call) -> Result<Vec<f32>> {
        Ok(texts.iter().flat_map(|text| self.vector(text)).collect())
    }

    fn embed_queries(&self, texts: &[&str], call: &Call) -> Result<Vec<f32>> {
        self.embed_documents(texts, call)
    }
}

/// Vectors of the usual dimension.
pub fn vectors(values: &[f32]) -> Vectors {
    Vectors { values: values.to_vec(), dimension: DIMENSION }
}

pub fn space(name: &str, dimension: usize) -> Space {
    Space { name: name.to_owned(), revision: String::new(), dimension, weights_hash: None }
}

/// A clock that stands still until it is moved.
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn advance_micros(&self, micros: i64) {
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

pub const START: Timestamp = Timestamp(1_700_000_000_000_000);

/// A folder that goes with its store.
pub struct Place {
    folder: tempfile::TempDir,
    pub clock: Arc<ManualClock>,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder, clock: Arc::new(ManualClock(AtomicI64::new(START.0))) }
    }

    /// A place whose store cuts texts so small that a few lines make several chunks.
    pub fn with_chunks_of(bytes: usize) -> Self {
        let place = Self::new();
        place.tamper(&format!(
            "UPDATE settings SET value = '{{\"target_bytes\": {bytes}, \"max_bytes\": {}}}' WHERE name = 'chunking'",
            2 * bytes
        ));
        place
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    /// Without an embedder. Nothing waits for the disk.
    pub fn options(&self) -> StoreOptions {
        let database = OpenOptions { durability: Durability::Normal, ..OpenOptions::file(self.path()) };
        StoreOptions { clock: Arc::clone(&self.clock) as Arc<dyn Clock>, ..StoreOptions::new(database) }
    }

    pub fn open_with(&self, change: impl FnOnce(&mut StoreOptions)) -> Result<Store> {
        let mut options = self.options();
        change(&mut options);
        Store::open(options, &unlimited())
    }

    /// A handle with the embedder of words.
    pub fn open(&self) -> Store {
        self.open_with(|options| options.embedder = Some(Arc::new(WordEmbedder::new()))).expect("the store opens")
    }

    pub fn open_without_embedder(&self) -> Store {
        self.open_with(|_| {}).expect("the store opens")
    }

    pub fn open_read_only(&self) -> Store {
        self.open_with(|options| {
            options.database.mode = OpenMode::ReadOnly;
            options.embedder = Some(Arc::new(WordEmbedder::new()));
        })
        .expect("the store opens")
    }

    /// Changes the file behind the back of the store.
    pub fn tamper(&self, sql: &str) {
        self.tamper_with(|transaction| {
            transaction.execute_dynamic(sql, params![])?;
            Ok(())
        });
    }

    pub fn tamper_with(&self, work: impl FnOnce(&Transaction<'_>) -> Result<()>) {
        let options = OpenOptions { durability: Durability::Normal, ..OpenOptions::file(self.path()) };
        let database = Database::open(options, &unlimited()).expect("the store opens");
        database.write(&unlimited(), work).expect("the file is changed");
        database.close(&unlimited()).expect("the store closes");
    }
}

pub fn rule(text: &str) -> Draft {
    let content =
        DraftContent::Rule { text: text.to_owned(), applies_to: Vec::new(), modes: Vec::new(), always_on: false };
    Draft { fields: DraftFields::default(), content }
}

pub fn doc(text: &str) -> Draft {
    let content = DraftContent::Doc { text: text.to_owned(), path: None, title: None, media_type: None };
    Draft { fields: DraftFields::default(), content }
}

pub fn reference(target: &str, note: &str) -> Draft {
    let (target, note) = (target.to_owned(), note.to_owned());
    let content = DraftContent::Ref { target, target_kind: None, note, checked_at: None, state: None };
    Draft { fields: DraftFields::default(), content }
}

/// A draft with other fields.
pub fn with(mut draft: Draft, change: impl FnOnce(&mut DraftFields)) -> Draft {
    change(&mut draft.fields);
    draft
}

pub fn keyed(draft: Draft, key: &str) -> Draft {
    with(draft, |fields| fields.key = Some(key.to_owned()))
}

pub fn in_project(draft: Draft, project: &str) -> Draft {
    with(draft, |fields| fields.project = Some(project.to_owned()))
}

pub fn kind_of(draft: &Draft) -> Kind {
    match draft.content {
        DraftContent::Rule { .. } => Kind::Rule,
        DraftContent::Doc { .. } => Kind::Doc,
        DraftContent::Ref { .. } => Kind::Ref,
    }
}

pub fn try_add(store: &Store, draft: Draft) -> Result<Added> {
    let mut added = store.add(kind_of(&draft), vec![draft], None, &unlimited())?;
    assert_eq!(added.len(), 1);
    Ok(added.remove(0))
}

pub fn add(store: &Store, draft: Draft) -> Added {
    try_add(store, draft).expect("the item is added")
}

pub fn get(store: &Store, id: ItemId) -> Item {
    store.get(None, &Locator::Id(id), &unlimited()).expect("the item is there")
}

pub fn text_of(item: &Item) -> &str {
    match &item.content {
        recollect_model::Content::Rule(rule) => &rule.text,
        recollect_model::Content::Doc(doc) => &doc.text,
        recollect_model::Content::Ref(reference) => &reference.note,
    }
}

pub fn set_text(text: &str) -> Patch {
    Patch { text: recollect_model::Field::Set(text.to_owned()), ..Patch::default() }
}

pub fn seq(store: &Store) -> u64 {
    store.seq(&unlimited()).expect("the number of the last commit")
}

/// Every live item of a kind, in the order of creation.
pub fn all(store: &Store, kind: Kind) -> Vec<Item> {
    all_of(store, kind, &Filter::default())
}

pub fn all_of(store: &Store, kind: Kind, filter: &Filter) -> Vec<Item> {
    let paging = Paging { order: Order::Created, descending: false, limit: 10_000, cursor: None };
    let page = store.list(kind, filter, &paging, &unlimited()).expect("a list");
    assert_eq!(page.next_cursor, None);
    page.items
}

/// The ids that a search for a text finds in a scope.
pub fn found(store: &Store, text: &str, scope: Scope) -> Vec<ItemId> {
    let query = Query {
        subject: Subject::Text(text.to_owned()),
        kinds: Vec::new(),
        scope: Some(scope),
        tags: Vec::new(),
        k: 10_000,
    };
    store.search(&query, &unlimited()).expect("an answer").hits.into_iter().map(|hit| hit.id).collect()
}

/// The near duplicate that a warning names.
pub fn near_duplicate_of(added: &Added) -> Option<ItemId> {
    added.warnings.iter().find_map(|warning| match warning {
        AddWarning::NearDuplicate { id, .. } => Some(*id),
        _ => None,
    })
}

/// The code of an error that must have come.
pub fn code<T>(result: Result<T>) -> ErrorCode {
    match result {
        Ok(_) => panic!("it succeeded"),
        Err(error) => error.code(),
    }
}

pub fn assert_sound(store: &Store) {
    let report = store.check(false, &unlimited()).expect("a report");
    assert_eq!(report.problems, Vec::<String>::new());
}
