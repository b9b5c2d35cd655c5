//! What is left after a power cut, and whether it keeps what was promised.
#![allow(clippy::print_stdout, reason = "the verdicts are its output")]

use std::fs;
use std::path::Path;

use recollect_engine::Durability;
use recollect_model::{Error, Result};

use crate::workload::{Ledger, Session, Step, call, fingerprint};
use crate::{CHECKPOINT_FRAMES, failed};

/// A seed that no run has, so that what a look adds has no words of theirs.
const LOOKING: u64 = u64::MAX;

/// One line for each cut: its number, operation, file, step, the last step that was acknowledged, the one that is found,
/// and a verdict: `sound` (every acknowledged step is there, and nothing else but the whole of the one that was under
/// way), `behind` (an earlier step, but none before the last that is on the disk for certain), `lost` (less than that),
/// `foreign` (no moment of the history), `remains` (what was purged stands in a file after the store was opened and
/// closed) or `damaged`, with a sentence. The last line says in how many of the folders words stand that were purged
/// after the cut, as they should.
pub fn verify(folder: &Path, is_full: bool) -> Result<()> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).map_err(failed);
    let (cuts, purged) = (read("cuts")?, read("purged")?);
    let history = History::read(folder)?;
    let mut later = 0_u64;
    for line in cuts.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let &[number, operation, file, step, done, floor, gone] = words.as_slice() else { continue };
        let image = folder.join(format!("cut-{number}"));
        let (done, floor) = (done.parse().unwrap_or(i64::MAX), floor.parse().unwrap_or(i64::MAX));
        let (found, mut verdict) = match Found::in_folder(&image) {
            Ok(found) => history.judge(&found, done, if is_full { done } else { floor }),
            Err(error) => (-1, format!("damaged {}: {error}", error.code().as_str())),
        };
        if !verdict.starts_with("damaged") {
            let (gone, still_there) = words_of(&purged, gone.parse().unwrap_or(0));
            later += u64::from(remains(&image, &still_there).map_err(failed)?.is_some());
            // A purge is on the disk when it has answered, so that no cut after it may bring anything back.
            if let Some(file) = remains(&image, &gone).map_err(failed)? {
                verdict = format!("remains (purged words stand in {file}; else {verdict})");
            }
        }
        println!("cut {number} {operation} {file} {step} {done} {found} {}", verdict.replace('\n', " "));
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

/// What a run promised, step by step, and what its store said.
struct History {
    ledgers: Vec<Ledger>,
    states: Vec<(u64, String)>,
    uuid: String,
}

impl History {
    fn read(folder: &Path) -> Result<Self> {
        let mut ledgers = Vec::new();
        while let Ok(text) = fs::read_to_string(folder.join(format!("ledgers/{}", ledgers.len()))) {
            ledgers.push(Ledger::from_text(&text)?);
        }
        let read = |name: &str| fs::read_to_string(folder.join(name)).map_err(failed);
        let pairs = read("states")?;
        let pair = |line: &str| line.split_once(' ').map(|(seq, digest)| (seq.parse().unwrap_or(0), digest.to_owned()));
        Ok(Self { ledgers, states: pairs.lines().filter_map(pair).collect(), uuid: read("uuid")? })
    }

    /// The step at which the store stood as it is found, and the verdict. `floor` is the last step that cannot be lost.
    fn judge(&self, found: &Found, done: i64, floor: i64) -> (i64, String) {
        if floor >= 0 && found.uuid != self.uuid {
            return (-1, "lost (another store is there)".to_owned());
        }
        // Only what was acknowledged, and the step under way, may be there.
        let last = usize::try_from(done + 1).unwrap_or(0);
        let is_there =
            |number: &usize| self.ledgers.get(*number).is_some_and(|l| l.difference(&found.ledger).is_none());
        let is_on_the_way = |number: &usize| match (self.ledgers.get(*number), self.ledgers.get(*number + 1)) {
            (Some(before), Some(after)) => before.on_the_way_to(after, &found.ledger).is_some(),
            _ => false,
        };
        let exact = (0..=last).rev().find(is_there);
        let Some(number) = exact.or_else(|| (0..last).rev().find(is_on_the_way)) else {
            let place = self.ledgers.get(last.saturating_sub(1));
            let what = place.and_then(|ledger| ledger.difference(&found.ledger)).unwrap_or_default();
            return (-1, format!("foreign (no promise is kept as a whole: {what})"));
        };
        let at = i64::try_from(number).unwrap_or(i64::MAX);
        let is_own = found.uuid == self.uuid;
        let known = self.states.iter().find(|(seq, _)| *seq == found.seq);
        if is_own && known.is_some_and(|(_, digest)| *digest != found.digest) {
            return (at, "foreign (the store never held this)".to_owned());
        }
        let seq_of = |step: i64| usize::try_from(step).ok().and_then(|step| self.states.get(step)).map_or(0, |s| s.0);
        if at < floor || found.seq < seq_of(floor) {
            return (at, format!("lost (step {floor} must be there)"));
        }
        let is_behind = at < done || found.seq < seq_of(done) || (done >= 0 && !is_own);
        (at, if is_behind { "behind" } else { "sound" }.to_owned())
    }
}

/// What is left in a folder.
struct Found {
    uuid: String,
    seq: u64,
    digest: String,
    ledger: Ledger,
}

impl Found {
    /// Opens what is left, as the next start of the program would, checks it, and writes to it.
    fn in_folder(image: &Path) -> Result<Self> {
        let mut session = Session::new(&image.join("store.db"), Durability::Normal, CHECKPOINT_FRAMES, LOOKING);
        session.open()?;
        let (seq, digest) = fingerprint(session.store()?)?;
        let found =
            Self { uuid: session.store()?.uuid_text(), seq, digest, ledger: Ledger::of_store(session.store()?)? };
        sound(&session)?;
        session.perform(Step::Add)?;
        session.perform(Step::Reopen)?;
        sound(&session)?;
        session.close()?;
        Ok(found)
    }
}

fn sound(session: &Session) -> Result<()> {
    let report = session.store()?.check(false, &call())?;
    match report.problems.first() {
        Some(problem) => Err(Error::corrupt(problem.clone())),
        None => Ok(()),
    }
}
