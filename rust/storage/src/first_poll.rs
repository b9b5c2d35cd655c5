//! Runs the futures of local libSQL, which are ready when they are first asked.

use std::fmt;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// A future of local libSQL wanted to wait. None does; there is no runtime that could wake it.
#[derive(Debug)]
pub(crate) struct Pending;

impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a local libSQL call did not end at once")
    }
}

impl std::error::Error for Pending {}

/// Polls once and hands out the answer.
pub(crate) fn now<F: Future>(future: F) -> Result<F::Output, Pending> {
    match pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => Err(Pending),
    }
}
