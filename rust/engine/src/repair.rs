//! Repairing what can be derived from the rest of the store.

use recollect_model::{Call, ChunkId, Error, ErrorCode, Operation, Result};
use recollect_storage::rows::{attributes, chunks, repair, spaces, vectors};

use crate::add::row_of;
use crate::hashes::{self, Verdict};
use crate::prepare::embedded_text;
use crate::space;
use crate::store::Store;
use crate::write::Commit;

/// So many chunks are embedded at once.
const BATCH: usize = 1024;

/// Vectors that are to be stored, made before the guard is taken: the content of a chunk never changes.
#[derive(Default)]
struct Missing {
    chunks: Vec<ChunkId>,
    vectors: Vec<f32>,
}

impl Store {
    /// Repairs what can be repaired, in one commit, and says what it did: the indexes if a problem is of them, the hashes
    /// of the items of `stale`, and what else it finds. Where the damage goes so deep that the commit
    /// cannot be made, nothing is changed.
    pub(crate) fn repair(&self, problems: &[String], stale: &[u32], call: &Call) -> Result<Vec<String>> {
        if self.database.is_read_only() {
            return Err(Error::permission_denied("the store is opened read-only").with_hint("open it for writing"));
        }
        let missing = match self.embed_missing(call) {
            Err(error) if error.code() == ErrorCode::Corrupt => Missing::default(),
            missing => missing?,
        };
        let repaired = self.commit(call, |commit| {
            let mut repaired = repair_tables(commit, problems, stale)?;
            if !repaired.is_empty() {
                commit.log(None, None, Operation::Repaired);
            }
            let stored = self.store_missing(commit, &missing)?;
            if stored > 0 {
                repaired.push(format!("{stored} chunks without a vector were embedded"));
            }
            Ok(repaired)
        });
        match repaired {
            Err(error) if error.code() == ErrorCode::Corrupt => Ok(Vec::new()),
            repaired => repaired,
        }
    }

    /// Embeds the living chunks that have no sound vector.
    fn embed_missing(&self, call: &Call) -> Result<Missing> {
        let mut missing = Missing::default();
        if self.embedder.is_none() {
            return Ok(missing);
        }
        let snapshot = self.database.read(call)?;
        let active = spaces::active(&snapshot)?.map(|(id, space)| (id, space.dimension));
        let found = repair::chunks_to_embed(&snapshot, active)?;
        drop(snapshot);
        for batch in found.chunks(BATCH) {
            call.check_interrupt()?;
            let texts: Vec<_> = batch.iter().map(|(_, heading, text)| embedded_text(heading, text)).collect();
            let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
            if let Some(vectors) = self.embed_documents(&texts, call)? {
                missing.chunks.extend(batch.iter().map(|(chunk, ..)| *chunk));
                missing.vectors.extend(vectors);
            }
        }
        Ok(missing)
    }

    /// Stores vectors of chunks that still are there and still have none. Returns how many.
    fn store_missing(&self, commit: &mut Commit<'_>, missing: &Missing) -> Result<usize> {
        if missing.chunks.is_empty() {
            return Ok(0);
        }
        let space = space::active_or_create(commit.transaction, self.wanted_space(), commit.now)?;
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
        repaired.push(format!("{orphans} rows of items or tags that are not there were removed"));
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
