//! What `tests/prove/power.py` runs: a store on a disk that loses power, and a look at what is left.
//!
//! ```text
//! power run FOLDER SEED ROUNDS CUTS full|normal|off honest|lying [OLD_STORE]
//! power verify FOLDER full|normal
//! ```
//!
//! `run` does every kind of step to a store and, at moments chosen by the seed, writes the folder that a power cut
//! would leave to `FOLDER/cut-N`. With `OLD_STORE` the store begins as a copy of that file. `verify`, a process that
//! has no layer beneath libSQL, opens each of these folders and says what it found, one line of words each.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

mod workload;

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use recollect_engine::Durability;
use recollect_faults::Disk;
use recollect_model::{Error, Result};
use workload::{Chance, Session, Step, chosen_steps, fingerprint};

/// Frames in the log at which the checkpointer wakes: often.
const CHECKPOINT_FRAMES: u64 = 60;

/// Of so many cuts one falls into the first so many changes, in which the store comes into being or is migrated.
const CUTS_WHILE_OPENING: u64 = 5;
const OPENING: u64 = 80;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["run", folder, seed, rounds, cuts, durability, disk, old @ ..] => {
            run(Path::new(folder), [seed, rounds, cuts], durability, *disk == "lying", old.first().copied())
        }
        ["verify", folder, durability] => verify(Path::new(folder), *durability == "full"),
        _ => Err(Error::invalid("see the top of this program for its arguments")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("failed {} {error}", error.code().as_str());
            ExitCode::FAILURE
        }
    }
}

fn durability(word: &str) -> Result<Durability> {
    match word {
        "full" => Ok(Durability::Full),
        "normal" => Ok(Durability::Normal),
        #[cfg(feature = "amplifier")]
        "off" => Ok(Durability::Off),
        _ => Err(Error::invalid(format!("{word} is no durability of this build"))),
    }
}

fn run(folder: &Path, numbers: [&str; 3], word: &str, is_lying: bool, old: Option<&str>) -> Result<()> {
    let [Ok(seed), Ok(rounds), Ok(cuts)] = numbers.map(str::parse::<u64>) else {
        return Err(Error::invalid("SEED, ROUNDS and CUTS are numbers"));
    };
    let durability = durability(word)?;
    let steps = chosen_steps(seed, usize::try_from(rounds).unwrap_or(1));
    recollect_faults::install();
    // Once without cuts, to know how many moments there are.
    let rehearsed = rehearse(&folder.join("rehearsal"), seed, durability, old, &steps)?;
    let mut chance = Chance::new(seed ^ 0xC07);
    let mut moments: Vec<u64> = (0..cuts)
        .map(|cut| 1 + chance.below(if cut % CUTS_WHILE_OPENING == 0 { rehearsed.min(OPENING) } else { rehearsed }))
        .collect();
    moments.sort_unstable_by(|a, b| b.cmp(a));
    moments.dedup();

    let live = folder.join("live");
    let disk = watch(&live, old)?;
    disk.lie(is_lying);
    let (acknowledged, purged) = (Arc::new(AtomicI64::new(-1)), Arc::new(AtomicUsize::new(0)));
    let mut states = file(&folder.join("states"))?;
    let mut cut_list = file(&folder.join("cuts"))?;
    let (known, gone, place) = (Arc::clone(&acknowledged), Arc::clone(&purged), folder.to_owned());
    disk.look(move |moment| {
        if moments.last() == Some(&moment.number()) {
            moments.pop();
            let number = moment.number();
            let into = place.join(format!("cut-{number}"));
            let written = moment.cut(Some(seed.wrapping_mul(1_000_003) ^ number), &into).and_then(|()| {
                let (known, gone) = (known.load(Ordering::SeqCst), gone.load(Ordering::SeqCst));
                writeln!(cut_list, "{number} {known} {:?} {gone}", moment.operation())
            });
            if let Err(error) = written {
                println!("failed io {}: {error}", into.display());
            }
        }
    });
    let mut session = Session::new(&live.join("store.db"), durability, CHECKPOINT_FRAMES, seed);
    session.open()?;
    note(&session, &acknowledged, &mut states)?;
    for step in steps {
        session.perform(step).map_err(|error| Error::new(error.code(), format!("{step:?}: {error}")))?;
        purged.store(session.purged.len(), Ordering::SeqCst);
        note(&session, &acknowledged, &mut states)?;
    }
    session.close()?;
    fs::write(folder.join("purged"), session.purged.join("\n")).map_err(failed)?;
    println!("changes {} rehearsed {rehearsed}", disk.changes());
    Ok(())
}

fn rehearse(folder: &Path, seed: u64, durability: Durability, old: Option<&str>, steps: &[Step]) -> Result<u64> {
    let disk = watch(folder, old)?;
    let mut session = Session::new(&folder.join("store.db"), durability, CHECKPOINT_FRAMES, seed);
    session.open()?;
    for step in steps {
        session.perform(*step).map_err(|error| Error::new(error.code(), format!("{step:?}: {error}")))?;
    }
    session.close()?;
    Ok(disk.changes())
}

fn watch(folder: &Path, old: Option<&str>) -> Result<Disk> {
    fs::create_dir_all(folder).map_err(failed)?;
    if let Some(old) = old {
        fs::copy(old, folder.join("store.db")).map_err(failed)?;
    }
    Disk::watch(folder).map_err(failed)
}

/// Writes down that what the store holds now is acknowledged, and what that is.
fn note(session: &Session, acknowledged: &AtomicI64, states: &mut fs::File) -> Result<()> {
    let seq = session.store()?.seq(&workload::steps::call())?;
    acknowledged.store(i64::try_from(seq).unwrap_or(i64::MAX), Ordering::SeqCst);
    let (seq, digest) = fingerprint(session.store()?)?;
    writeln!(states, "{seq} {digest}").map_err(failed)
}

fn file(path: &Path) -> Result<fs::File> {
    fs::File::create(path).map_err(failed)
}

fn failed(error: std::io::Error) -> Error {
    Error::io("a file of the run cannot be written").with_source(error)
}

/// One line for each cut: number, operation, what was acknowledged, what is there, and a verdict:
/// `sound` (all that was acknowledged is there, and nothing else but the commit that was under way), `behind` (an
/// earlier moment of the store's history), `foreign` (no moment of it), `remains` (what was purged stands in a file
/// after the store was opened and closed) or `damaged`, with a sentence. The last line says in how many of the folders
/// words stand that were purged after the cut, as they should.
fn verify(folder: &Path, is_full: bool) -> Result<()> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).map_err(failed);
    let (states, cuts, purged) = (read("states")?, read("cuts")?, read("purged")?);
    let mut history: HashMap<u64, &str> = HashMap::new();
    for line in states.lines() {
        if let Some((seq, digest)) = line.split_once(' ') {
            history.insert(seq.parse().unwrap_or(u64::MAX), digest);
        }
    }
    let mut later = 0_u64;
    for line in cuts.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let &[number, acknowledged, operation, gone] = words.as_slice() else { continue };
        let image = folder.join(format!("cut-{number}"));
        let was_there = image.join("store.db").exists();
        let acknowledged: i64 = acknowledged.parse().unwrap_or(i64::MAX);
        let (found, verdict) = match examine(&image) {
            Ok((seq, digest)) => {
                let found = i64::try_from(seq).unwrap_or(i64::MAX);
                let verdict = judge(acknowledged, found, history.get(&seq).copied(), &digest, was_there);
                let (gone, still_there) = words_of(&purged, gone.parse().unwrap_or(0));
                later += u64::from(remains(&image, &still_there).map_err(failed)?.is_some());
                match remains(&image, &gone).map_err(failed)? {
                    // What came before a purge may be back where commits may be lost, and the purge with them.
                    Some(file) if verdict == "sound" => (found, format!("remains (purged words stand in {file})")),
                    _ => (found, verdict),
                }
            }
            Err(error) => (-1, format!("damaged {}: {error}", error.code().as_str())),
        };
        println!("cut {number} {operation} {acknowledged} {found} {}", verdict.replace('\n', " "));
        if verdict == "sound" || (!is_full && verdict == "behind") {
            fs::remove_dir_all(&image).map_err(failed)?;
        }
    }
    println!("later {later}");
    Ok(())
}

/// The words that were purged before a cut, of which there were so many, and after it.
fn words_of(purged: &str, count: usize) -> (Vec<&str>, Vec<&str>) {
    (purged.lines().take(count).collect(), purged.lines().skip(count).collect())
}

/// A file that holds one of these words, which were purged.
fn remains(image: &Path, words: &[&str]) -> std::io::Result<Option<String>> {
    for entry in fs::read_dir(image)? {
        let entry = entry?;
        let bytes = fs::read(entry.path())?;
        let text = String::from_utf8_lossy(&bytes);
        if words.iter().any(|word| text.contains(word)) {
            return Ok(Some(entry.file_name().to_string_lossy().into_owned()));
        }
    }
    Ok(None)
}

fn judge(acknowledged: i64, found: i64, known: Option<&str>, digest: &str, was_there: bool) -> String {
    // Until the first opening is acknowledged, the store may come into being again, with another identity. So may one
    // that no commit has reached yet and of which nothing was synced.
    let is_new = found == 0 && known != Some(digest);
    if is_new && acknowledged < 0 {
        return "sound".to_owned();
    }
    if is_new {
        return if was_there { "behind" } else { "behind (the file was not there)" }.to_owned();
    }
    match known {
        // A commit that none followed within its step has no recorded state.
        None if found > acknowledged => "sound".to_owned(),
        None => "foreign (the store was never there)".to_owned(),
        Some(known) if known != digest => "foreign (the store never held this)".to_owned(),
        Some(_) if found < acknowledged => "behind".to_owned(),
        Some(_) => "sound".to_owned(),
    }
}

/// Opens what is left, as the next start of the program would, checks it, and writes to it.
fn examine(image: &Path) -> Result<(u64, String)> {
    let mut session = Session::new(&image.join("store.db"), Durability::Normal, CHECKPOINT_FRAMES, 7);
    session.open()?;
    let found = fingerprint(session.store()?)?;
    sound(&session)?;
    session.perform(Step::Add)?;
    session.perform(Step::Reopen)?;
    sound(&session)?;
    session.close()?;
    Ok(found)
}

fn sound(session: &Session) -> Result<()> {
    let report = session.store()?.check(false, &workload::steps::call())?;
    match report.problems.first() {
        Some(problem) => Err(Error::corrupt(problem.clone())),
        None => Ok(()),
    }
}
