//! The steps, and their order.

use super::chance::Chance;

/// One thing that is done to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Adds one item.
    Add,
    /// Adds that many docs in one commit.
    AddMany(u64),
    /// Replaces a text.
    Update,
    /// Brings an older version back.
    Revert,
    /// Deletes an item.
    Delete,
    /// Brings a deleted one back.
    Restore,
    /// Deletes the items of one tag.
    DeleteMany,
    /// Gives chunks other vectors.
    PutEmbeddings,
    /// Removes an item for good, with its traces.
    Purge,
    /// Moves the clock beyond the undo window, and removes what is due.
    Sweep,
    /// Searches, which writes nothing.
    Search,
    /// Renames a project.
    RenameProject,
    /// Copies the log into the file and cuts it.
    Checkpoint,
    /// Closes the store, and opens it again.
    Reopen,
}

/// A sequence that has every kind of step: `rounds` times some additions and one step of each other kind, in an order
/// given by the seed.
pub fn chosen_steps(seed: u64, rounds: usize) -> Vec<Step> {
    let mut chance = Chance::new(seed);
    let mut steps = Vec::new();
    for _ in 0..rounds {
        let mut round = vec![
            Step::Add,
            Step::Add,
            Step::Update,
            Step::Update,
            Step::Revert,
            Step::Delete,
            Step::Restore,
            Step::Delete,
            Step::PutEmbeddings,
            Step::Purge,
            Step::DeleteMany,
            Step::Sweep,
            Step::Search,
            Step::RenameProject,
            Step::Checkpoint,
            Step::Reopen,
        ];
        steps.extend([Step::Add, Step::AddMany(2 + chance.below(20))]);
        while !round.is_empty() {
            let place = usize::try_from(chance.below(round.len() as u64)).unwrap_or(0);
            steps.push(round.swap_remove(place));
        }
    }
    steps
}
