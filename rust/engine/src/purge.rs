//! Purging: nothing of an item is left but its id.

use std::mem;

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
    /// the log in use, or another writer the guard, until the time is over, and `Timeout` if the time runs out while
    /// the file is erased: where the message says so, the items are gone, but their bytes may still stand in the files.
    pub fn purge(&self, kind: Kind, ids: &[ItemId], call: &Call) -> Result<Vec<Purged>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let (purged, gone, seq) = self.commit(call, |commit| {
            let mut purged = Vec::with_capacity(ids.len());
            for (number, id) in ids.iter().enumerate() {
                if number % 64 == 0 {
                    call.check_interrupt()?;
                }
                purged.push(purge_one(commit, kind, *id)?);
            }
            Ok((purged, mem::take(&mut commit.gone), commit.seq()))
        })?;
        if !gone.is_empty() {
            self.index.forget_before(seq);
            self.near_duplicates().forget_purged(&gone);
        }
        self.database.erase(call).map_err(|error| unfinished(&error))?;
        Ok(purged)
    }
}

fn purge_one(commit: &mut Commit<'_>, kind: Kind, id: ItemId) -> Result<Purged> {
    let Removed { versions, chunks } = match removal::row_of(commit.transaction, kind, id)? {
        Some(row) => commit.remove(row, id, kind, Operation::Purged)?,
        None if removal::is_gone(commit.transaction, kind, id)? => Removed { versions: 0, chunks: 0 },
        None => return Err(Error::not_found(format!("there never was a {kind} {id}"))),
    };
    Ok(Purged { id, kind, versions, chunks })
}

/// Says how far a purge came whose erasing failed.
fn unfinished(error: &Error) -> Error {
    let again = "purge them again: that finishes the erasing";
    let hint = match error.code() {
        ErrorCode::Locked | ErrorCode::Timeout | ErrorCode::Cancelled => again.to_owned(),
        _ => format!("{}; then {again}", error.hint()),
    };
    Error::new(error.code(), format!("the items are gone, but their bytes are not yet erased from the files: {error}"))
        .with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cut_an_erasing_short_keeps_its_code() {
        for cause in [Error::timeout("no time"), Error::locked("a reader"), Error::cancelled("stop"), Error::io("EIO")]
        {
            let error = unfinished(&cause);
            assert_eq!(error.code(), cause.code());
            assert!(error.message().starts_with("the items are gone"), "{error:?}");
            assert!(error.hint().contains("purge them again"), "{error:?}");
        }
    }
}
