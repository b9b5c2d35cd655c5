//! Exact search: every live row under the mask is scored.

use recollect_model::{Call, Error, Result};

use crate::best::{Best, BestOwners, BestRows, Hit};
use crate::kernels::{Kernel, LANE, Lane, floats, floats_mut};
use crate::owners::OwnerMask;
use crate::pace::Pace;
use crate::table::Table;

/// How many rows are scored between two looks at the threshold. Few, because the memory has nothing to do while rows are
/// gathered.
const BATCH: usize = 32;

/// How many rows are gathered before a batch of them is scored, so that the memory is asked for the others in the
/// meantime. They come from as many blocks as it takes, which keeps it as busy under a narrow mask as under a broad one.
const WINDOW: usize = 2 * BATCH;

/// How far the squared length of a query may be from one.
const NORM_TOLERANCE: f32 = 1e-3;

/// The `k` live rows with the highest cosine to the query, of those whose owner is in `allow`: the best first, of equal
/// scores the smaller id first.
///
/// There are fewer only if no more rows are allowed. The score of a row has the same bits whatever else the table or the
/// mask hold.
///
/// # Errors
///
/// `InvalidInput` if the query has another dimension than the table or is not normalised ([`normalise`]); `Timeout` or
/// `Cancelled` as the call says, within a fraction of a millisecond.
///
/// [`normalise`]: crate::normalise()
pub fn top_k(table: &Table, query: &[f32], k: usize, allow: &OwnerMask, call: &Call) -> Result<Vec<Hit>> {
    let mut best = BestRows::new(k);
    scan(table, query, allow, call, &mut best)?;
    Ok(best.into_hits())
}

/// The best row of each of the `k` owners in `allow` that have the best rows; order, guarantees and errors are those of
/// [`top_k`].
///
/// # Errors
///
/// As [`top_k`].
pub fn top_owners(table: &Table, query: &[f32], k: usize, allow: &OwnerMask, call: &Call) -> Result<Vec<Hit>> {
    let mut best = BestOwners::new(k);
    scan(table, query, allow, call, &mut best)?;
    Ok(best.into_hits())
}

fn scan(table: &Table, query: &[f32], allow: &OwnerMask, call: &Call, best: &mut impl Best) -> Result<()> {
    let query = padded(table, query)?;
    let mut pace = Pace::begin(call)?;
    if allow.is_empty() {
        return Ok(());
    }
    let mut batch = Batch::new(table.kernel(), floats(&query));
    for block in table.blocks() {
        pace.check()?;
        block.each_allowed(allow, |id, owner, row| {
            batch.rows.push(row);
            batch.keys.push((id, owner));
            if batch.rows.len() == WINDOW {
                batch.score(best);
            }
        });
    }
    while !batch.rows.is_empty() {
        batch.score(best);
    }
    Ok(())
}

/// The query as long as a row of the table, on cache lines of its own.
fn padded(table: &Table, query: &[f32]) -> Result<Vec<Lane>> {
    if query.len() != table.dimension() {
        return Err(Error::invalid(format!(
            "a query of {} components to vectors of {}",
            query.len(),
            table.dimension()
        )));
    }
    let square = table.kernel().dot(query, query);
    // A component that is not a number makes the square one, which no range contains.
    if !(1.0 - NORM_TOLERANCE..=1.0 + NORM_TOLERANCE).contains(&square) {
        return Err(Error::invalid(format!("a query whose squared length is {square} where 1 is due")));
    }
    let mut lanes = vec![Lane::ZERO; table.lanes_of_row()];
    for (slot, &component) in floats_mut(&mut lanes).iter_mut().zip(query) {
        *slot = component;
    }
    Ok(lanes)
}

/// Rows that wait to be scored together.
struct Batch<'scan> {
    kernel: Kernel,
    query: &'scan [f32],
    rows: Vec<&'scan [f32]>,
    /// Id and owner of each row.
    keys: Vec<(u32, u32)>,
    scores: [f32; BATCH],
}

impl<'scan> Batch<'scan> {
    fn new(kernel: Kernel, query: &'scan [f32]) -> Self {
        Self { kernel, query, rows: Vec::with_capacity(WINDOW), keys: Vec::with_capacity(WINDOW), scores: [0.0; BATCH] }
    }

    /// Scores the first [`BATCH`] rows, or all if there are fewer, and lets them go.
    fn score(&mut self, best: &mut impl Best) {
        let count = self.rows.len().min(BATCH);
        let (scores, _) = self.scores.split_at_mut(count);
        self.kernel.scores_of(self.query, &self.rows, scores);
        for (scores, keys) in scores.chunks(LANE).zip(self.keys.chunks(LANE)) {
            // Counted without an early exit, this is a handful of vector comparisons; nearly always all fall short.
            let threshold = best.threshold();
            if scores.iter().filter(|score| **score >= threshold).count() == 0 {
                continue;
            }
            for (&score, &(id, owner)) in scores.iter().zip(keys) {
                if score >= threshold {
                    // Rounding can leave a cosine a few bits outside.
                    best.offer(Hit { score: score.clamp(-1.0, 1.0), id, owner });
                }
            }
        }
        self.rows.drain(..count);
        self.keys.drain(..count);
    }
}
