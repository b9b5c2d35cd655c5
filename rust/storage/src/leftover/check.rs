//! Whether a log that was left over goes with the file.

use std::fs::{self, File};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::thread;
use std::time::Duration;

use recollect_model::{Error, Result};

use super::log::{Marks, read_marks};
use super::mark::{Mark, PAGE};
use crate::guard::beside;
use crate::patience::Patience;

/// Refuses a store whose log was written for another file, or for another state of it.
///
/// A log begins where the file ended, so the file has come at least to the commit before the first one of the log; and
/// since the log is copied into the file, at most to the last. What cannot be read is not judged: libSQL reports
/// damage by itself.
///
/// The caller holds the guard, so that nobody writes meanwhile, and no connection of this process has the store open.
pub(crate) fn check_log(path: &Path, page_size: usize) -> Result<()> {
    look(path, page_size)?.map_or(Ok(()), |found| Err(refusal(path, &found)))
}

/// As [`check_log`], where others may write and checkpoint meanwhile.
///
/// Between the looks at the file and at the log they may not go together, however sound the store is. But then the one
/// or the other has changed at the next look. What stays as it is belongs to a store that nobody writes.
pub(crate) fn check_log_in_use(path: &Path, page_size: usize, patience: &mut Patience<'_>) -> Result<()> {
    let mut known = None;
    let mut same = 0;
    loop {
        let Some(found) = look(path, page_size)? else { return Ok(()) };
        same = if known.as_ref() == Some(&found) { same + 1 } else { 0 };
        if same == SAME_LOOKS {
            return Err(refusal(path, &found));
        }
        if !patience.lasts()? {
            return Err(Error::locked(format!(
                "whether the log goes with {} could not be told in time",
                path.display()
            )));
        }
        known = Some(found);
        thread::sleep(LOOK_PAUSE);
    }
}

/// How often the same must be seen again, and at what distance. A checkpoint that copies a long log changes the page
/// that says how far the file has come early, but does not sync it before its end.
const SAME_LOOKS: u32 = 5;
const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// What does not go together.
#[derive(PartialEq, Eq)]
struct Found {
    problem: String,
    file: Mark,
    /// The header of the log, which each new beginning of the log changes.
    header: [u8; 32],
    log: Marks,
}

fn look(path: &Path, page_size: usize) -> Result<Option<Found>> {
    let log = beside(path, "-wal");
    if fs::metadata(&log).map_or(true, |log| log.len() == 0) {
        return Ok(None);
    }
    let Some(mark) = file_mark(path, page_size) else { return Ok(None) };
    let failed = |error| Error::io(format!("{} cannot be read", log.display())).with_source(error);
    let mut file = File::open(&log).map_err(failed)?;
    let mut header = [0; 32];
    if file.read_exact(&mut header).is_err() {
        return Ok(None);
    }
    file.rewind().map_err(failed)?;
    let reader = BufReader::with_capacity(1 << 20, file);
    let Some(marks) = read_marks(reader, mark.seq).map_err(failed)? else { return Ok(None) };
    Ok(problem(mark, marks).map(|problem| Found { problem, file: mark, header, log: marks }))
}

fn refusal(path: &Path, found: &Found) -> Error {
    let (shown, log, problem) = (path.display(), beside(path, "-wal"), &found.problem);
    let log = log.display();
    Error::corrupt(format!("{log} does not go with {shown}: {problem}")).with_hint(format!(
        "put back the file that the log was written for; or, to go on from {shown} as it is, without what the log \
         holds, move {log} away"
    ))
}

fn problem(file: Mark, log: Marks) -> Option<String> {
    let (first, last) = (log.first.seq, log.last.seq);
    if file.store != log.first.store {
        return Some("it was written for another store".to_owned());
    }
    if file.seq.saturating_add(1) < first {
        return Some(format!("the file ends at commit {}, and the log begins with commit {first}", file.seq));
    }
    if file.seq > last {
        return Some(format!("the file has come to commit {}, and the log ends at commit {last}", file.seq));
    }
    None
}

/// The mark in the file itself, whatever the log says.
fn file_mark(path: &Path, page_size: usize) -> Option<Mark> {
    let mut file = File::open(path).ok()?;
    let mut page = vec![0; page_size];
    file.seek(SeekFrom::Start(u64::from(PAGE - 1) * page_size as u64)).ok()?;
    file.read_exact(&mut page).ok()?;
    Mark::read(&page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_with_the_log_that_begins_where_it_ended() {
        let mark = |store: u8, seq| Mark { store: [store; 16], seq };
        let log = Marks { first: mark(1, 10), last: mark(1, 20) };
        for seq in 9..=20 {
            assert_eq!(problem(mark(1, seq), log), None, "{seq}");
        }
        for (file, said) in
            [(mark(1, 8), "ends at commit 8"), (mark(1, 21), "come to commit 21"), (mark(2, 9), "another")]
        {
            assert!(problem(file, log).is_some_and(|problem| problem.contains(said)), "{file:?}");
        }
    }
}
