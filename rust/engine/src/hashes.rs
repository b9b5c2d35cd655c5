//! Whether what is recorded of an item's text is what follows from it.

use std::collections::HashSet;

use recollect_model::{Call, Content, Result};
use recollect_storage::Connection;
use recollect_storage::rows::repair::Hashes;
use recollect_storage::rows::{chunks, items};

use crate::{content, near_duplicates};

/// What the hashes of an item say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They are those of its text.
    Sound,
    /// They are not, and these are.
    Stale(Hashes),
    /// The text of a doc is not the one it was stored with: two hashes agree on another.
    Lost,
}

/// What the hashes of a whole store say.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// The items whose hashes are to be made anew.
    pub stale: Vec<u32>,
    /// How many docs have another text than they were stored with.
    pub lost: u64,
}

/// Compares the hashes of every item with its text, but for the items of `altered`: the hashes of a text that is not
/// what it was are what is left of it.
pub(crate) fn survey(connection: &Connection, altered: &[u32], call: &Call) -> Result<Survey> {
    let altered: HashSet<u32> = altered.iter().copied().collect();
    let mut survey = Survey::default();
    for (number, row) in items::rows(connection)?.into_iter().enumerate() {
        if number % 256 == 0 {
            call.check_interrupt()?;
        }
        if altered.contains(&row) {
            continue;
        }
        match judge(connection, row)? {
            Verdict::Sound => {}
            Verdict::Stale(_) => survey.stale.push(row),
            Verdict::Lost => survey.lost += 1,
        }
    }
    Ok(survey)
}

/// Compares the hashes of one item with its text.
pub(crate) fn judge(connection: &Connection, row: u32) -> Result<Verdict> {
    let Some(mut stored) = items::whole(connection, row)? else { return Ok(Verdict::Sound) };
    let links = items::links(connection, row)?;
    let mut text = None;
    if let Content::Doc(doc) = &mut stored.item.content {
        let right: [u8; 32] = blake3::hash(doc.text.as_bytes()).into();
        if doc.content_hash != right {
            text = Some(right);
            doc.content_hash = right;
        }
    }
    let hashes = Hashes {
        content: content::hash(&stored.item.content),
        signature: near_duplicates::signature(&stored.item.content),
        text,
    };
    if text.is_none() && links.content_hash == hashes.content && links.signature == hashes.signature {
        return Ok(Verdict::Sound);
    }
    if chunks::living(connection, row)?.is_empty() {
        // That is a problem of its own, and says nothing of the hashes.
        return Ok(Verdict::Sound);
    }
    if text.is_some() && links.content_hash != hashes.content {
        return Ok(Verdict::Lost);
    }
    Ok(Verdict::Stale(hashes))
}
