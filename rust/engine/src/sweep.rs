//! Removing for good what is due: items that have expired, and items whose undo window has closed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use recollect_model::{Call, Clock, Error, Interrupt, Result, Swept, Timestamp};
use recollect_storage::Database;
use recollect_storage::rows::removal::{self, Deadlines};

use crate::store::Store;
use crate::write::{Commit, commit};

/// So many items are removed in one commit, so that other writers need not wait long.
const BATCH: usize = 256;

/// No more items are removed in a commit that has removed so many chunks. One item may have more.
const BATCH_CHUNKS: u32 = 1_000;

/// Nor in one that has worked for so long.
const BATCH_TIME: Duration = Duration::from_millis(100);

/// How long a commit waits for its turn; how long it works then is not limited. A call has one deadline for both.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Mutex<Option<Instant>>);

impl Waiting {
    fn set(&self, until: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// The wait begins.
    pub fn begin(&self, patience: Duration) {
        self.set(Some(Call::deadline_after(Instant::now(), patience)));
    }

    /// The work begins.
    fn end(&self) {
        self.set(None);
    }
}

impl Interrupt for Waiting {
    fn is_interrupted(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| Instant::now() >= until)
    }
}

/// What a sweep needs. A thread may hold one without holding the store.
pub(crate) struct Sweep {
    pub database: Arc<Database>,
    pub clock: Arc<dyn Clock>,
    pub principal: String,
    pub undo_window_micros: i64,
}

impl Sweep {
    fn deadlines(&self, now: Timestamp) -> Deadlines {
        Deadlines { expired: now, deleted: now.plus_micros(-self.undo_window_micros) }
    }

    /// Removes what is due, until nothing is, as long as every commit gets its turn within `patience`.
    pub fn run_patiently(&self, call: &Call, patience: Duration) -> Result<Swept> {
        let waiting = Arc::new(Waiting::default());
        let call = call.clone().with_interrupt(Arc::clone(&waiting) as Arc<dyn Interrupt>);
        self.run_with(&call, || waiting.begin(patience), || waiting.end())
    }

    /// Removes what is due, until nothing is.
    pub fn run(&self, call: &Call) -> Result<Swept> {
        self.run_with(call, || {}, || {})
    }

    /// Takes no guard where nothing is due at all.
    fn run_with(&self, call: &Call, wait: impl Fn(), work: impl Fn()) -> Result<Swept> {
        let mut total = Swept::default();
        loop {
            wait();
            let deadlines = self.deadlines(self.clock.now());
            if !removal::is_any_due(&*self.database.read(call)?, deadlines)? {
                return Ok(total);
            }
            let batch = commit(&self.database, &*self.clock, &self.principal, call, |commit| {
                work();
                self.batch(commit)
            })?;
            if batch == Swept::default() {
                // Another process was faster, or the clock went back.
                return Ok(total);
            }
            total.expired += batch.expired;
            total.deleted += batch.deleted;
        }
    }

    fn batch(&self, commit: &mut Commit<'_>) -> Result<Swept> {
        let begun = Instant::now();
        let mut swept = Swept::default();
        let mut chunks = 0;
        for due in removal::due(commit.transaction, self.deadlines(commit.now), BATCH)? {
            chunks += commit.sweep(due.row, due.id, due.kind)?.chunks;
            *(if due.is_expired { &mut swept.expired } else { &mut swept.deleted }) += 1;
            if chunks >= BATCH_CHUNKS || begun.elapsed() >= BATCH_TIME {
                break;
            }
        }
        Ok(swept)
    }
}

impl Store {
    /// Removes for good the items that have expired and those that were deleted longer ago than the undo window lasts,
    /// in commits of at most 256, until nothing is due. Their content is not overwritten at once, as [`Store::purge`]
    /// does it.
    ///
    /// # Errors
    ///
    /// `PermissionDenied` for a store opened read-only, `Locked`, `Timeout`, `Cancelled`, `Io`: the commits before it
    /// stand.
    pub fn sweep(&self, call: &Call) -> Result<Swept> {
        if self.database.is_read_only() {
            return Err(Error::permission_denied("the store is opened read-only").with_hint("open it for writing"));
        }
        self.sweeping().run(call)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use recollect_model::{Draft, DraftContent, DraftFields, ErrorCode, Kind};
    use recollect_storage::OpenOptions;

    use super::*;
    use crate::open::StoreOptions;

    #[test]
    fn patience_is_for_the_wait_and_not_for_the_work() {
        let call = Call::unlimited();
        let options = StoreOptions { sweep: false, ..StoreOptions::new(OpenOptions::memory()) };
        let store = Store::open(options, &call).unwrap();
        let draft = |number: u32| Draft {
            fields: DraftFields { expires_at: Some(Timestamp(0)), ..DraftFields::default() },
            content: DraftContent::Rule {
                text: format!("rule {number}"),
                applies_to: Vec::new(),
                modes: Vec::new(),
                always_on: false,
            },
        };
        let sweep = store.sweeping();
        store.add(Kind::Rule, vec![draft(1)], None, &call).unwrap();
        let ((holds, held), (end, may_end)) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
        let database = store.database();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                database.write(&Call::unlimited(), |_| {
                    holds.send(()).unwrap();
                    may_end.recv().unwrap();
                    Ok(())
                })
            });
            held.recv().unwrap();
            let begun = Instant::now();
            let error = sweep.run_patiently(&call, Duration::ZERO).unwrap_err();
            assert_eq!(error.code(), ErrorCode::Cancelled);
            assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
            end.send(()).unwrap();
        });
        // Each step of the work would be too long.
        let waiting = Arc::new(Waiting::default());
        let patient = Call::unlimited().with_interrupt(Arc::clone(&waiting) as Arc<dyn Interrupt>);
        let swept = sweep.run_with(
            &patient,
            || waiting.begin(Duration::from_millis(200)),
            || {
                waiting.end();
                std::thread::sleep(Duration::from_millis(300));
            },
        );
        assert_eq!(swept.unwrap(), Swept { expired: 1, deleted: 0 });
    }
}
