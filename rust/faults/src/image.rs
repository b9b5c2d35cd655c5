//! What a power cut leaves.

use std::fs;
use std::io;
use std::path::Path;

use crate::chance::Chance;
use crate::folder::{Folder, apply};
use crate::node::{Fate, Pending};

/// How the fates of unsynced changes hang together. A disk that loses power may do any of these.
enum Manner {
    /// Nothing unsynced is there.
    AllLost,
    /// Everything is there, as after the death of the process.
    AllKept,
    /// What was done up to some moment is there, and the change of that moment in part.
    UpTo(u64),
    /// The opposite: of what is unsynced, only the newest is there.
    Since(u64),
    /// Some files have everything, others nothing.
    ByFile,
    /// Every change has its own fate.
    Each,
}

impl Manner {
    fn choose(folder: &Folder, chance: &mut Chance) -> Self {
        let numbers: Vec<u64> =
            folder.nodes.iter().flat_map(|node| &node.pending).map(|pending| pending.number).collect();
        let (first, last) =
            (numbers.iter().min().copied().unwrap_or_default(), numbers.iter().max().copied().unwrap_or_default());
        let moment = first + chance.below(last - first + 1);
        match chance.below(8) {
            0 => Self::AllLost,
            1 => Self::AllKept,
            2 | 3 => Self::UpTo(moment),
            4 => Self::Since(moment),
            5 => Self::ByFile,
            _ => Self::Each,
        }
    }

    fn fate(&self, pending: &Pending, is_file_kept: bool, chance: &mut Chance) -> Fate {
        let kept = |is_kept| if is_kept { Fate::Kept } else { Fate::Lost };
        match self {
            Self::AllLost => Fate::Lost,
            Self::AllKept => Fate::Kept,
            Self::UpTo(moment) if pending.number == *moment => Fate::Torn,
            Self::UpTo(moment) => kept(pending.number < *moment),
            Self::Since(moment) => kept(pending.number >= *moment),
            Self::ByFile => kept(is_file_kept),
            Self::Each => match chance.below(3) {
                0 => Fate::Lost,
                1 => Fate::Kept,
                _ => Fate::Torn,
            },
        }
    }

    fn is_name_change_kept(&self, chance: &mut Chance) -> bool {
        match self {
            Self::AllLost => false,
            Self::AllKept | Self::UpTo(_) => true,
            Self::Since(_) | Self::ByFile | Self::Each => chance.coin(),
        }
    }
}

/// Writes what a power cut now leaves of the folder, chosen by the seed, into the new folder `into`. Without a seed
/// only what was synced is left.
pub(crate) fn write(folder: &Folder, seed: Option<u64>, into: &Path) -> io::Result<()> {
    fs::create_dir_all(into)?;
    let mut chance = Chance::new(seed.unwrap_or_default());
    let manner = seed.map_or(Manner::AllLost, |_| Manner::choose(folder, &mut chance));
    let mut names = folder.durable_names.clone();
    for change in &folder.name_changes {
        if manner.is_name_change_kept(&mut chance) {
            apply(&mut names, change);
        }
    }
    for (name, id) in names {
        let Some(node) = folder.nodes.get(id).filter(|_| !folder.is_gone(&name) && !name.ends_with("-shm")) else {
            continue;
        };
        let is_file_kept = chance.coin();
        let bytes = node.after_cut(&mut chance, |pending, chance| manner.fate(pending, is_file_kept, chance));
        fs::write(into.join(name), bytes)?;
    }
    Ok(())
}
