//! What searches read: the attributes of items and the vectors of chunks, in memory, as of a change.
//!
//! The state is an immutable value, published by swap. A query begins its snapshot, brings the state up to the
//! snapshot's change (one thread does, others wait), and searches. A state that is already past the snapshot is never
//! used: the query begins anew.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use recollect_model::{Call, Error, Kind, Result, Timestamp};
use recollect_storage::rows::attributes::Attributes;
use recollect_storage::rows::changes::Touched;
use recollect_storage::rows::{attributes, changes, chunks, meta, spaces, tags, vectors};
use recollect_storage::{Connection, Database, Snapshot};
use recollect_vector::{OwnerMask, Table};

use crate::masks::{Conditions, Mask, Masks};

/// Attributes stand in blocks that states share until one of them changes.
const BLOCK: usize = 1024;

/// What decides whether an item may be ranked.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    kind: Kind,
    project: u32,
    valid_from: Timestamp,
    valid_until: Timestamp,
    tags: Box<[u32]>,
}

impl Entry {
    fn satisfies(&self, conditions: &Conditions, now: Timestamp) -> bool {
        self.valid_from <= now
            && now < self.valid_until
            && (conditions.kinds.is_empty() || conditions.kinds.contains(&self.kind))
            && conditions.projects.as_ref().is_none_or(|projects| projects.binary_search(&self.project).is_ok())
            && conditions.tags.iter().all(|tag| self.tags.contains(tag))
    }
}

/// The state as of a change.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    seq: u64,
    space: Option<u32>,
    /// By row id; `None` where there is no live item.
    items: Vec<Arc<Vec<Option<Entry>>>>,
    item_count: usize,
    table: Option<Table>,
    masks: Masks,
}

impl State {
    /// The change it is as of.
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// The vectors, if the store has a space.
    pub const fn table(&self) -> Option<&Table> {
        self.table.as_ref()
    }

    /// The items that satisfy the conditions now.
    pub fn mask(&self, conditions: &Conditions, now: Timestamp) -> Arc<Mask> {
        self.masks.get(conditions, now, || self.make_mask(conditions, now))
    }

    fn make_mask(&self, conditions: &Conditions, now: Timestamp) -> Mask {
        let mut mask = Mask { owners: OwnerMask::new(), since: Timestamp::MIN, until: Timestamp::MAX };
        for (row, entry) in (0_u32..).zip(self.items.iter().flat_map(|block| block.iter())) {
            let Some(entry) = entry else { continue };
            for border in [entry.valid_from, entry.valid_until] {
                if border <= now {
                    mask.since = mask.since.max(border);
                } else {
                    mask.until = mask.until.min(border);
                }
            }
            if entry.satisfies(conditions, now) {
                mask.owners.insert(row);
            }
        }
        mask
    }

    fn set(&mut self, row: u32, entry: Option<Entry>) {
        let (block, place) = (row as usize / BLOCK, row as usize % BLOCK);
        while self.items.len() <= block {
            self.items.push(Arc::new(vec![None; BLOCK]));
        }
        if let Some(slot) = self.items.get_mut(block).and_then(|block| Arc::make_mut(block).get_mut(place)) {
            self.item_count += usize::from(entry.is_some());
            self.item_count -= usize::from(slot.is_some());
            *slot = entry;
        }
    }

    /// Reads everything anew.
    fn build(connection: &Connection, seq: u64) -> Result<Self> {
        let mut state = Self { seq, ..Self::default() };
        let mut tagged: Vec<(u32, u32)> = Vec::new();
        tags::for_each(connection, |item, tag| {
            tagged.push((item, tag));
            Ok(())
        })?;
        attributes::for_each(connection, |attributes| {
            let from = tagged.partition_point(|(item, _)| *item < attributes.row);
            let own = tagged.iter().skip(from).take_while(|(item, _)| *item == attributes.row).map(|(_, tag)| *tag);
            let tags = own.collect();
            state.set(attributes.row, entry(&attributes, tags));
            Ok(())
        })?;
        state.build_table(connection)?;
        Ok(state)
    }

    fn build_table(&mut self, connection: &Connection) -> Result<()> {
        let Some((id, space)) = spaces::active(connection)? else { return Ok(()) };
        let mut table = Table::new(space.dimension)?;
        let mut vector = Vec::with_capacity(space.dimension);
        vectors::for_each_living(connection, id, |chunk, item, bytes| {
            vector.clear();
            vectors::decode_into(bytes, space.dimension, &mut vector)?;
            table.push(chunk, item, &vector)
        })?;
        self.space = Some(id);
        self.table = Some(table);
        Ok(())
    }

    /// The state as of a later change.
    fn advance(&self, connection: &Connection, seq: u64) -> Result<Self> {
        if self.seq == 0 || changes::is_repaired_since(connection, self.seq)? {
            return Self::build(connection, seq);
        }
        let changed = changes::items_since(connection, self.seq)?;
        // A scan of everything reads an item faster than a look-up does.
        if changed.len() * 4 > self.item_count.max(BLOCK) {
            return Self::build(connection, seq);
        }
        let mut next = self.clone();
        next.seq = seq;
        // Nothing of a purged item may stay in memory, and rows of a table are never overwritten.
        let mut must_rebuild_table = next.space.is_none() || changed.iter().any(|touched| touched.is_purged);
        let mut arrived: Vec<(u32, u32, Vec<f32>)> = Vec::new();
        let mut swept = OwnerMask::new();
        for Touched { row, is_embedded, is_swept, .. } in changed {
            if is_swept {
                swept.insert(row);
                next.set(row, None);
                continue;
            }
            let tags = tags::of_item(connection, row)?.into_boxed_slice();
            let attributes = attributes::of_item(connection, row)?;
            next.set(row, attributes.and_then(|attributes| entry(&attributes, tags)));
            let (Some(space), Some(table)) = (next.space, next.table.as_mut()) else { continue };
            for chunk in chunks::dead(connection, row)? {
                table.remove(chunk);
            }
            let dimension = table.dimension();
            vectors::for_each_of_item(connection, space, row, |chunk, bytes| {
                if table.get(chunk).is_some() {
                    // A vector that was replaced cannot be changed in place: older states share its block.
                    must_rebuild_table |= is_embedded;
                    return Ok(());
                }
                let mut vector = Vec::with_capacity(dimension);
                vectors::decode_into(bytes, dimension, &mut vector)?;
                arrived.push((chunk, row, vector));
                Ok(())
            })?;
        }
        arrived.sort_unstable_by_key(|(chunk, ..)| *chunk);
        if let Some(table) = next.table.as_mut() {
            remove_owned(table, &swept);
            must_rebuild_table |= !swept.is_empty() && table.live() * 2 < table.len();
            // Vectors that came later than their chunk do not fit the order of the table.
            must_rebuild_table |=
                arrived.first().zip(table.last_id()).is_some_and(|((chunk, ..), last)| *chunk <= last);
            if !must_rebuild_table {
                for (chunk, row, vector) in &arrived {
                    table.push(*chunk, *row, vector)?;
                }
            }
        }
        if must_rebuild_table {
            next.build_table(connection)?;
        }
        Ok(next)
    }
}

/// Marks the rows of swept items as removed. Their chunks are gone, so the table alone knows which they were.
fn remove_owned(table: &mut Table, owners: &OwnerMask) {
    if owners.is_empty() {
        return;
    }
    for id in 1..=table.last_id().unwrap_or_default() {
        if table.owner(id).is_some_and(|owner| owners.contains(owner)) {
            table.remove(id);
        }
    }
}

fn entry(attributes: &Attributes, tags: Box<[u32]>) -> Option<Entry> {
    attributes.is_live.then(|| Entry {
        kind: attributes.kind,
        project: attributes.project,
        valid_from: attributes.valid_from.unwrap_or(Timestamp::MIN),
        valid_until: attributes.valid_until.unwrap_or(Timestamp(i64::MAX)),
        tags,
    })
}

/// The size of the index of this process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IndexStats {
    /// The change it is as of.
    pub seq: u64,
    /// The vectors it holds, dead ones included.
    pub chunks: u64,
    /// The vectors that a search can find.
    pub live: u64,
    /// The memory of the vectors.
    pub bytes: u64,
}

/// The published state, and who may make the next one.
#[derive(Debug, Default)]
pub(crate) struct Index {
    state: Mutex<Arc<State>>,
    advancing: Mutex<()>,
    /// No state of an earlier change is kept.
    floor: AtomicU64,
}

impl Index {
    fn current(&self) -> Arc<State> {
        Arc::clone(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn publish(&self, state: &Arc<State>) {
        let mut published = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.seq >= self.floor.load(Ordering::Acquire) {
            *published = Arc::clone(state);
        }
    }

    /// Drops what is known from before a change: after a purge, nothing of what was purged may stay in memory.
    pub fn forget_before(&self, seq: u64) {
        self.floor.fetch_max(seq, Ordering::AcqRel);
        let mut published = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if published.seq < seq {
            *published = Arc::default();
        }
    }

    /// A snapshot, and the state as of exactly its change.
    pub fn at<'d>(&self, database: &'d Database, call: &Call) -> Result<(Snapshot<'d>, Arc<State>)> {
        loop {
            call.check_interrupt()?;
            let known = self.current().seq.max(self.floor.load(Ordering::Acquire));
            let snapshot = database.read(call)?;
            let seq = meta::seq(&snapshot)?;
            if seq < known {
                return Err(Error::corrupt(format!("the store is at change {seq}, but was at {known} before"))
                    .with_hint(
                        "its file was replaced by an older one while it was open: close it, and open it again",
                    ));
            }
            let mut state = self.current();
            if state.seq < seq {
                let _turn = self.wait_for_turn(call)?;
                state = self.current();
                if state.seq < seq {
                    state = Arc::new(state.advance(&snapshot, seq)?);
                    self.publish(&state);
                }
            }
            // Another thread may have taken the state past this snapshot: a new snapshot sees what it saw.
            if state.seq == seq {
                return Ok((snapshot, state));
            }
        }
    }

    /// Polled, so that a call's limits hold while another thread reads a large store for the first time.
    fn wait_for_turn(&self, call: &Call) -> Result<MutexGuard<'_, ()>> {
        loop {
            match self.advancing.try_lock() {
                Ok(turn) => return Ok(turn),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {
                    call.check_interrupt()?;
                    std::thread::sleep(Duration::from_micros(200));
                }
            }
        }
    }

    /// The size of the published state.
    pub fn stats(&self) -> IndexStats {
        let state = self.current();
        let Some(table) = state.table() else { return IndexStats { seq: state.seq, ..IndexStats::default() } };
        IndexStats {
            seq: state.seq,
            chunks: table.len() as u64,
            live: table.live() as u64,
            bytes: table.bytes() as u64,
        }
    }
}
