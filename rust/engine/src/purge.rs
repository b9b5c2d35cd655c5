//! Purging: nothing of an item is left but its id.

use recollect_model::{Call, Error, ErrorCode, ItemId, Kind, Operation, Purged, Result};
use recollect_storage::rows::removal;
use recollect_storage::rows::removal::Removed;

use crate::store::Store;
use crate::write::Commit;

impl Store {
    /// Removes items for good, live or deleted, with their history: from every table, from every cache of this
    /// process, and from the bytes of the file and its log. Their ids stay known, so that the change log can name them
    /// and that purging one again, which finishes an erasing that was cut short, answers the same.
    ///
    /// Copies of the file that were made before still hold them. Other processes drop what they hold in memory when
    /// they search or add the next time.
    ///
    /// # Errors
    ///
    /// `NotFound`, naming the first id that never was of that kind; nothing is purged then. `Locked` if a reader keeps
    /// the log in use until the time is over: the items are gone then, but their bytes may still stand in the log.
    pub fn purge(&self, kind: Kind, ids: &[ItemId], call: &Call) -> Result<Vec<Purged>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let (purged, seq) = self.commit(call, |commit| {
            let mut purged = Vec::with_capacity(ids.len());
            for (number, id) in ids.iter().enumerate() {
                if number % 64 == 0 {
                    call.check_interrupt()?;
                }
                purged.push(purge_one(commit, kind, *id)?);
            }
            if purged.iter().any(is_removed) {
                removal::forget_unused_tags(commit.transaction)?;
            }
            Ok((purged, commit.seq()))
        })?;
        if purged.iter().any(is_removed) {
            self.index.forget_before(seq);
            self.near_duplicates().reset();
        }
        self.database.erase(call).map_err(|error| unfinished(&error))?;
        Ok(purged)
    }
}

fn purge_one(commit: &mut Commit<'_>, kind: Kind, id: ItemId) -> Result<Purged> {
    let Removed { versions, chunks } = match removal::row_of(commit.transaction, kind, id)? {
        Some(row) => {
            commit.log(Some(row), Some(kind), Operation::Purged);
            removal::remove(commit.transaction, row, id, kind)?
        }
        None if removal::is_gone(commit.transaction, kind, id)? => Removed { versions: 0, chunks: 0 },
        None => return Err(Error::not_found(format!("there never was a {kind} {id}"))),
    };
    Ok(Purged { id, kind, versions, chunks })
}

fn is_removed(purged: &Purged) -> bool {
    purged.versions > 0
}

/// Says how far a purge came whose erasing failed.
fn unfinished(error: &Error) -> Error {
    let again = "purge them again: that finishes the erasing";
    let (code, hint) = match error.code() {
        ErrorCode::Locked | ErrorCode::Timeout => (ErrorCode::Locked, again.to_owned()),
        ErrorCode::Cancelled => (ErrorCode::Cancelled, again.to_owned()),
        code => (code, format!("{}; then {again}", error.hint())),
    };
    Error::new(code, format!("the items are gone, but their bytes are not yet erased from the files: {error}"))
        .with_hint(hint)
}
