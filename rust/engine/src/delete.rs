//! Deleting softly, and restoring.

use recollect_model::{Call, Deleted, DeletedMany, Error, Filter, Item, ItemId, Kind, Operation, Result, Timestamp};
use recollect_storage::Connection;
use recollect_storage::rows::items::StoredItem;
use recollect_storage::rows::{items, list};

use crate::read::check_filter;
use crate::store::Store;
use crate::update::{check_version, live_item};
use crate::write::Commit;

impl Store {
    /// Deletes an item. It can be restored until the undo window closes.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Conflict` if it has another version than expected.
    pub fn delete(&self, kind: Kind, id: ItemId, expected: Option<u32>, call: &Call) -> Result<Deleted> {
        self.commit(call, |commit| {
            let stored = live_item(commit.transaction, Some(kind), id)?;
            check_version(&stored.item, expected)?;
            self.delete_stored(commit, &stored)
        })
    }

    /// Deletes the live items of a kind that match a filter, all in one commit. They can be restored one by one until
    /// the undo window closes. A `dry_run` changes nothing, and answers what would be deleted.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a malformed filter, one that says nothing, or one for deleted items; `Conflict` if another
    /// number of items matches than expected. Nothing is deleted then.
    pub fn delete_many(
        &self,
        kind: Kind,
        filter: &Filter,
        expected: Option<u64>,
        dry_run: bool,
        call: &Call,
    ) -> Result<DeletedMany> {
        check_filter(kind, filter)?;
        check_guarded(kind, filter)?;
        let matching = |connection: &Connection| {
            let found = list::matching(connection, kind, filter, Timestamp::MIN)?;
            match expected {
                Some(expected) if expected != found.len() as u64 => Err(Error::conflict(format!(
                    "the filter matches {} items, not {expected}; nothing was deleted",
                    found.len()
                ))
                .with_hint("look at what matches with dry_run, and expect that number")),
                _ => Ok(found),
            }
        };
        let (found, now) = if dry_run {
            (matching(&*self.database.read(call)?)?, self.now())
        } else {
            self.commit(call, |commit| {
                let found = matching(commit.transaction)?;
                for (number, (row, id)) in found.iter().enumerate() {
                    if number % 64 == 0 {
                        call.check_interrupt()?;
                    }
                    let stored = items::by_row(commit.transaction, *row)?
                        .ok_or_else(|| Error::internal(format!("the item {id} vanished while it was deleted")))?;
                    self.delete_stored(commit, &stored)?;
                }
                Ok((found, commit.now))
            })?
        };
        let ids = found.into_iter().map(|(_, id)| id).collect();
        Ok(DeletedMany { ids, undo_until: now.plus_micros(self.settings.undo_window_micros), dry_run })
    }

    /// Deletes an item that was read in the same transaction.
    pub(crate) fn delete_stored(&self, commit: &mut Commit<'_>, stored: &StoredItem) -> Result<Deleted> {
        let links = items::links(commit.transaction, stored.row)?;
        let mut item = stored.item.clone();
        item.deleted_at = Some(commit.now);
        let item = commit.replace(stored, item, &links, Operation::Deleted)?;
        // What has expired cannot be restored.
        let window_end = commit.now.plus_micros(self.settings.undo_window_micros);
        let undo_until = item.fields.expires_at.map_or(window_end, |expires_at| window_end.min(expires_at));
        Ok(Deleted { id: item.id, version: item.version, undo_until })
    }

    /// Brings a deleted item back as it was.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such item; `Conflict` if it is not deleted, its undo window has closed or it has
    /// expired; `AlreadyExists` if its key was given to another item meanwhile.
    pub fn restore(&self, kind: Kind, id: ItemId, call: &Call) -> Result<Item> {
        self.commit(call, |commit| {
            let found = items::by_id(commit.transaction, id)?.filter(|stored| stored.item.kind() == kind);
            let stored = found.ok_or_else(|| Error::not_found(format!("there is no {kind} {id}")))?;
            let Some(deleted_at) = stored.item.deleted_at else {
                return Err(Error::conflict(format!("the {kind} {id} is not deleted")));
            };
            if deleted_at.plus_micros(self.settings.undo_window_micros) < commit.now {
                return Err(Error::conflict(format!("the {kind} {id} was deleted too long ago to be restored"))
                    .with_hint("its undo window has closed; add it again"));
            }
            if stored.item.fields.expires_at.is_some_and(|expires_at| expires_at <= commit.now) {
                return Err(Error::conflict(format!("the {kind} {id} has expired"))
                    .with_hint("nobody would see it, and the next sweep would remove it; add it again"));
            }
            let links = items::links(commit.transaction, stored.row)?;
            let mut item = stored.item.clone();
            item.deleted_at = None;
            commit.replace(&stored, item, &links, Operation::Restored)
        })
    }
}

/// Refuses a filter that would delete everything, as one does that a program filled in with nothing.
fn check_guarded(kind: Kind, filter: &Filter) -> Result<()> {
    if filter.deleted {
        return Err(Error::invalid("deleted items cannot be deleted again")
            .with_hint("leave deleted= away; purge removes deleted items for good"));
    }
    let Filter { scope, tags, channel, tier, key_prefix, source, trust, path_prefix, always_on, deleted: _ } = filter;
    let is_narrow = |prefix: &Option<String>| prefix.as_ref().is_some_and(|prefix| !prefix.is_empty());
    let says_something = scope.is_some()
        || !tags.is_empty()
        || channel.is_some()
        || tier.is_some()
        || is_narrow(key_prefix)
        || source.is_some()
        || trust.is_some()
        || is_narrow(path_prefix)
        || always_on.is_some();
    if says_something {
        return Ok(());
    }
    Err(Error::invalid(format!("a filter that says nothing would delete every {kind}"))
        .with_hint("say which ones; project=\"*\" says that all of them are meant"))
}
