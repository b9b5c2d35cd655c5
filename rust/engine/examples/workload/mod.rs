//! What the programs for power cuts and for failing disks do to a store: every verb, in an order given by a seed.
#![allow(dead_code, unused_imports, reason = "neither program uses all of it")]

pub mod chance;
pub mod embedder;
pub mod fingerprint;
pub mod ledger;
pub mod panics;
pub mod session;
pub mod steps;
pub mod verbs;

pub use chance::Chance;
pub use fingerprint::fingerprint;
pub use ledger::Ledger;
pub use session::{Session, call};
pub use steps::{Step, chosen_steps};
