//! Reading items and the change log.

use recollect_model::{
    Call, Change, Error, Filter, Item, ItemId, Kind, Operation, Order, Page, Result, check_project, limits,
    with_ancestors,
};
use recollect_storage::rows::list::{self, Listing};
use recollect_storage::rows::{access, changes, items, projects};

use crate::cursor::Cursor;
use crate::store::Store;
use crate::update::live_item;
use crate::validate;

/// How an item is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locator {
    /// By its id.
    Id(ItemId),
    /// By its key, in a project or the nearest of its ancestors that has it.
    Key {
        /// The key.
        key: String,
        /// The project; `None` is the store's default project.
        project: Option<String>,
    },
}

/// Which page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging<'a> {
    /// The order of the list.
    pub order: Order,
    /// Whether the order is turned around.
    pub descending: bool,
    /// At most so many items.
    pub limit: usize,
    /// Where the page begins; the first page has none.
    pub cursor: Option<&'a str>,
}

impl Store {
    /// Reads one live item. `kind` may be left open only where the locator is an id.
    ///
    /// # Errors
    ///
    /// `NotFound`; `InvalidInput` for a malformed key or project.
    pub fn get(&self, kind: Option<Kind>, locator: &Locator, call: &Call) -> Result<Item> {
        match (locator, kind) {
            (Locator::Id(id), _) => {
                let snapshot = self.database.read(call)?;
                Ok(live_item(&snapshot, kind, *id)?.item)
            }
            (Locator::Key { key, project }, Some(kind)) => {
                validate::key(key)?;
                let project = project.as_deref().unwrap_or(&self.default_project);
                check_project(project)?;
                let snapshot = self.database.read(call)?;
                for path in with_ancestors(project) {
                    let Some(id) = projects::find(&snapshot, path)? else { continue };
                    if let Some(stored) = items::by_key(&snapshot, kind, id, key)? {
                        return Ok(stored.item);
                    }
                }
                Err(Error::not_found(format!("there is no {kind} with the key {key:?} in {project:?} or above it")))
            }
            (Locator::Key { .. }, None) => Err(Error::invalid("a key names an item only together with its kind")),
        }
    }

    /// One page of the items of a kind.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a malformed filter, a limit out of range, or a cursor of another list or store.
    pub fn list(&self, kind: Kind, filter: &Filter, paging: &Paging<'_>, call: &Call) -> Result<Page> {
        let Paging { order, descending, limit, cursor } = *paging;
        check_filter(kind, filter)?;
        check_limit("limit", limit, limits::PAGE)?;
        let after = cursor.map(|cursor| Cursor::decode(cursor, &self.uuid, kind, order, descending)).transpose()?;
        let deleted_since = self.now().plus_micros(-self.settings.undo_window_micros);
        let snapshot = self.database.read(call)?;
        let listing = Listing { kind, filter, order, descending, limit, after, deleted_since };
        let (found, has_more) = list::page(&snapshot, &listing)?;
        let next_cursor = found
            .last()
            .filter(|_| has_more)
            .map(|last| Cursor::behind(last, order).encode(&self.uuid, kind, order, descending));
        Ok(Page { items: found.into_iter().map(|stored| stored.item).collect(), next_cursor })
    }

    /// How many items of a kind match.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a malformed filter.
    pub fn count(&self, kind: Kind, filter: &Filter, call: &Call) -> Result<u64> {
        check_filter(kind, filter)?;
        let deleted_since = self.now().plus_micros(-self.settings.undo_window_micros);
        list::count(&*self.database.read(call)?, kind, filter, deleted_since)
    }

    /// The entries of the change log after a commit: `limit` of them, and what else belongs to the last commit among
    /// them, so that no commit is ever split.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a limit out of range.
    pub fn changes(&self, since: u64, limit: usize, call: &Call) -> Result<Vec<Change>> {
        check_limit("limit", limit, limits::PAGE)?;
        // No commit can have a number that SQL cannot hold.
        let since = since.min(i64::MAX.unsigned_abs());
        changes::since(&*self.database.read(call)?, since, limit)
    }

    /// The names of the tiers, lowest first.
    ///
    /// # Errors
    ///
    /// Whatever reading fails with.
    pub fn tiers(&self, call: &Call) -> Result<Vec<String>> {
        access::tiers(&*self.database.read(call)?)
    }

    /// The names of the channels.
    ///
    /// # Errors
    ///
    /// Whatever reading fails with.
    pub fn channels(&self, call: &Call) -> Result<Vec<String>> {
        access::channels(&*self.database.read(call)?)
    }

    /// Makes a channel; false if it was there.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a malformed name.
    pub fn create_channel(&self, name: &str, call: &Call) -> Result<bool> {
        validate::name("channel", name)?;
        self.commit(call, |commit| {
            let is_new = access::create_channel(commit.transaction, name)?;
            if is_new {
                commit.log(None, None, Operation::Created);
            }
            Ok(is_new)
        })
    }
}

/// Checks a number of answers asked for.
pub(crate) fn check_limit(name: &str, value: usize, most: usize) -> Result<()> {
    if (1..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::invalid(format!("{name} is {value}; it must be from 1 to {most}")))
}

/// Checks what a filter asks.
pub(crate) fn check_filter(kind: Kind, filter: &Filter) -> Result<()> {
    for tag in &filter.tags {
        validate::line("tag", tag, limits::TAG)?;
    }
    for (what, value, limit) in [
        ("channel", &filter.channel, limits::NAME),
        ("tier", &filter.tier, limits::NAME),
        ("key prefix", &filter.key_prefix, limits::KEY),
        ("source", &filter.source, limits::SOURCE),
        ("path prefix", &filter.path_prefix, limits::PATH),
    ] {
        if let Some(value) = value {
            validate::text(what, value, limit)?;
        }
    }
    if filter.always_on.is_some() && kind != Kind::Rule {
        return Err(Error::invalid(format!("always_on is asked of rules, not of a {kind}")));
    }
    if filter.path_prefix.is_some() && kind == Kind::Rule {
        return Err(Error::invalid("path_prefix is asked of docs and refs: a rule has no path"));
    }
    Ok(())
}
