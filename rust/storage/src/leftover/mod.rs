//! A log that was left over: whether it belongs to the file beside it.
//!
//! libSQL applies whatever log it finds beside a file. Where somebody has put an older copy of the file, or a newer
//! one, in the place of the one that the log was written for, the mixture would be damaged, or would lie.

mod check;
mod log;
mod mark;

pub(crate) use check::{check_log, check_log_in_use};
