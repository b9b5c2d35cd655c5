//! What the calls of a session promised, item by item, and how a store compares with it.

use std::collections::BTreeMap;
use std::fmt::Write;

use recollect_engine::Store;
use recollect_model::{Call, Content, Error, Item, ItemId, Kind, Result};

/// What is promised of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub kind: Kind,
    /// None until a call has named it.
    pub id: Option<ItemId>,
    /// The digest of the text of each version; there are as many as the item has versions.
    pub texts: Vec<String>,
    /// In microseconds since 1970; 0 for a live item.
    pub deleted_at: i64,
    /// In microseconds since 1970; 0 for never.
    pub expires_at: i64,
    pub project: String,
    pub tags: Vec<String>,
    /// Whether all of its vectors are those of `put_embeddings`; not compared while it is deleted.
    pub is_marked: bool,
    /// Words that stand in this item alone: in every version of its text, its title, its key and its tags.
    pub words: Vec<String>,
}

/// All items by their keys, which no other item ever has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger(pub BTreeMap<String, Entry>);

impl Ledger {
    /// Reads what a store holds, deleted items too, at one moment. The words are not told from it.
    pub fn of_store(store: &Store) -> Result<Self> {
        loop {
            // A sweeper may commit between two reads, each of which sees a moment of its own.
            let before = store.seq(&Call::unlimited())?;
            let found = Self::read(store);
            if store.seq(&Call::unlimited())? == before {
                return found;
            }
        }
    }

    fn read(store: &Store) -> Result<Self> {
        let call = Call::unlimited();
        let snapshot = store.database().read(&call)?;
        let found = snapshot.query("SELECT uid, kind FROM items ORDER BY id", &[], |row| {
            Ok((ItemId::from_bytes(&row.bytes::<16>(0)?)?, row.integer(1)?))
        })?;
        drop(snapshot);
        let mut ledger = Self::default();
        for (id, number) in found {
            let mut history = Vec::new();
            for kind in Kind::ALL {
                if let Ok(versions) = store.history(*kind, id, &call) {
                    history = versions;
                }
            }
            let (Some(last), texts) = (history.last(), history.iter().map(|version| digest(&version.item)).collect())
            else {
                return Err(Error::corrupt(format!("the item {id} of kind {number} has no history")));
            };
            let item = &last.item;
            let key = item.fields.key.clone().ok_or_else(|| Error::corrupt(format!("the item {id} has no key")))?;
            let is_marked = item.deleted_at.is_none() && is_marked(store, id)?;
            let mut tags = item.fields.tags.clone();
            tags.sort();
            let entry = Entry {
                kind: item.kind(),
                id: Some(id),
                texts,
                deleted_at: item.deleted_at.map_or(0, |at| at.0),
                expires_at: item.fields.expires_at.map_or(0, |at| at.0),
                project: item.fields.project.clone(),
                tags,
                is_marked,
                words: Vec::new(),
            };
            if usize::try_from(item.version) != Ok(entry.texts.len()) || ledger.0.insert(key, entry).is_some() {
                return Err(Error::corrupt(format!("the item {id} has other versions or another key than it should")));
            }
        }
        Ok(ledger)
    }

    /// The first difference of what was found, in words; none if it holds exactly what is promised here.
    pub fn difference(&self, found: &Self) -> Option<String> {
        for (key, promised) in &self.0 {
            let Some(there) = found.0.get(key) else { return Some(format!("{key} is missing")) };
            if let Some(what) = promised.difference(there) {
                return Some(format!("{key} has another {what}"));
            }
        }
        found.0.keys().find(|key| !self.0.contains_key(*key)).map(|key| format!("{key} should not be there"))
    }

    /// What a store holds that was removing items and has come so far as is found; none if that is not what it did. A
    /// sweep is more than one commit where much is due or the machine is slow.
    pub fn on_the_way_to(&self, after: &Self, found: &Self) -> Option<Self> {
        let is_kept = |key: &String| after.0.contains_key(key) || found.0.contains_key(key);
        let kept = self.0.iter().filter(|(key, _)| is_kept(key));
        let between = Self(kept.map(|(key, entry)| (key.clone(), entry.clone())).collect());
        between.difference(found).is_none().then_some(between)
    }

    /// Takes the ids of items over that were promised without one.
    pub fn name(&mut self, found: &Self) {
        for (key, entry) in &mut self.0 {
            if entry.id.is_none() {
                entry.id = found.0.get(key).and_then(|there| there.id);
            }
        }
    }

    /// Leaves out what a sweeper may remove at a moment.
    pub fn without_due(&self, now: i64, undo_window: i64) -> Self {
        let is_kept = |entry: &Entry| !entry.is_due(now, undo_window);
        Self(
            self.0
                .iter()
                .filter(|(_, entry)| is_kept(entry))
                .map(|(key, entry)| (key.clone(), entry.clone()))
                .collect(),
        )
    }

    /// One line for each item.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (key, entry) in &self.0 {
            let id = entry.id.map(|id| id.to_string()).unwrap_or_default();
            let Entry { kind, texts, deleted_at, expires_at, project, tags, is_marked, words, id: _ } = entry;
            let (texts, tags, words) = (texts.join(","), tags.join(","), words.join(","));
            // Writing to a string cannot fail.
            let _written = writeln!(
                text,
                "{key}|{kind}|{id}|{texts}|{deleted_at}|{expires_at}|{project}|{tags}|{is_marked}|{words}"
            );
        }
        text
    }

    /// What [`Self::to_text`] wrote.
    pub fn from_text(text: &str) -> Result<Self> {
        let mut ledger = Self::default();
        for line in text.lines() {
            let parts: Vec<&str> = line.split('|').collect();
            let &[key, kind, id, texts, deleted_at, expires_at, project, tags, is_marked, words] = parts.as_slice()
            else {
                return Err(Error::invalid(format!("{line:?} is no line of a ledger")));
            };
            let list = |text: &str| text.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect();
            let entry = Entry {
                kind: *Kind::ALL
                    .iter()
                    .find(|known| known.to_string() == kind)
                    .ok_or_else(|| Error::invalid(format!("{kind} is no kind")))?,
                id: if id.is_empty() { None } else { Some(id.parse()?) },
                texts: list(texts),
                deleted_at: deleted_at.parse().unwrap_or(-1),
                expires_at: expires_at.parse().unwrap_or(-1),
                project: project.to_owned(),
                tags: list(tags),
                is_marked: is_marked == "true",
                words: list(words),
            };
            ledger.0.insert(key.to_owned(), entry);
        }
        Ok(ledger)
    }
}

impl Entry {
    pub const fn is_live(&self) -> bool {
        self.deleted_at == 0
    }

    /// Whether a sweep removes it.
    pub const fn is_due(&self, now: i64, undo_window: i64) -> bool {
        (self.expires_at != 0 && self.expires_at <= now) || (!self.is_live() && self.deleted_at <= now - undo_window)
    }

    fn difference(&self, there: &Self) -> Option<&'static str> {
        let differences = [
            ("kind", self.kind != there.kind),
            ("id", self.id.is_some() && self.id != there.id),
            ("text or version", self.texts != there.texts),
            ("time of deletion", self.deleted_at != there.deleted_at),
            ("expiry", self.expires_at != there.expires_at),
            ("project", self.project != there.project),
            ("set of tags", self.tags != there.tags),
            ("vector", self.is_live() && self.is_marked != there.is_marked),
        ];
        differences.into_iter().find(|(_, is_other)| *is_other).map(|(what, _)| what)
    }
}

/// The text of an item.
pub fn text_of(item: &Item) -> &str {
    match &item.content {
        Content::Rule(rule) => &rule.text,
        Content::Doc(doc) => &doc.text,
        Content::Ref(reference) => &reference.note,
    }
}

/// A short digest of a text.
pub fn digest_of(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().chars().take(16).collect()
}

fn digest(item: &Item) -> String {
    digest_of(text_of(item))
}

/// Whether every living chunk has a vector, and each is one of equal components. One that is missing is damage.
fn is_marked(store: &Store, id: ItemId) -> Result<bool> {
    let call = Call::unlimited();
    let found = store.embeddings(&[id], &call)?;
    let living = store
        .database()
        .read(&call)?
        .query_one(
            "SELECT count(*) FROM chunks JOIN items ON items.id = chunks.item WHERE uid = ?1 AND died IS NULL",
            &[recollect_storage::Value::Blob(id.as_bytes().to_vec())],
            |row| row.size(0),
        )?
        .unwrap_or(0);
    if living != found.chunks.len() {
        return Err(Error::corrupt(format!("{id}: {} vectors of {living} chunks", found.chunks.len())));
    }
    let is_level = |row: &[f32]| row.windows(2).all(|pair| matches!(pair, [a, b] if (a - b).abs() < 1e-6));
    Ok(!found.vectors.is_empty() && found.vectors.chunks_exact(found.dimension.max(1)).all(is_level))
}
