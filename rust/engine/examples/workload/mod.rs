//! What the programs for power cuts and for failing disks do to a store: every verb, in an order given by a seed.
#![allow(dead_code, unused_imports, reason = "neither program uses all of it")]

pub mod chance;
pub mod embedder;
pub mod fingerprint;
pub mod steps;

pub use chance::Chance;
pub use fingerprint::fingerprint;
pub use steps::{Session, Step, chosen_steps};
