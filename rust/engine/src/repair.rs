//! Repairing what can be derived from the rest of the store.

use recollect_model::{Call, ChunkId, Error, ErrorCode, Operation, Result};
use recollect_storage::rows::{attributes, chunks, repair, spaces, vectors};

use crate::add::row_of;
use crate::hashes::{self, Verdict};
use crate::prepare::embedded_text;
use crate::store::Store;
use crate::write::Commit;

/// So many chunks are embedded at once, and get their vectors in one commit.
const BATCH: usize = 1000;

/// Vectors that are to be stored, made before the guard is taken: the content of a chunk never changes.
struct Missing {
    chunks: Vec<ChunkId>,
    vectors: Vec<f32>,
}

impl Store {
    /// Repairs what can be repaired, and says what it did: in one commit the indexes if a problem is of them, the
    /// hashes of the items of `stale`, and what else it finds in the tables; then, in commits of their own, the vectors
    /// that are missing. Where the damage goes so deep that a commit cannot be made, it changes nothing.
    pub(crate) fn repair(&self, problems: &[String], stale: &[u32], call: &Call) -> Result<Vec<String>> {
        if self.database.is_read_only() {
            return Err(Error::permission_denied("the store is opened read-only").with_hint("open it for writing"));
        }
        let repaired = self.commit(call, |commit| {
            let repaired = repair_tables(commit, problems, stale)?;
            if !repaired.is_empty() {
                commit.log(None, None, Operation::Repaired);
            }
            Ok(repaired)
        });
        let mut repaired = unless_corrupt(repaired)?;
        let mut embedded = 0;
        let mut behind = 0;
        while let Some(missing) = unless_corrupt(self.embed_missing(behind, call))?
            && let Some(last) = missing.chunks.last()
        {
            behind = *last;
            embedded += unless_corrupt(self.commit(call, |commit| Self::store_missing(commit, &missing)))?;
        }
        if embedded > 0 {
            repaired.push(format!("{embedded} chunks without a vector were embedded"));
        }
        Ok(repaired)
    }

    /// Embeds the next living chunks, in the order of their ids, that have no sound vector.
    fn embed_missing(&self, behind: ChunkId, call: &Call) -> Result<Option<Missing>> {
        if self.embedder.is_none() {
            return Ok(None);
        }
        let snapshot = self.database.read(call)?;
        // A store that never had vectors is not given an embedding space by a repair.
        let Some(active) = spaces::active(&snapshot)?.map(|(id, space)| (id, space.dimension)) else {
            return Ok(None);
        };
        let found = repair::chunks_to_embed(&snapshot, Some(active), behind, BATCH)?;
        drop(snapshot);
        call.check_interrupt()?;
        let texts: Vec<_> = found.iter().map(|(_, heading, text)| embedded_text(heading, text)).collect();
        let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
        let vectors = self.embed_documents(&texts, call)?;
        let chunks = found.iter().map(|(chunk, ..)| *chunk).collect();
        Ok(vectors.map(|vectors| Missing { chunks, vectors }))
    }

    /// Stores vectors of chunks that still are there and still have none. Returns how many.
    fn store_missing(commit: &mut Commit<'_>, missing: &Missing) -> Result<usize> {
        let space = spaces::active(commit.transaction)?;
        let Some((id, _)) = &space else { return Ok(0) };
        let writer = vectors::Writer::new(commit.transaction, *id);
        let mut stored = 0;
        let mut touched = Vec::new();
        for (place, chunk) in missing.chunks.iter().enumerate() {
            let Some(vector) = row_of(&missing.vectors, place, space.as_ref()) else { continue };
            let Some(item) = chunks::item_of_living(commit.transaction, *chunk)? else { continue };
            if !vectors::is_stored(commit.transaction, *id, *chunk)? {
                writer.put(*chunk, vector)?;
                touched.push(item);
                stored += 1;
            }
        }
        touched.sort_unstable();
        touched.dedup();
        for row in touched {
            let kind = attributes::of_item(commit.transaction, row)?.map(|attributes| attributes.kind);
            commit.log(Some(row), kind, Operation::Embedded);
        }
        Ok(stored)
    }
}

/// Nothing where the store is so damaged that it cannot be done; the report says what the damage is.
fn unless_corrupt<T: Default>(outcome: Result<T>) -> Result<T> {
    match outcome {
        Err(error) if error.code() == ErrorCode::Corrupt => Ok(T::default()),
        outcome => outcome,
    }
}

fn repair_tables(commit: &mut Commit<'_>, problems: &[String], stale: &[u32]) -> Result<Vec<String>> {
    let connection = commit.transaction;
    let mut repaired = Vec::new();
    if problems.iter().any(|problem| is_of_an_index(problem)) {
        match repair::reindex(connection) {
            Ok(()) => repaired.push("the indexes were made anew from their tables".to_owned()),
            // Two rows have what only one may have: which of them is right, nothing tells.
            Err(error) if error.code() == ErrorCode::Conflict => {}
            Err(error) => return Err(error),
        }
    }
    let orphans = repair::remove_orphans(connection)?;
    if orphans > 0 {
        repaired.push(format!("{orphans} rows of tags or rules whose item is not there were removed"));
    }
    let vectors = repair::remove_damaged_vectors(connection)?;
    if vectors > 0 {
        repaired.push(format!("{vectors} vectors of the wrong size or without a chunk were removed"));
    }
    if repair::raise_counters(connection, &mut commit.meta)? {
        repaired.push("the counters of ids were raised above the ids that were given".to_owned());
    }
    let mut renewed = 0;
    for row in stale {
        // The item may have got another text meanwhile.
        if let Verdict::Stale(hashes) = hashes::judge(connection, *row)? {
            repair::set_hashes(connection, *row, &hashes)?;
            renewed += 1;
        }
    }
    if renewed > 0 {
        repaired.push(format!("the hashes of {renewed} items were made anew from their text"));
    }
    Ok(repaired)
}

/// Whether what libSQL found is, or may be, the damage of an index.
fn is_of_an_index(problem: &str) -> bool {
    problem.contains(" index ") || problem.starts_with("Tree ")
}
