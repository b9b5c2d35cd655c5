//! How each step is done, what it is to change, and whether the call answered with that.

use std::collections::HashSet;
use std::fmt::Write;
use std::time::Duration;

use recollect_engine::{Paging, Vectors};
use recollect_model::{
    Call, Draft, DraftContent, DraftFields, ErrorCode, Field, Filter, Item, ItemId, Kind, Order, Patch, Query, Result,
    Subject, Timestamp,
};

use super::embedder::DIMENSION;
use super::ledger::{Entry, Ledger, digest_of, text_of};
use super::session::{DAY, Session, UNDO_WINDOW, call};
use super::steps::Step;

/// What is known of a step that went well.
#[derive(Debug, Default, Clone)]
pub struct Done {
    /// Whether it must have made a commit.
    pub must_commit: bool,
    /// Whether everything that was acknowledged must be on the disk now, however durable commits are.
    pub is_flushed: bool,
    /// What its answer said that it should not have said.
    pub problem: Option<String>,
}

impl Done {
    fn committed(is_as_told: bool, what: impl FnOnce() -> String) -> Self {
        Self { must_commit: true, is_flushed: false, problem: (!is_as_told).then(what) }
    }

    const fn nothing() -> Self {
        Self { must_commit: false, is_flushed: false, problem: None }
    }
}

impl Session {
    /// Does a step. Where there is nothing to do it to, an item is added instead. If it went well, the ledger holds
    /// what it promised; if not, `intended` tells what it would have.
    pub fn perform(&mut self, step: Step) -> Result<Done> {
        self.wait(1_000_000);
        self.intended = None;
        let done = match self.attempt(step) {
            Err(_) if self.lies > 0 && self.intended.is_some() => {
                self.lies -= 1;
                Done::committed(true, String::new)
            }
            outcome => outcome?,
        };
        if let Some(intended) = self.intended.clone() {
            for (key, entry) in &self.ledger.0 {
                if step == Step::Purge && !intended.0.contains_key(key) {
                    self.purged.extend(entry.words.iter().cloned());
                }
            }
            self.ledger = intended;
        }
        Ok(done)
    }

    fn attempt(&mut self, step: Step) -> Result<Done> {
        match step {
            Step::Add => self.add(1),
            Step::AddMany(count) => self.add(count),
            Step::Update => self.update(),
            Step::Revert => self.revert(),
            Step::Delete => self.delete(),
            Step::Restore => self.restore(),
            Step::DeleteMany => self.delete_many(),
            Step::PutEmbeddings => self.put_embeddings(),
            Step::Purge => self.purge(),
            Step::Sweep => self.sweep(),
            Step::Search => self.search(),
            Step::RenameProject => self.rename_project(),
            Step::Checkpoint => {
                let done = self.store()?.checkpoint(&call())?;
                Ok(Done { is_flushed: !done.busy && done.log_frames == 0, ..Done::nothing() })
            }
            Step::Reopen => {
                self.close()?;
                self.open()?;
                Ok(Done { is_flushed: true, ..Done::nothing() })
            }
        }
    }

    /// Notes what the call that follows is to do to an item.
    fn intend(&mut self, key: &str, change: impl FnOnce(&mut Entry)) {
        let mut after = self.ledger.clone();
        if let Some(entry) = after.0.get_mut(key) {
            change(entry);
        }
        self.intended = Some(after);
    }

    /// Whether an item is now as it was to be, as far as its answer tells.
    fn is_intended(&self, item: &Item) -> bool {
        let entry = self.intended.as_ref().and_then(|after| after.0.get(key_of(item)));
        entry.is_some_and(|entry| {
            entry.id == Some(item.id)
                && usize::try_from(item.version) == Ok(entry.texts.len())
                && entry.texts.last() == Some(&digest_of(text_of(item)))
                && entry.deleted_at == item.deleted_at.map_or(0, |at| at.0)
        })
    }

    fn text(&mut self) -> (String, String) {
        let lines = 1 + self.chance.below(60);
        let mut text = format!("# Item {}\n\n", self.made);
        let word = self.word();
        for line in 0..lines {
            let other = self.word();
            let word = if line == 0 { &word } else { &other };
            // Writing to a string cannot fail.
            let _written = writeln!(text, "Line {line} says {word} of the disk.");
        }
        (text, word)
    }

    /// A word that stands nowhere else: a number of 64 bits.
    fn word(&mut self) -> String {
        format!("{:016x}", self.chance.next())
    }

    fn add(&mut self, count: u64) -> Result<Done> {
        let mut drafts = Vec::new();
        let mut after = self.ledger.clone();
        let mut keys = Vec::new();
        let kind = if count > 1 { Kind::Doc } else { *self.chance.pick(Kind::ALL).unwrap_or(&Kind::Doc) };
        for _ in 0..count {
            self.made += 1;
            let (text, word) = self.text();
            let (title, tag, own) = (self.word(), self.word(), self.word());
            let key = format!("key-{}-{own}", self.made);
            let project = if self.chance.below(3) == 0 { "acme" } else { "" };
            let mut tags = vec![format!("t{}", self.chance.below(6)), format!("own-{tag}")];
            tags.sort();
            let expires_at = if self.chance.below(8) == 0 { self.now() + DAY } else { 0 };
            let entry = Entry {
                kind,
                id: None,
                texts: vec![digest_of(&text)],
                deleted_at: 0,
                expires_at,
                project: project.to_owned(),
                tags: tags.clone(),
                is_marked: false,
                words: vec![word, title.clone(), tag, key.clone()],
            };
            let fields = DraftFields {
                key: Some(key.clone()),
                project: Some(project.to_owned()),
                tags,
                expires_at: (expires_at != 0).then_some(Timestamp(expires_at)),
                ..DraftFields::default()
            };
            after.0.insert(key.clone(), entry);
            keys.push(key);
            drafts.push(Draft { fields, content: content(kind, text, title, self.made) });
        }
        self.intended = Some(after);
        let added = self.store()?.add(kind, drafts, None, &call())?;
        let is_as_told = added.len() == keys.len()
            && keys.iter().zip(&added).all(|(key, added)| {
                added.created && added.version == 1 && added.key.as_deref().is_none_or(|named| named == key)
            });
        if let Some(after) = &mut self.intended {
            for (key, added) in keys.iter().zip(&added) {
                if let Some(entry) = after.0.get_mut(key) {
                    entry.id = Some(added.id);
                }
            }
        }
        Ok(Done::committed(is_as_told, || format!("adding {keys:?} answers {added:?}")))
    }

    fn update(&mut self) -> Result<Done> {
        let Some(item) = self.pick(false)? else { return self.add(1) };
        let (text, word) = self.text();
        self.intend(key_of(&item), |entry| {
            entry.texts.push(digest_of(&text));
            entry.words.push(word);
            entry.is_marked = false;
        });
        let patch = if item.kind() == Kind::Ref {
            Patch { note: Field::Set(text), ..Patch::default() }
        } else {
            Patch { text: Field::Set(text), ..Patch::default() }
        };
        let call = if self.is_refusing { Call::unlimited().with_timeout(Duration::ZERO) } else { call() };
        let answer = self.store()?.update(item.kind(), item.id, &patch, Some(item.version), None, &call)?;
        Ok(Done::committed(self.is_intended(&answer), || format!("updating answers {answer:?}")))
    }

    fn revert(&mut self) -> Result<Done> {
        let Some(item) = self.pick(false)? else { return self.add(1) };
        self.intend(key_of(&item), |entry| {
            let Some(first) = entry.texts.first().cloned() else { return };
            // The same text keeps its chunks, and they their vectors.
            entry.is_marked &= entry.texts.last() == Some(&first);
            entry.texts.push(first);
        });
        let answer = self.store()?.revert(item.kind(), item.id, 1, Some(item.version), &call())?;
        Ok(Done::committed(self.is_intended(&answer), || format!("reverting answers {answer:?}")))
    }

    fn delete(&mut self) -> Result<Done> {
        let Some(item) = self.pick(false)? else { return self.add(1) };
        let now = self.now();
        self.intend(key_of(&item), |entry| entry.delete(now));
        // What expires earlier can be restored no longer than that.
        let expires_at = item.fields.expires_at.map_or(i64::MAX, |at| at.0);
        let answer = self.store()?.delete(item.kind(), item.id, Some(item.version), &call())?;
        let is_as_told = answer.id == item.id
            && answer.version == item.version + 1
            && answer.undo_until.0 == expires_at.min(now + UNDO_WINDOW);
        Ok(Done::committed(is_as_told, || format!("deleting answers {answer:?}")))
    }

    fn restore(&mut self) -> Result<Done> {
        let Some(item) = self.pick(true)? else { return self.add(1) };
        if item.fields.expires_at.is_some_and(|at| at.0 <= self.now()) {
            return match self.store()?.restore(item.kind(), item.id, &call()) {
                Err(error) if error.code() == ErrorCode::Conflict => Ok(Done::nothing()),
                Err(error) => Err(error),
                Ok(answer) => Ok(Done::committed(false, || format!("restoring what has expired answers {answer:?}"))),
            };
        }
        self.intend(key_of(&item), |entry| {
            entry.deleted_at = 0;
            entry.repeat();
        });
        let answer = self.store()?.restore(item.kind(), item.id, &call())?;
        Ok(Done::committed(self.is_intended(&answer), || format!("restoring answers {answer:?}")))
    }

    fn delete_many(&mut self) -> Result<Done> {
        let tag = format!("t{}", self.chance.below(6));
        let now = self.now();
        let mut after = self.ledger.clone();
        let (mut wanted, mut certain) = (HashSet::new(), HashSet::new());
        for entry in after.0.values_mut() {
            if entry.kind == Kind::Doc && entry.is_live() && entry.tags.contains(&tag) {
                wanted.extend(entry.id);
                if self.sweeper.is_none() || !entry.is_due(now, UNDO_WINDOW) {
                    certain.extend(entry.id);
                }
                entry.delete(now);
            }
        }
        self.intended = Some(after);
        let filter = Filter { tags: vec![tag], ..Filter::default() };
        let answer = self.store()?.delete_many(Kind::Doc, &filter, None, false, &call())?;
        let answered: HashSet<ItemId> = answer.ids.iter().copied().collect();
        // What is due the background sweeper may have removed before.
        let is_certain = answered.is_subset(&wanted) && answered.is_superset(&certain);
        let is_as_told = answered.len() == answer.ids.len() && is_certain;
        let done = Done::committed(is_as_told, || format!("deleting {wanted:?} answers {answer:?}"));
        Ok(Done { must_commit: !certain.is_empty(), ..done })
    }

    fn put_embeddings(&mut self) -> Result<Done> {
        let Some(item) = self.pick(false)? else { return self.add(1) };
        let chunks = self.store()?.embeddings(&[item.id], &call())?.chunks;
        self.intend(key_of(&item), |entry| entry.is_marked = true);
        let values = vec![0.5; chunks.len() * DIMENSION];
        let vectors = Vectors { values, dimension: DIMENSION };
        let count = self.store()?.put_embeddings(&chunks, &vectors, &call())?;
        Ok(Done::committed(count == chunks.len(), || format!("{count} of {} vectors were written", chunks.len())))
    }

    fn purge(&mut self) -> Result<Done> {
        let is_deleted = self.chance.below(3) == 0;
        let Some(item) = self.pick(is_deleted)? else { return self.add(1) };
        let mut after = self.ledger.clone();
        let entry = after.0.remove(key_of(&item));
        self.intended = Some(after);
        let answer = self.store()?.purge(item.kind(), &[item.id], &call())?;
        let is_as_told = answer.len() == 1
            && answer.iter().all(|purged| {
                let count = usize::try_from(purged.versions).ok();
                purged.id == item.id && count == entry.as_ref().map(|entry| entry.texts.len()) && purged.chunks > 0
            });
        let done = Done::committed(is_as_told, || format!("purging {entry:?} answers {answer:?}"));
        Ok(Done { is_flushed: true, ..done })
    }

    fn sweep(&mut self) -> Result<Done> {
        self.wait(31 * DAY);
        let after = self.ledger.without_due(self.now(), UNDO_WINDOW);
        let due = self.ledger.0.len() - after.0.len();
        self.intended = Some(after);
        let answer = self.store()?.sweep(&call())?;
        // The background sweeper may have been faster.
        let is_alone = self.sweeper.is_none();
        let removed = usize::try_from(answer.expired + answer.deleted).unwrap_or(usize::MAX);
        let is_as_told = if is_alone { removed == due } else { removed <= due };
        let done = Done::committed(is_as_told, || format!("sweeping {due} items answers {answer:?}"));
        Ok(Done { must_commit: is_alone && due > 0, ..done })
    }

    fn search(&self) -> Result<Done> {
        let query =
            Query { subject: Subject::Text("disk".to_owned()), kinds: Vec::new(), scope: None, tags: Vec::new(), k: 5 };
        match self.store()?.search(&query, &call()) {
            // Nothing has a vector yet.
            Err(error) if [ErrorCode::Conflict, ErrorCode::Unsupported].contains(&error.code()) => Ok(Done::nothing()),
            answer => answer.map(|_| Done::nothing()),
        }
    }

    fn rename_project(&mut self) -> Result<Done> {
        let name = format!("p{}", self.chance.next());
        let found = self.store()?.projects(&call())?.into_iter().find(|project| !project.path.is_empty());
        let Some(project) = found else { return self.add(1) };
        let mut after = self.ledger.clone();
        for entry in after.0.values_mut().filter(|entry| entry.project == project.path) {
            entry.project.clone_from(&name);
        }
        self.intended = Some(after);
        let answer = self.store()?.rename_project(&project.path, &name, &call())?;
        Ok(Done::committed(answer == name, || format!("renaming to {name} answers {answer}")))
    }

    /// Any item, living or deleted.
    fn pick(&mut self, is_deleted: bool) -> Result<Option<Item>> {
        let kind = *self.chance.pick(Kind::ALL).unwrap_or(&Kind::Doc);
        let filter = Filter { deleted: is_deleted, ..Filter::default() };
        let paging = Paging { order: Order::Created, descending: false, limit: 200, cursor: None };
        let mut items = self.store()?.list(kind, &filter, &paging, &call())?.items;
        if self.sweeper.is_some() {
            // One that is due may be gone before anything is done to it.
            let now = self.now();
            let is_due = |entry: &Entry| entry.is_due(now, UNDO_WINDOW);
            items.retain(|item| !self.ledger.0.get(key_of(item)).is_some_and(is_due));
        }
        Ok(self.chance.pick(&items).cloned())
    }
}

impl Entry {
    fn delete(&mut self, now: i64) {
        self.deleted_at = now;
        self.repeat();
    }

    /// Another version with the same text.
    fn repeat(&mut self) {
        self.texts.extend(self.texts.last().cloned());
    }
}

fn key_of(item: &Item) -> &str {
    item.fields.key.as_deref().unwrap_or_default()
}

fn content(kind: Kind, text: String, title: String, number: u64) -> DraftContent {
    match kind {
        Kind::Rule => DraftContent::Rule { text, applies_to: Vec::new(), modes: Vec::new(), always_on: false },
        Kind::Doc => {
            DraftContent::Doc { text, path: Some(format!("doc/{number}.md")), title: Some(title), media_type: None }
        }
        Kind::Ref => DraftContent::Ref {
            target: format!("https://example.org/{title}"),
            target_kind: None,
            note: text,
            checked_at: None,
            state: None,
        },
    }
}
