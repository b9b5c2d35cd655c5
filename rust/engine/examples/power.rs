//! What `tests/prove/power.py` runs: a store on a disk that loses power, and a look at what is left.
//!
//! ```text
//! power run FOLDER SEED ROUNDS CUTS full|normal|off honest|lying|refusing new|OLD_STORE
//! power verify FOLDER full|normal
//! power fill STORE
//! ```
//!
//! `run` does every kind of step to a store and, at moments chosen by the seed, writes the folder that a power cut
//! would leave to `FOLDER/cut-N`. With `OLD_STORE` the store begins as a copy of that file; the file beside it with the
//! ending `.txt` says what was promised of its content. With `refusing` the disk is honest, updates are refused, and
//! the session is told that they were done. `verify`, a process that has no layer beneath libSQL, opens each of these
//! folders and says what it found, one line of words each. `fill` makes an `OLD_STORE` of the newest schema.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

mod workload;

#[path = "workload/verdict.rs"]
mod verdict;

use std::collections::HashSet;
use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use recollect_engine::Durability;
use recollect_faults::{Disk, Moment, Operation};
use recollect_model::{Error, Result};
use workload::{Chance, Ledger, Session, Step, chosen_steps, fingerprint, panics};

/// Frames in the log at which the checkpointer wakes: often.
const CHECKPOINT_FRAMES: u64 = 60;

/// Of so many cuts one falls into the first so many changes, in which the store comes into being or is migrated.
const CUTS_WHILE_OPENING: u64 = 5;
const OPENING: u64 = 80;

/// And of so many one falls on a sync or on the cutting of a file, of which there are few.
const CUTS_AT_RARE: u64 = 4;

fn main() -> ExitCode {
    panics::watch();
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["run", folder, seed, rounds, cuts, durability, disk, old] => {
            Plan::new(Path::new(folder), [seed, rounds, cuts], durability, disk, old).and_then(|plan| plan.run())
        }
        ["verify", folder, durability] => verdict::verify(Path::new(folder), *durability == "full"),
        ["fill", store] => fill(Path::new(store)),
        _ => Err(Error::invalid("see the top of this program for its arguments")),
    };
    let panics = panics::count();
    match outcome {
        Ok(()) if panics == 0 => ExitCode::SUCCESS,
        Ok(()) => {
            println!("failed internal {panics} threads panicked");
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("failed {} {error}", error.code().as_str());
            ExitCode::FAILURE
        }
    }
}

/// What a run is told to do.
struct Plan<'a> {
    folder: &'a Path,
    seed: u64,
    cuts: u64,
    durability: Durability,
    disk: &'a str,
    old: Option<PathBuf>,
    steps: Vec<Step>,
}

/// When the power goes: the numbers of changes, and those of the rare ones counted apart.
#[derive(Default)]
struct Moments {
    any: HashSet<u64>,
    rare: HashSet<u64>,
}

const fn is_rare(moment: &Moment<'_>) -> bool {
    matches!(moment.operation(), Operation::Sync | Operation::Truncate)
}

/// How far the promises reach. A step is counted when its call has answered; the opening is step 0.
struct Progress {
    /// The last step that was acknowledged.
    done: AtomicI64,
    /// The last step whose acknowledgement says that it is on the disk, however durable commits are.
    floor: AtomicI64,
    /// Purged words so far.
    purged: AtomicUsize,
    under_way: Mutex<String>,
}

impl<'a> Plan<'a> {
    fn new(folder: &'a Path, numbers: [&str; 3], durability: &str, disk: &'a str, old: &str) -> Result<Self> {
        let [Ok(seed), Ok(rounds), Ok(cuts)] = numbers.map(str::parse::<u64>) else {
            return Err(Error::invalid("SEED, ROUNDS and CUTS are numbers"));
        };
        let durability = match durability {
            "full" => Durability::Full,
            "normal" => Durability::Normal,
            #[cfg(feature = "amplifier")]
            "off" => Durability::Off,
            word => return Err(Error::invalid(format!("{word} is no durability of this build"))),
        };
        let steps = chosen_steps(seed, usize::try_from(rounds).unwrap_or(1));
        let old = (old != "new").then(|| PathBuf::from(old));
        Ok(Self { folder, seed, cuts, durability, disk, old, steps })
    }

    fn run(&self) -> Result<()> {
        recollect_faults::install();
        let (rehearsed, rare) = self.rehearse()?;
        let live = self.folder.join("live");
        let disk = self.watch(&live)?;
        disk.lie(self.disk == "lying");
        let mut session = self.session(&live)?;
        let is_old = self.old.is_some();
        // What an old store holds was promised, and is on the disk, before anything is done to it.
        let beginning = if is_old { 0 } else { -1 };
        let progress = Arc::new(Progress {
            done: AtomicI64::new(beginning),
            floor: AtomicI64::new(beginning),
            purged: AtomicUsize::new(0),
            under_way: Mutex::new(if is_old { "Migration" } else { "Creation" }.to_owned()),
        });
        fs::create_dir_all(self.folder.join("ledgers")).map_err(failed)?;
        self.promise(0, &session.ledger)?;
        self.cut_at(&disk, self.moments(rehearsed, rare), &progress)?;
        session.open()?;
        let mut states = create(&self.folder.join("states"))?;
        let uuid = session.store()?.uuid_text();
        let mut seq = note(&session, &mut states)?;
        progress.done.store(0, Ordering::SeqCst);
        if let Some(problem) = session.ledger.difference(&Ledger::of_store(session.store()?)?) {
            println!("finding 0 Opening: {problem}");
        }
        for (number, step) in (1_i64..).zip(&self.steps) {
            *progress.under_way.lock().unwrap_or_else(PoisonError::into_inner) = name_of(*step);
            let failed_step = |error: Error| Error::new(error.code(), format!("{step:?}: {error}"));
            let done = session.perform(*step).map_err(failed_step)?;
            self.promise(number, &session.ledger)?;
            progress.purged.store(session.purged.len(), Ordering::SeqCst);
            progress.done.store(number, Ordering::SeqCst);
            if done.is_flushed {
                progress.floor.store(number, Ordering::SeqCst);
            }
            let before = std::mem::replace(&mut seq, note(&session, &mut states)?);
            if done.must_commit && seq <= before {
                println!("finding {number} {step:?}: it went well, and the store is still at commit {seq}");
            }
            if let Some(problem) = done.problem {
                println!("finding {number} {step:?}: {}", problem.replace('\n', " "));
            }
        }
        "Close".clone_into(&mut progress.under_way.lock().unwrap_or_else(PoisonError::into_inner));
        session.close()?;
        fs::write(self.folder.join("purged"), session.purged.join("\n")).map_err(failed)?;
        fs::write(self.folder.join("uuid"), uuid).map_err(failed)?;
        println!("changes {} rehearsed {rehearsed}", disk.changes());
        Ok(())
    }

    /// The whole without cuts, to know how many moments there are, and how many rare ones among them.
    fn rehearse(&self) -> Result<(u64, u64)> {
        let folder = self.folder.join("rehearsal");
        let disk = self.watch(&folder)?;
        let rare = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&rare);
        disk.look(move |moment| {
            seen.fetch_add(u64::from(is_rare(moment)), Ordering::SeqCst);
        });
        let mut session = self.session(&folder)?;
        session.open()?;
        for step in &self.steps {
            session.perform(*step).map_err(|error| Error::new(error.code(), format!("{step:?}: {error}")))?;
        }
        session.close()?;
        Ok((disk.changes(), rare.load(Ordering::SeqCst)))
    }

    fn moments(&self, rehearsed: u64, rare: u64) -> Moments {
        let mut chance = Chance::new(self.seed ^ 0xC07);
        let mut moments = Moments::default();
        for cut in 0..self.cuts {
            if cut % CUTS_AT_RARE == 1 {
                moments.rare.insert(1 + chance.below(rare.max(1)));
            } else {
                let is_early = cut % CUTS_WHILE_OPENING == 0;
                moments.any.insert(1 + chance.below(if is_early { rehearsed.min(OPENING) } else { rehearsed }));
            }
        }
        moments
    }

    fn cut_at(&self, disk: &Disk, moments: Moments, progress: &Arc<Progress>) -> Result<()> {
        let mut list = create(&self.folder.join("cuts"))?;
        let (progress, place, seed) = (Arc::clone(progress), self.folder.to_owned(), self.seed);
        let mut rare = 0;
        disk.look(move |moment| {
            rare += u64::from(is_rare(moment));
            let is_due = moments.any.contains(&moment.number()) || (is_rare(moment) && moments.rare.contains(&rare));
            if !is_due {
                return;
            }
            let number = moment.number();
            let into = place.join(format!("cut-{number}"));
            let written = moment.cut(Some(seed.wrapping_mul(1_000_003) ^ number), &into).and_then(|()| {
                let Progress { done, floor, purged, under_way } = &*progress;
                let (done, floor) = (done.load(Ordering::SeqCst), floor.load(Ordering::SeqCst));
                let purged = purged.load(Ordering::SeqCst);
                let step = under_way.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let file = kind_of(moment.file());
                writeln!(list, "{number} {:?} {file} {step} {done} {floor} {purged}", moment.operation())
            });
            if let Err(error) = written {
                println!("failed io {}: {error}", into.display());
            }
        });
        Ok(())
    }

    fn watch(&self, folder: &Path) -> Result<Disk> {
        fs::create_dir_all(folder).map_err(failed)?;
        if let Some(old) = &self.old {
            fs::copy(old, folder.join("store.db")).map_err(failed)?;
        }
        Disk::watch(folder).map_err(failed)
    }

    fn session(&self, folder: &Path) -> Result<Session> {
        let mut session = Session::new(&folder.join("store.db"), self.durability, CHECKPOINT_FRAMES, self.seed);
        if let Some(old) = &self.old {
            session.ledger = Ledger::from_text(&fs::read_to_string(old.with_extension("txt")).map_err(failed)?)?;
        }
        session.is_refusing = self.disk == "refusing";
        session.lies = if session.is_refusing { usize::MAX } else { 0 };
        Ok(session)
    }

    fn promise(&self, step: i64, ledger: &Ledger) -> Result<()> {
        fs::write(self.folder.join(format!("ledgers/{step}")), ledger.to_text()).map_err(failed)
    }
}

fn name_of(step: Step) -> String {
    let words = format!("{step:?}");
    words.split('(').next().unwrap_or_default().to_owned()
}

fn kind_of(file: &str) -> &'static str {
    match file.rsplit_once('-') {
        Some((_, "wal")) => "log",
        Some((_, "journal")) => "journal",
        _ if file == "store.db" => "database",
        _ => "other",
    }
}

/// Writes down what the store says of itself, beside what its calls promised.
fn note(session: &Session, states: &mut fs::File) -> Result<u64> {
    let (seq, digest) = fingerprint(session.store()?)?;
    writeln!(states, "{seq} {digest}").map_err(failed)?;
    Ok(seq)
}

fn create(path: &Path) -> Result<fs::File> {
    fs::File::create(path).map_err(failed)
}

fn failed(error: std::io::Error) -> Error {
    Error::io("a file of the run cannot be used").with_source(error)
}

/// Makes a store that has something of everything, and the text that says what.
fn fill(path: &Path) -> Result<()> {
    let mut session = Session::new(path, Durability::Full, CHECKPOINT_FRAMES, 11);
    session.open()?;
    let steps = chosen_steps(11, 2);
    let is_kept = |step: &Step| !matches!(step, Step::Purge | Step::Sweep);
    for step in steps.into_iter().filter(is_kept) {
        session.perform(step)?;
    }
    session.close()?;
    fs::write(path.with_extension("txt"), session.ledger.to_text()).map_err(failed)
}
