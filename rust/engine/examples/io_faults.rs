//! What `tests/prove/io_faults.py` runs: the same work again and again, and each time another call of libSQL to the
//! file system is the one that fails.
//!
//! ```text
//! io_faults sweep FOLDER SEED device|full|sync|silent|claimed once|lasting new|OLD_STORE quiet|busy FIRST STRIDE MOST
//! ```
//!
//! Runs number FIRST, FIRST + STRIDE, … until one in which the work came to its end before its call was made, or MOST
//! runs are done. Each run prints one line of words: `run N OPERATION FILE sound` or `run N OPERATION FILE bad` and a
//! sentence; the last line is `end RUNS complete` or `end RUNS stopped`.
//!
//! With `busy` the background checkpointer and the sweeper run, too, so that no two runs are the same. With `claimed` the
//! device fails and the session reports the first failed step as done. An `OLD_STORE` has a file beside it with the ending
//! `.txt`, which says what was promised of its content.
//!
//! In every run each call answers with what it should or with a typed error; the store, once the fault has ended, goes
//! on (after a reopening, if the handle says that it is lost); the store holds exactly what the answers of its calls
//! promised, and what was not acknowledged as a whole or not at all. In the end the store is looked at as it stands, and as it would
//! stand had the power been cut: what was acknowledged must be on the disk.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

mod workload;

use std::collections::HashMap;
use std::env;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use recollect_engine::Durability;
use recollect_faults::{Disk, Fault, FaultKind, Fired, Lasts, Operation};
use recollect_model::{Error, ErrorCode, Result};
use workload::session::UNDO_WINDOW;
use workload::verbs::Done;
use workload::{Ledger, Session, Step, call, chosen_steps, fingerprint, panics};

/// The background checkpointer would make each run another one.
const NEVER: u64 = u64::MAX;

/// Frames in the log at which it wakes, and how often the sweeper looks, where they are to run.
const BUSY_FRAMES: u64 = 10;
const BUSY_LOOKS: Duration = Duration::from_millis(3);

/// How many steps run under a lasting fault before it is lifted.
const UNDER_FAULT: usize = 3;

/// The commits that one step makes at most.
const COMMITS_OF_A_STEP: u64 = 2;

fn main() -> ExitCode {
    panics::watch();
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ["sweep", folder, seed, kind, lasts, old, pace, first, stride, most] = words.as_slice() else {
        println!("failed: see the top of this program for its arguments");
        return ExitCode::FAILURE;
    };
    let is_claiming = *kind == "claimed";
    let kind = match *kind {
        "device" | "claimed" => FaultKind::Device,
        "full" => FaultKind::Full,
        "sync" => FaultKind::Sync,
        _ => FaultKind::SilentSync,
    };
    let lasts = if *lasts == "once" { Lasts::Once } else { Lasts::UntilLifted };
    let number = |word: &str| word.parse::<u64>().unwrap_or(1);
    let old = (*old != "new").then(|| PathBuf::from(old));
    recollect_faults::install();
    let mut nth = number(first);
    for done in 0..number(most) {
        let run_folder = Path::new(folder).join(format!("run-{nth}"));
        let fault = Fault { kind, nth, lasts };
        let seed = number(seed);
        let way = Way { seed, fault, old: old.as_deref(), is_busy: *pace == "busy", is_claiming };
        let earlier_panics = panics::count();
        let outcome = catch_unwind(AssertUnwindSafe(|| Run::perform(&run_folder, way)));
        let (fired, verdict) = match outcome {
            _ if panics::count() > earlier_panics => (None, "bad a thread panicked".to_owned()),
            Ok(Ok(fired)) => (fired, "sound".to_owned()),
            Ok(Err((fired, problem))) => (fired, format!("bad {}", problem.replace('\n', " "))),
            Err(_) => (None, "bad it panicked".to_owned()),
        };
        match fired {
            None if verdict == "sound" => {
                let _removed = fs::remove_dir_all(&run_folder);
                println!("end {done} complete");
                return ending();
            }
            None => println!("run {nth} none none {verdict}"),
            Some(fired) => println!("run {nth} {:?} {} {verdict}", fired.operation, fired.file),
        }
        if verdict == "sound" {
            let _removed = fs::remove_dir_all(&run_folder);
        }
        nth += number(stride);
    }
    println!("end {} stopped", number(most));
    ending()
}

/// A panic of any thread is a failure of the program.
fn ending() -> ExitCode {
    if panics::count() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How a run goes.
#[derive(Clone, Copy)]
struct Way<'a> {
    seed: u64,
    fault: Fault,
    old: Option<&'a Path>,
    is_busy: bool,
    is_claiming: bool,
}

type Verdict<T> = std::result::Result<T, String>;

/// One run.
struct Run {
    disk: Disk,
    session: Session,
    fault: Fault,
    /// Every state that was seen, by the number of its last commit.
    states: HashMap<u64, String>,
    /// The last state that was seen; none before the first opening.
    seen: Option<u64>,
    /// The last commit that was there when a step was acknowledged.
    acknowledged: u64,
    /// What the store may hold in the end: what the calls promised last, and what came after that without a promise.
    allowed: Vec<Ledger>,
    /// Whether the last look could read the store.
    was_read: bool,
    /// Whether a thread of the store's own commits, too.
    is_busy: bool,
    /// Steps that failed since the fault began.
    failed: usize,
    is_lifted: bool,
}

impl Run {
    /// The call that failed, if it was made. An error is the first promise that did not hold.
    fn perform(place: &Path, way: Way<'_>) -> std::result::Result<Option<Fired>, (Option<Fired>, String)> {
        let Way { seed, fault, old, is_busy, is_claiming } = way;
        let plain = |error: std::io::Error| (None, format!("the run cannot be prepared: {error}"));
        fs::create_dir_all(place).map_err(plain)?;
        if let Some(old) = old {
            fs::copy(old, place.join("store.db")).map_err(plain)?;
        }
        let disk = Disk::watch(place).map_err(plain)?;
        let frames = if is_busy { BUSY_FRAMES } else { NEVER };
        let mut session = Session::new(&place.join("store.db"), Durability::Full, frames, seed);
        session.sweeper = is_busy.then_some(BUSY_LOOKS);
        session.lies = usize::from(is_claiming);
        if let Some(old) = old {
            let text = fs::read_to_string(old.with_extension("txt")).map_err(plain)?;
            session.ledger = Ledger::from_text(&text).map_err(|error| (None, format!("no promises: {error}")))?;
        }
        let allowed = vec![session.ledger.clone()];
        let mut run = Self {
            disk,
            session,
            fault,
            states: HashMap::new(),
            seen: None,
            acknowledged: 0,
            allowed,
            was_read: false,
            is_busy,
            failed: 0,
            is_lifted: false,
        };
        run.disk.fail(fault);
        let outcome = run.steps(seed).and_then(|()| run.end(place));
        let fired = run.first_fired();
        match outcome {
            Ok(()) => Ok(fired),
            Err(problem) => Err((fired, problem)),
        }
    }

    fn first_fired(&self) -> Option<Fired> {
        self.disk.fired().into_iter().next()
    }

    fn steps(&mut self, seed: u64) -> Verdict<()> {
        self.open()?;
        for step in chosen_steps(seed, 1) {
            if !self.session.is_open() {
                self.open()?;
            }
            match self.session.perform(step) {
                Ok(done) => self.after_success(step, done)?,
                Err(error) => self.after_failure(step, &error)?,
            }
        }
        Ok(())
    }

    /// Opens the store, and again if the fault keeps it from being opened.
    fn open(&mut self) -> Verdict<()> {
        while let Err(error) = self.session.open() {
            self.check_typed("opening", &error)?;
            self.failed += 1;
            self.lift_when_due();
        }
        self.look()
    }

    fn after_success(&mut self, step: Step, done: Done) -> Verdict<()> {
        if let Some(problem) = done.problem {
            return Err(format!("{step:?}: {problem}"));
        }
        let before = self.seen;
        if self.session.intended.is_some() {
            // From here on nothing less is allowed. A step that wrote nothing says nothing of what an earlier, failed
            // one left.
            self.allowed = vec![self.session.ledger.clone()];
        }
        self.look()?;
        if let (Some(before), Some(now)) = (before, self.seen) {
            if now < before {
                return Err(format!("{step:?} went well, and the store fell from commit {before} to {now}"));
            }
            // A handle that a thread of the store's own has lost meanwhile cannot be looked at.
            if done.must_commit && now == before && self.was_read {
                return Err(format!("{step:?} went well, and the store is still at commit {now}"));
            }
            if now > before {
                self.acknowledged = now;
            }
        }
        Ok(())
    }

    fn after_failure(&mut self, step: Step, error: &Error) -> Verdict<()> {
        self.check_typed(&format!("{step:?}"), error)?;
        // It may be there, as a whole; the next look tells.
        self.allowed.extend(self.session.intended.take());
        self.failed += 1;
        let was_lifted = self.is_lifted;
        self.lift_when_due();
        if !self.session.is_open() {
            return self.open();
        }
        if is_loss(error) {
            // Every later call says so, and closing works.
            match self.session.perform(Step::Add) {
                Err(error) if is_loss(&error) => {}
                Err(error) => return Err(format!("a lost handle answers {error:?}")),
                Ok(_) => return Err("a lost handle took a write".to_owned()),
            }
            self.session.close().map_err(|error| format!("a lost handle is not closed: {error:?}"))?;
            self.open()
        } else if was_lifted {
            Err(format!("{step:?} fails after the fault was lifted: {error:?}"))
        } else {
            self.check_handle(step, error)?;
            self.look()
        }
    }

    /// A handle that is not lost: it must not have been let down while writing, and goes on if the disk was only full.
    fn check_handle(&mut self, step: Step, error: &Error) -> Verdict<()> {
        let Some(last) = self.disk.fired().pop() else {
            return Err(format!("{step:?} fails without a fault: {error:?}"));
        };
        let is_written = matches!(last.operation, Operation::Write | Operation::Truncate | Operation::Sync);
        if self.fault.kind != FaultKind::Full && is_written {
            return Err(format!(
                "{step:?}: {:?} of {} failed, and the handle is not lost: {error:?}",
                last.operation, last.file
            ));
        }
        // What the step left must be told before another one follows.
        self.look()?;
        self.disk.pause(true);
        let goes_on = self.session.perform(Step::Add);
        self.disk.pause(self.is_lifted);
        match goes_on {
            Ok(done) => self.after_success(Step::Add, done),
            Err(error) => Err(format!("{step:?} failed, and the handle does not go on: {error:?}")),
        }
    }

    fn lift_when_due(&mut self) {
        if self.fault.lasts == Lasts::Once || self.failed >= UNDER_FAULT {
            self.disk.pause(true);
            self.is_lifted = true;
        }
    }

    fn check_typed(&self, what: &str, error: &Error) -> Verdict<()> {
        if self.disk.fired().is_empty() {
            return Err(format!("{what} fails without a fault: {error:?}"));
        }
        if error.code() == ErrorCode::Io && !error.hint().is_empty() {
            return Ok(());
        }
        Err(format!("{what} answers {error:?}"))
    }

    /// Reads the whole store and compares it with what it may hold now.
    fn look(&mut self) -> Verdict<()> {
        self.disk.pause(true);
        let found = self.session.store().and_then(|store| Ok((fingerprint(store)?, Ledger::of_store(store)?)));
        self.disk.pause(self.is_lifted);
        self.was_read = found.is_ok();
        let ((seq, digest), held) = match found {
            Ok(found) => found,
            // The handle is lost without having said so yet; the next step does.
            Err(error) if is_loss(&error) => return Ok(()),
            Err(error) => return Err(format!("the store cannot be read: {error:?}")),
        };
        let now_held = self.matching(&held)?;
        if !self.allowed.contains(&now_held) {
            self.allowed.push(now_held.clone());
        }
        self.session.ledger = now_held;
        if let Some(seen) = self.seen {
            if seq < self.acknowledged {
                return Err(format!("commit {} was acknowledged, and the store is at {seq}", self.acknowledged));
            }
            if !self.is_busy && seq > seen + COMMITS_OF_A_STEP + 1 {
                return Err(format!("the store went from commit {seen} to {seq} in one step"));
            }
            if seq <= seen && self.states.get(&seq) != Some(&digest) {
                return Err(format!("commit {seq} does not hold what it held"));
            }
        }
        self.states.insert(seq, digest);
        self.seen = Some(seq);
        Ok(())
    }

    /// Which of the ledgers that are allowed a store holds, the newest if it is more than one.
    fn matching(&self, held: &Ledger) -> Verdict<Ledger> {
        let trimmed = |ledger: &Ledger| {
            if self.is_busy {
                // The sweeper may have removed what is due, and may not.
                ledger.without_due(self.session.now(), UNDO_WINDOW)
            } else {
                ledger.clone()
            }
        };
        let held_here = trimmed(held);
        let is_held = |ledger: &&Ledger| trimmed(ledger).difference(&held_here).is_none();
        if let Some(found) = self.allowed.iter().rev().find(is_held) {
            let mut found = if self.is_busy { self.swept_as(found, held) } else { found.clone() };
            found.name(held);
            return Ok(found);
        }
        let mut pairs = self.allowed.iter().zip(self.allowed.iter().skip(1)).rev();
        if let Some(found) = pairs.find_map(|(before, after)| before.on_the_way_to(after, held)) {
            return Ok(found);
        }
        let first = self.allowed.first().and_then(|ledger| trimmed(ledger).difference(&held_here));
        Err(format!("the store holds no promise as a whole: {}", first.unwrap_or_default()))
    }

    /// A ledger with those of its items that a sweeper has not removed, and those due that it has yet to remove.
    fn swept_as(&self, promised: &Ledger, held: &Ledger) -> Ledger {
        let known = |key: &String| {
            let earlier = self.allowed.iter().rev().find_map(|ledger| ledger.0.get(key));
            promised.0.get(key).or(earlier).cloned()
        };
        Ledger(held.0.keys().filter_map(|key| known(key).map(|entry| (key.clone(), entry))).collect())
    }

    /// The fault is over: the store closes, and opens again; so does what a power cut would have left.
    fn end(&mut self, place: &Path) -> Verdict<()> {
        self.disk.pause(true);
        self.is_lifted = true;
        // A handle that was lost unnoticed may say so; it closes all the same.
        self.session.close().map_err(|error| format!("the store does not close: {error:?}"))?;
        let image = place.join("after-power-cut");
        let allowed = self.allowed.clone();
        self.disk.cut(None, &image).map_err(|error| format!("no image: {error}"))?;
        self.session.open().map_err(|error| format!("the store does not open again: {error:?}"))?;
        self.look()?;
        self.check_sound()?;
        let last = self.session.perform(Step::Add);
        last.map_err(|error| format!("the store takes no write again: {error:?}"))?;
        self.session.close().map_err(|error| format!("the store does not close again: {error:?}"))?;
        self.end_in_image(&image, &allowed)
    }

    fn end_in_image(&mut self, image: &Path, allowed: &[Ledger]) -> Verdict<()> {
        let mut left = Session::new(&image.join("store.db"), Durability::Normal, NEVER, 7);
        left.open().map_err(|error| format!("after a power cut the store does not open: {error:?}"))?;
        let found = left.store().and_then(fingerprint);
        let (seq, digest) = found.map_err(|error| format!("after a power cut the store is unreadable: {error:?}"))?;
        let held = left.store().and_then(Ledger::of_store);
        let held = held.map_err(|error| format!("after a power cut the store is unreadable: {error:?}"))?;
        self.allowed = allowed.to_vec();
        self.matching(&held).map_err(|problem| format!("after a power cut {problem}"))?;
        if seq < self.acknowledged {
            return Err(format!("after a power cut the store is at {seq}; {} was acknowledged", self.acknowledged));
        }
        if self.states.get(&seq).is_some_and(|known| *known != digest) {
            return Err(format!("after a power cut commit {seq} does not hold what it held"));
        }
        std::mem::swap(&mut self.session, &mut left);
        let sound = self.check_sound().map_err(|problem| format!("after a power cut: {problem}"));
        std::mem::swap(&mut self.session, &mut left);
        left.close().map_err(|error| format!("after a power cut the store does not close: {error:?}"))?;
        sound
    }

    fn check_sound(&self) -> Verdict<()> {
        let report: Result<_> = self.session.store().and_then(|store| store.check(false, &call()));
        match report {
            Ok(report) => report.problems.first().map_or(Ok(()), |problem| Err(format!("damaged: {problem}"))),
            Err(error) => Err(format!("the store cannot be checked: {error:?}")),
        }
    }
}

fn is_loss(error: &Error) -> bool {
    error.message().contains("the handle is lost")
}
