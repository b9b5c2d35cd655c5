//! Deleting softly, and restoring.

use recollect_model::{Call, Deleted, Error, Item, ItemId, Kind, Operation, Result};
use recollect_storage::rows::items;
use recollect_storage::rows::items::StoredItem;

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

    /// Deletes an item that was read in the same transaction.
    pub(crate) fn delete_stored(&self, commit: &mut Commit<'_>, stored: &StoredItem) -> Result<Deleted> {
        let links = items::links(commit.transaction, stored.row)?;
        let mut item = stored.item.clone();
        item.deleted_at = Some(commit.now);
        let item = commit.replace(stored, item, &links, Operation::Deleted)?;
        let undo_until = commit.now.plus_micros(self.settings.undo_window_micros);
        Ok(Deleted { id: item.id, version: item.version, undo_until })
    }

    /// Brings a deleted item back as it was.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such item; `Conflict` if it is not deleted or its undo window has closed;
    /// `AlreadyExists` if its key was given to another item meanwhile.
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
            let links = items::links(commit.transaction, stored.row)?;
            let mut item = stored.item.clone();
            item.deleted_at = None;
            commit.replace(&stored, item, &links, Operation::Restored)
        })
    }
}
