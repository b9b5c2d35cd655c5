//! What `tests/prove/io_faults.py` runs: the same work again and again, and each time another call of libSQL to the
//! file system is the one that fails.
//!
//! ```text
//! io_faults sweep FOLDER SEED device|full|sync|silent once|lasting new|OLD_STORE FIRST STRIDE MOST
//! ```
//!
//! Runs number FIRST, FIRST + STRIDE, … until one in which the work came to its end before its call was made, or MOST
//! runs are done. Each run prints one line of words: `run N OPERATION FILE sound` or `run N OPERATION FILE bad` and a
//! sentence; the last line is `end RUNS complete` or `end RUNS stopped`.
//!
//! In every run each call answers with what it should or with a typed error; the store, once the fault has ended, goes
//! on (after a reopening, if the handle says that it is lost); nothing acknowledged is missing, and what was not
//! acknowledged is there as a whole or not at all. In the end the store is looked at as it stands, and as it would
//! stand had the power been cut: what was acknowledged must be on the disk.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

mod workload;

use std::collections::HashMap;
use std::env;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use recollect_engine::Durability;
use recollect_faults::{Disk, Fault, FaultKind, Fired, Lasts, Operation};
use recollect_model::{Error, ErrorCode, Result};
use workload::steps::call;
use workload::{Session, Step, chosen_steps, fingerprint};

/// The background checkpointer would make each run another one.
const NEVER: u64 = u64::MAX;

/// How many steps run under a lasting fault before it is lifted.
const UNDER_FAULT: usize = 3;

/// The commits that one step makes at most.
const COMMITS_OF_A_STEP: u64 = 2;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ["sweep", folder, seed, kind, lasts, old, first, stride, most] = words.as_slice() else {
        println!("failed: see the top of this program for its arguments");
        return ExitCode::FAILURE;
    };
    let kind = match *kind {
        "device" => FaultKind::Device,
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
        let place = Path::new(folder).join(format!("run-{nth}"));
        let fault = Fault { kind, nth, lasts };
        let seed = number(seed);
        let outcome = catch_unwind(AssertUnwindSafe(|| Run::perform(&place, seed, fault, old.as_deref())));
        let (fired, verdict) = match outcome {
            Ok(Ok(fired)) => (fired, "sound".to_owned()),
            Ok(Err((fired, problem))) => (fired, format!("bad {}", problem.replace('\n', " "))),
            Err(_) => (None, "bad it panicked".to_owned()),
        };
        match fired {
            None if verdict == "sound" => {
                let _removed = fs::remove_dir_all(&place);
                println!("end {done} complete");
                return ExitCode::SUCCESS;
            }
            None => println!("run {nth} none none {verdict}"),
            Some(fired) => println!("run {nth} {:?} {} {verdict}", fired.operation, fired.file),
        }
        if verdict == "sound" {
            let _removed = fs::remove_dir_all(&place);
        }
        nth += number(stride);
    }
    println!("end {} stopped", number(most));
    ExitCode::SUCCESS
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
    /// The last commit that was acknowledged.
    acknowledged: u64,
    /// Steps that failed since the fault began.
    failed: usize,
    is_lifted: bool,
}

impl Run {
    /// The call that failed, if it was made. An error is the first promise that did not hold.
    fn perform(
        place: &Path,
        seed: u64,
        fault: Fault,
        old: Option<&Path>,
    ) -> std::result::Result<Option<Fired>, (Option<Fired>, String)> {
        let plain = |error: std::io::Error| (None, format!("the run cannot be prepared: {error}"));
        fs::create_dir_all(place).map_err(plain)?;
        if let Some(old) = old {
            fs::copy(old, place.join("store.db")).map_err(plain)?;
        }
        let disk = Disk::watch(place).map_err(plain)?;
        let session = Session::new(&place.join("store.db"), Durability::Full, NEVER, seed);
        let mut run = Self {
            disk,
            session,
            fault,
            states: HashMap::new(),
            seen: None,
            acknowledged: 0,
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
                Ok(()) => self.after_success(step)?,
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

    fn after_success(&mut self, step: Step) -> Verdict<()> {
        let before = self.seen;
        self.look()?;
        if let (Some(before), Some(now)) = (before, self.seen) {
            if now < before {
                return Err(format!("{step:?} went well, and the store fell from commit {before} to {now}"));
            }
            // A step that commits nothing says nothing of what an earlier, failed one left.
            if now > before {
                self.acknowledged = now;
            }
        }
        Ok(())
    }

    fn after_failure(&mut self, step: Step, error: &Error) -> Verdict<()> {
        self.check_typed(&format!("{step:?}"), error)?;
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
                Ok(()) => return Err("a lost handle took a write".to_owned()),
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
        self.disk.pause(true);
        let goes_on = self.session.perform(Step::Add);
        self.disk.pause(false);
        match goes_on {
            Ok(()) => Ok(()),
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
        let found = self.session.store().and_then(fingerprint);
        self.disk.pause(self.is_lifted);
        let (seq, digest) = match found {
            Ok(found) => found,
            // The handle is lost without having said so yet; the next step does.
            Err(error) if is_loss(&error) => return Ok(()),
            Err(error) => return Err(format!("the store cannot be read: {error:?}")),
        };
        if let Some(seen) = self.seen {
            if seq < self.acknowledged {
                return Err(format!("commit {} was acknowledged, and the store is at {seq}", self.acknowledged));
            }
            if seq > seen + COMMITS_OF_A_STEP + 1 {
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

    /// The fault is over: the store closes, and opens again; so does what a power cut would have left.
    fn end(&mut self, place: &Path) -> Verdict<()> {
        self.disk.pause(true);
        self.is_lifted = true;
        // A handle that was lost unnoticed may say so; it closes all the same.
        self.session.close().map_err(|error| format!("the store does not close: {error:?}"))?;
        let image = place.join("after-power-cut");
        self.disk.cut(None, &image).map_err(|error| format!("no image: {error}"))?;
        self.session.open().map_err(|error| format!("the store does not open again: {error:?}"))?;
        self.look()?;
        self.check_sound()?;
        self.session.perform(Step::Add).map_err(|error| format!("the store takes no write again: {error:?}"))?;
        self.session.close().map_err(|error| format!("the store does not close again: {error:?}"))?;
        self.end_in_image(&image)
    }

    fn end_in_image(&mut self, image: &Path) -> Verdict<()> {
        if self.acknowledged == 0 {
            return Ok(());
        }
        let mut left = Session::new(&image.join("store.db"), Durability::Normal, NEVER, 7);
        left.open().map_err(|error| format!("after a power cut the store does not open: {error:?}"))?;
        let found = left.store().and_then(fingerprint);
        let (seq, digest) = found.map_err(|error| format!("after a power cut the store is unreadable: {error:?}"))?;
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
