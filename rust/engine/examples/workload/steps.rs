//! The steps and how each is done.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use recollect_engine::{Durability, OpenMode, OpenOptions, Paging, Store, StoreOptions, Vectors};
use recollect_model::{
    Call, Clock, Content, Draft, DraftContent, DraftFields, Error, ErrorCode, Field, Filter, Item, Kind, Order, Patch,
    Query, Result, Subject, Timestamp,
};

use super::chance::Chance;
use super::embedder::{ByteEmbedder, DIMENSION};

const DAY: i64 = 86_400_000_000;

/// One thing that is done to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Adds one item.
    Add,
    /// Adds that many docs in one commit.
    AddMany(u64),
    /// Replaces a text.
    Update,
    /// Brings an older version back.
    Revert,
    /// Deletes an item.
    Delete,
    /// Brings a deleted one back.
    Restore,
    /// Deletes the items of one tag.
    DeleteMany,
    /// Gives chunks other vectors.
    PutEmbeddings,
    /// Removes an item for good, with its traces.
    Purge,
    /// Moves the clock beyond the undo window, and removes what is due.
    Sweep,
    /// Searches, which writes nothing.
    Search,
    /// Renames a project.
    RenameProject,
    /// Copies the log into the file and cuts it.
    Checkpoint,
    /// Closes the store, and opens it again.
    Reopen,
}

/// A sequence that has every kind of step: `rounds` times some additions and one step of each other kind, in an order
/// given by the seed.
pub fn chosen_steps(seed: u64, rounds: usize) -> Vec<Step> {
    let mut chance = Chance::new(seed);
    let mut steps = Vec::new();
    for _ in 0..rounds {
        let mut round = vec![
            Step::Add,
            Step::Add,
            Step::Update,
            Step::Update,
            Step::Revert,
            Step::Delete,
            Step::Restore,
            Step::Delete,
            Step::PutEmbeddings,
            Step::Purge,
            Step::DeleteMany,
            Step::Sweep,
            Step::Search,
            Step::RenameProject,
            Step::Checkpoint,
            Step::Reopen,
        ];
        steps.extend([Step::Add, Step::AddMany(2 + chance.below(20))]);
        while !round.is_empty() {
            let place = usize::try_from(chance.below(round.len() as u64)).unwrap_or(0);
            steps.push(round.swap_remove(place));
        }
    }
    steps
}

/// A clock that moves only when it is told to.
pub struct StepClock(AtomicI64);

impl Clock for StepClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// One user of a store.
pub struct Session {
    path: PathBuf,
    durability: Durability,
    /// Frames in the log at which the checkpointer is woken.
    checkpoint_frames: u64,
    clock: Arc<StepClock>,
    chance: Chance,
    store: Option<Store>,
    made: u64,
    /// Words that stood in items which are purged, and nowhere else.
    pub purged: Vec<String>,
}

impl Session {
    pub fn new(path: &Path, durability: Durability, checkpoint_frames: u64, seed: u64) -> Self {
        Self {
            path: path.to_owned(),
            durability,
            checkpoint_frames,
            clock: Arc::new(StepClock(AtomicI64::new(1_700_000_000_000_000))),
            chance: Chance::new(seed),
            store: None,
            made: 0,
            purged: Vec::new(),
        }
    }

    pub fn open(&mut self) -> Result<()> {
        let database = OpenOptions {
            mode: OpenMode::ReadWrite { create: true },
            durability: self.durability,
            checkpoint_frames: self.checkpoint_frames,
            readers: 2,
            // Small, so that reads go to the disk.
            cache_kib: 64,
            ..OpenOptions::file(&self.path)
        };
        let options = StoreOptions {
            embedder: Some(Arc::new(ByteEmbedder::new())),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            sweep: false,
            ..StoreOptions::new(database)
        };
        self.store = Some(Store::open(options, &call())?);
        Ok(())
    }

    pub fn close(&mut self) -> Result<()> {
        match self.store.take() {
            Some(store) => store.close(&call()),
            None => Ok(()),
        }
    }

    pub const fn is_open(&self) -> bool {
        self.store.is_some()
    }

    pub fn store(&self) -> Result<&Store> {
        self.store.as_ref().ok_or_else(|| Error::closed("the store is closed"))
    }

    /// Does a step. Where there is nothing to do it to, an item is added instead.
    pub fn perform(&mut self, step: Step) -> Result<()> {
        self.clock.0.fetch_add(1_000_000, Ordering::SeqCst);
        match step {
            Step::Add => self.add(1),
            Step::AddMany(count) => self.add(count),
            Step::Update => self.update(),
            Step::Revert => self.revert(),
            Step::Delete => match self.pick(false)? {
                Some(item) => self.store()?.delete(item.kind(), item.id, Some(item.version), &call()).map(drop),
                None => self.add(1),
            },
            Step::Restore => match self.pick(true)? {
                Some(item) => match self.store()?.restore(item.kind(), item.id, &call()) {
                    // Another item has its key now.
                    Err(error) if error.code() == ErrorCode::AlreadyExists => Ok(()),
                    restored => restored.map(drop),
                },
                None => self.add(1),
            },
            Step::DeleteMany => {
                let filter = Filter { tags: vec![format!("t{}", self.chance.below(6))], ..Filter::default() };
                self.store()?.delete_many(Kind::Doc, &filter, None, false, &call()).map(drop)
            }
            Step::PutEmbeddings => self.put_embeddings(),
            Step::Purge => {
                let is_deleted = self.chance.below(3) == 0;
                match self.pick(is_deleted)? {
                    Some(item) => {
                        self.store()?.purge(item.kind(), &[item.id], &call())?;
                        self.purged.extend(word_of(&item));
                        Ok(())
                    }
                    None => self.add(1),
                }
            }
            Step::Sweep => {
                self.clock.0.fetch_add(31 * DAY, Ordering::SeqCst);
                self.store()?.sweep(&call()).map(drop)
            }
            Step::Search => {
                let query = Query {
                    subject: Subject::Text("disk".to_owned()),
                    kinds: Vec::new(),
                    scope: None,
                    tags: Vec::new(),
                    k: 5,
                };
                match self.store()?.search(&query, &call()) {
                    // Nothing has a vector yet.
                    Err(error) if [ErrorCode::Conflict, ErrorCode::Unsupported].contains(&error.code()) => Ok(()),
                    answer => answer.map(drop),
                }
            }
            Step::RenameProject => {
                let name = format!("p{}", self.chance.next());
                match self.store()?.projects(&call())?.into_iter().find(|project| !project.path.is_empty()) {
                    Some(project) => self.store()?.rename_project(&project.path, &name, &call()).map(drop),
                    None => self.add(1),
                }
            }
            Step::Checkpoint => self.store()?.checkpoint(&call()).map(drop),
            Step::Reopen => {
                self.close()?;
                self.open()
            }
        }
    }

    fn text(&mut self) -> String {
        let lines = 1 + self.chance.below(60);
        let mut text = format!("# Item {}\n\n", self.made);
        for line in 0..lines {
            // Writing to a string cannot fail.
            let _written = writeln!(text, "Line {line} says {:x} of the disk.", self.chance.next());
        }
        text
    }

    fn add(&mut self, count: u64) -> Result<()> {
        let mut drafts = Vec::new();
        let kind = if count > 1 { Kind::Doc } else { *self.chance.pick(Kind::ALL).unwrap_or(&Kind::Doc) };
        for _ in 0..count {
            self.made += 1;
            let text = self.text();
            let content = match kind {
                Kind::Rule => DraftContent::Rule { text, applies_to: Vec::new(), modes: Vec::new(), always_on: false },
                Kind::Doc => DraftContent::Doc {
                    text,
                    path: Some(format!("doc/{}.md", self.made)),
                    title: None,
                    media_type: None,
                },
                Kind::Ref => DraftContent::Ref {
                    target: format!("https://example.org/{}", self.made),
                    target_kind: None,
                    note: text,
                    checked_at: None,
                    state: None,
                },
            };
            let expires = self.chance.below(8) == 0;
            let fields = DraftFields {
                key: Some(format!("key-{}-{:x}", self.made, self.chance.next())),
                project: (self.chance.below(3) == 0).then(|| "acme".to_owned()),
                tags: vec![format!("t{}", self.chance.below(6))],
                expires_at: expires.then(|| Timestamp(self.clock.now().0 + DAY)),
                ..DraftFields::default()
            };
            drafts.push(Draft { fields, content });
        }
        self.store()?.add(kind, drafts, None, &call()).map(drop)
    }

    fn update(&mut self) -> Result<()> {
        let Some(item) = self.pick(false)? else { return self.add(1) };
        let patch = if item.kind() == Kind::Ref {
            Patch { note: Field::Set(self.text()), ..Patch::default() }
        } else {
            Patch { text: Field::Set(self.text()), ..Patch::default() }
        };
        self.store()?.update(item.kind(), item.id, &patch, Some(item.version), None, &call()).map(drop)
    }

    fn revert(&mut self) -> Result<()> {
        let Some(item) = self.pick(false)? else { return self.add(1) };
        match self.store()?.revert(item.kind(), item.id, 1, Some(item.version), &call()) {
            // There is nothing to go back to, or its key is taken.
            Err(error) if [ErrorCode::Conflict, ErrorCode::AlreadyExists].contains(&error.code()) => Ok(()),
            reverted => reverted.map(drop),
        }
    }

    fn put_embeddings(&mut self) -> Result<()> {
        let Some(item) = self.pick(false)? else { return self.add(1) };
        let store = self.store()?;
        let chunks = store.embeddings(&[item.id], &call())?.chunks;
        let values = vec![0.5; chunks.len() * DIMENSION];
        store.put_embeddings(&chunks, &Vectors { values, dimension: DIMENSION }, &call()).map(drop)
    }

    /// Any item, living or deleted.
    fn pick(&mut self, is_deleted: bool) -> Result<Option<Item>> {
        let kind = *self.chance.pick(Kind::ALL).unwrap_or(&Kind::Doc);
        let filter = Filter { deleted: is_deleted, ..Filter::default() };
        let paging = Paging { order: Order::Created, descending: false, limit: 200, cursor: None };
        let items = self.store()?.list(kind, &filter, &paging, &call())?.items;
        Ok(self.chance.pick(&items).cloned())
    }
}

/// A word that no other item has: a number of 64 bits drawn for it.
fn word_of(item: &Item) -> Option<String> {
    let text = match &item.content {
        Content::Rule(rule) => &rule.text,
        Content::Doc(doc) => &doc.text,
        Content::Ref(reference) => &reference.note,
    };
    let word = text.split(" says ").nth(1)?.split(' ').next()?;
    (word.len() > 8).then(|| word.to_owned())
}

/// No call of a program that must come to an end may take for ever.
pub fn call() -> Call {
    Call::unlimited().with_timeout(std::time::Duration::from_secs(20))
}
