//! Going through the pages of a store.

use std::fs;
use std::thread;
use std::time::Duration;

use recollect_model::{Call, Error, Result};

use super::page::{Layout, erase_page};
use crate::connection::Connection;
use crate::core::{CUT_LIMIT, Core};
use crate::guard::beside;
use crate::patience::Patience;
use crate::pragmas;
use crate::raw::{CheckpointMode, Failure, PageFile};
use crate::writer::WriterLease;

/// Pages that are read at once.
const BATCH: usize = 256;

/// How many pages may have been written and not synced: what they held is kept meanwhile.
const MOST_UNSYNCED: usize = 4_096;

/// From this page number on the first byte of an overflow page could be the type of a b-tree page.
const TOO_MANY_PAGES: u64 = 0x0200_0000;

/// Between two turns of trying to cut the log. Others write and checkpoint meanwhile.
const PAUSE: Duration = Duration::from_millis(5);

/// What an erasure overwrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erased {
    /// Pages that held something in their unused part.
    pub pages: u64,
    /// Bytes of it that were not zero.
    pub bytes: u64,
}

/// Erases what deleted rows left behind; see [`crate::Database::erase`].
pub(crate) fn erase(core: &Core, call: &Call) -> Result<Erased> {
    if core.path.is_none() {
        return Ok(Erased::default());
    }
    let mut patience = Patience::new(call, core.options().lock_timeout);
    loop {
        let mut lease = core.writer()?.lease(call)?;
        core.check_place()?;
        let is_cut = !core.cut_by(&lease, CUT_LIMIT, call)?.busy;
        if is_cut {
            let outcome = erase_by(core, &mut lease, call);
            lease.check_loss()?;
            match outcome? {
                Some(erased) => return Ok(erased),
                None => drop(lease),
            }
        } else {
            drop(lease);
        }
        if !patience.lasts()? {
            return Err(Error::locked(format!(
                "what was deleted is still in the write-ahead log: a reader used the log for {:.3} s",
                patience.waited().as_secs_f64()
            ))
            .with_hint("end the reads that have been open for long, in every process, and try again"));
        }
        thread::sleep(PAUSE);
    }
}

/// The whole of it once the log is empty; none if the log is not empty after all.
fn erase_by(core: &Core, lease: &mut WriterLease<'_>, call: &Call) -> Result<Option<Erased>> {
    let Some(erased) = erase_file(core, lease, call)? else { return Ok(None) };
    // A connection that read pages while they were being erased, in any process, may have them in its cache as they
    // were, and would write them back with the next change to them. It drops its cache when somebody else has
    // committed. So this is a commit, by a connection that has read no page before, of page 1 alone.
    lease.renew()?;
    lease.begin(call, "BEGIN IMMEDIATE")?;
    let version = pragmas::get(lease, "user_version");
    let touched = version.and_then(|version| pragmas::set(lease, "user_version", version));
    let committed = touched.and_then(|()| lease.check_guard()).and_then(|()| lease.end("COMMIT"));
    if committed.is_err() {
        // The failure is what the caller must know. If the undoing fails the lease discards the connection.
        let _undone = lease.end("ROLLBACK");
    }
    committed?;
    // What is in the log now is page 1 alone, so that a reader may well keep it.
    core.checkpoint_by(lease, CheckpointMode::Truncate)?;
    Ok(Some(erased))
}

/// Erases the pages of the file. The write lock keeps everybody from committing, those that know no guard included,
/// and the snapshot that goes with it keeps them from checkpointing.
fn erase_file(core: &Core, lease: &WriterLease<'_>, call: &Call) -> Result<Option<Erased>> {
    lease.begin(call, "BEGIN IMMEDIATE")?;
    let log_is_empty =
        core.path.as_deref().is_some_and(|path| fs::metadata(beside(path, "-wal")).map_or(true, |log| log.len() == 0));
    let erased = match lease.check_guard() {
        Ok(()) if log_is_empty => erase_pages(lease, call).map(Some),
        checked => checked.map(|()| None),
    };
    let ended = lease.end("ROLLBACK");
    let erased = erased?;
    ended?;
    Ok(erased)
}

fn erase_pages(connection: &Connection, call: &Call) -> Result<Erased> {
    let explain = |failure: Failure| connection.explain(&failure);
    let file = connection.handle().page_file().map_err(explain)?;
    let mut header = [0; Layout::HEADER];
    file.read(&mut header, 0).map_err(explain)?;
    let layout = Layout::read(&header).ok_or_else(|| Error::corrupt("the header of the store is damaged"))?;
    let page_size = layout.page_size as u64;
    let pages = file.length().map_err(explain)? / page_size;
    if layout.has_pointer_maps || pages >= TOO_MANY_PAGES {
        return Err(Error::unsupported(format!("a store of this form and of {pages} pages cannot be erased in place"))
            .with_hint("write the items into a new store, and remove this one"));
    }
    let mut buffer = vec![0; layout.page_size * BATCH];
    let (mut erased, mut first) = (Erased::default(), 0);
    let mut unsynced = Vec::new();
    while first < pages {
        call.check_interrupt()?;
        let count = usize::try_from(pages - first).map_or(BATCH, |left| left.min(BATCH));
        let batch = buffer.get_mut(..count * layout.page_size).unwrap_or_default();
        file.read(batch, first * page_size).map_err(explain)?;
        for (number, page) in (first..).zip(batch.chunks_exact_mut(layout.page_size)) {
            if number + 1 == layout.lock_page() {
                continue;
            }
            let bytes = erase_page(page, number == 0, layout.usable);
            if bytes > 0 {
                let offset = number * page_size;
                let mut before = vec![0; layout.page_size];
                file.read(&mut before, offset).map_err(explain)?;
                unsynced.push((offset, before));
                file.write(page, offset).map_err(explain)?;
                erased.pages += 1;
                erased.bytes += bytes as u64;
            }
        }
        first += count as u64;
        if unsynced.len() >= MOST_UNSYNCED {
            sync(&file, &mut unsynced).map_err(explain)?;
        }
    }
    // Also when nothing was written now: an erasure that was stopped may have left pages that the disk does not have.
    sync(&file, &mut unsynced).map_err(explain)?;
    Ok(erased)
}

/// Waits for the disk. Where that fails, the pages read as erased while the disk has them as they were, and no later
/// sync would write them; so they get back what they held, for the next erasure to find.
fn sync(file: &PageFile<'_>, unsynced: &mut Vec<(u64, Vec<u8>)>) -> Result<(), Failure> {
    let outcome = file.sync();
    for (offset, before) in unsynced.drain(..) {
        if outcome.is_err() {
            // On a disk that fails there is nothing more to do than to try.
            let _restored = file.write(&before, offset);
        }
    }
    outcome
}
