//! How a store is: its size, and whether it is sound.

use std::hint::black_box;
use std::time::Instant;

use recollect_model::{Call, ErrorCode, Result, Space};
use recollect_storage::rows::{changes, chunks, list, meta, schema, spaces, vectors};
use recollect_storage::{Connection, Database, DatabaseStats, OpenOptions};

use crate::hashes;
use crate::index::IndexStats;
use crate::prepare::content_hash;
use crate::store::Store;

/// The size and the state of a store.
#[derive(Debug, Clone)]
pub struct StoreStats {
    /// The number of the last commit.
    pub seq: u64,
    /// What the tables hold.
    pub totals: list::Totals,
    /// Vectors in the active space.
    pub vectors: u64,
    /// The active space, or the one that the first vectors will make.
    pub space: Option<Space>,
    /// Connections, guard, checkpoints and files.
    pub database: DatabaseStats,
    /// The index of this process.
    pub index: IndexStats,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// One sentence for each; none if the store is sound.
    pub problems: Vec<String>,
    /// Items looked at, deleted ones included.
    pub items: u64,
    /// Living chunks.
    pub chunks: u64,
    /// Vectors looked at.
    pub vectors: u64,
    /// Rows of the change log.
    pub changes: u64,
    /// What was repaired, one sentence for each.
    pub repaired: Vec<String>,
}

impl Store {
    /// Sizes and counters.
    ///
    /// # Errors
    ///
    /// Whatever reading fails with.
    pub fn stats(&self, call: &Call) -> Result<StoreStats> {
        let snapshot = self.database.read(call)?;
        let active = spaces::active(&snapshot)?;
        let vectors = match &active {
            Some((id, _)) => vectors::count(&snapshot, *id)?,
            None => 0,
        };
        let (seq, totals) = (meta::seq(&snapshot)?, list::totals(&snapshot)?);
        drop(snapshot);
        Ok(StoreStats {
            seq,
            totals,
            vectors,
            space: active.map(|(_, space)| space).or_else(|| self.wanted_space().cloned()),
            database: self.database.stats(),
            index: self.index.stats(),
        })
    }

    /// The seconds it takes to sum all vectors of the index once, with the widest instructions there are: what no exact
    /// search of them can beat.
    ///
    /// # Errors
    ///
    /// Whatever bringing the index up to date fails with.
    pub fn scan_seconds(&self, call: &Call) -> Result<f64> {
        let (_snapshot, state) = self.index.at(&self.database, call)?;
        let begun = Instant::now();
        if let Some(table) = state.table() {
            black_box(table.sum());
        }
        Ok(begun.elapsed().as_secs_f64())
    }

    /// Reads the whole store and compares what must agree: pages and indexes, references, the change log's numbers and
    /// digest, the chunks of items and their hashes, the sizes of vectors.
    ///
    /// With `repair`, what can be derived from the rest of the store is removed or made anew, and what is reported as a
    /// problem is what is left: text whose item is lost among it, because there is no other copy. The tables are
    /// repaired in one commit, and missing vectors are made in commits of 1,000 chunks. Without, nothing is changed.
    ///
    /// # Errors
    ///
    /// Only if the store cannot be read at all; damage is reported. With `repair` also what a write fails with:
    /// `PermissionDenied` for a store opened read-only, `Locked`, `Timeout`, `Cancelled`, `Io`, `Embedder`.
    pub fn check(&self, repair: bool, call: &Call) -> Result<CheckReport> {
        let (found, stale) = self.inspect(call)?;
        if !repair {
            return Ok(found);
        }
        let repaired = self.repair(&found.problems, &stale, call)?;
        if repaired.is_empty() {
            return Ok(found);
        }
        let (left, _) = self.inspect(call)?;
        Ok(CheckReport { repaired, ..left })
    }

    /// The report, and the items whose hashes are to be made anew.
    fn inspect(&self, call: &Call) -> Result<(CheckReport, Vec<u32>)> {
        let mut report = CheckReport { problems: self.database.integrity(call)?, ..CheckReport::default() };
        let stale = match self.compare(&mut report, call) {
            Err(error) if error.code() == ErrorCode::Corrupt => {
                report.problems.push(error.to_string());
                Vec::new()
            }
            stale => stale?,
        };
        Ok((report, stale))
    }

    fn compare(&self, report: &mut CheckReport, call: &Call) -> Result<Vec<u32>> {
        let snapshot = self.database.read(call)?;
        let meta = meta::read(&snapshot)?;
        let totals = list::totals(&snapshot)?;
        report.items = totals.rules + totals.docs + totals.refs + totals.deleted;
        report.chunks = totals.chunks;
        let (last, digest, rows) = changes::replay_digest(&snapshot)?;
        report.changes = rows;
        if last != meta.seq {
            report.problems.push(format!("the change log ends at {last}, the store at {}", meta.seq));
        } else if digest != meta.log_digest {
            report.problems.push("the change log does not have the digest that the store recorded".to_owned());
        }
        report.problems.extend(schema_differences(&snapshot, call)?);
        report.problems.extend(list::inconsistencies(&snapshot)?);
        let altered = altered_chunks(&snapshot)?;
        if !altered.is_empty() {
            report.problems.push(format!("{} chunks do not say what they said when they were made", altered.len()));
        }
        let survey = hashes::survey(&snapshot, &altered, call)?;
        if !survey.stale.is_empty() {
            report.problems.push(format!("{} items do not have the hashes of their text", survey.stale.len()));
        }
        if survey.lost > 0 {
            report.problems.push(format!("{} docs do not have the text they were stored with", survey.lost));
        }
        if let Some((id, _)) = spaces::active(&snapshot)? {
            report.vectors = vectors::count(&snapshot, id)?;
        }
        let mut damaged = 0;
        for (id, dimension) in spaces::all(&snapshot)? {
            damaged += vectors::count_damaged(&snapshot, id, dimension)?;
        }
        if damaged > 0 {
            report.problems.push(format!("{damaged} vectors have the wrong size or no chunk"));
        }
        Ok(survey.stale)
    }
}

/// For every chunk that does not have the hash it was made with, its item.
fn altered_chunks(connection: &Connection) -> Result<Vec<u32>> {
    let mut altered = Vec::new();
    chunks::for_each_content(connection, |item, heading, text, recorded| {
        if content_hash(heading, text) != recorded {
            altered.push(item);
        }
        Ok(())
    })?;
    Ok(altered)
}

/// How the tables and indexes differ from those of a new store.
fn schema_differences(connection: &Connection, call: &Call) -> Result<Vec<String>> {
    let pristine = Database::open(OpenOptions::memory(), call)?;
    let wanted = schema::objects(&*pristine.read(call)?)?;
    let found = schema::objects(connection)?;
    let missing = wanted.iter().filter(|object| !found.contains(object));
    let foreign = found.iter().filter(|object| !wanted.contains(object));
    Ok(missing
        .map(|(name, _)| format!("{name} is missing from the schema, or altered"))
        .chain(foreign.map(|(name, _)| format!("{name} does not belong to the schema, or is altered")))
        .collect())
}
