//! The bounded pool of read connections.

use std::ops::Deref;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use recollect_model::{Call, Error, Result};

use crate::connection::Connection;
use crate::options::OpenOptions;
use crate::patience::{Patience, while_locked};
use crate::pragmas::{self, Role};
use crate::raw::Access;
use crate::stats::ReaderStats;

/// Long-lived read connections, opened when they are first needed.
pub(crate) struct Readers {
    path: String,
    options: OpenOptions,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Connection>,
    open: usize,
    is_closed: bool,
    waits: u64,
    waited: Duration,
}

impl Readers {
    pub(crate) fn new(path: String, options: OpenOptions) -> Self {
        Self { path, options, state: Mutex::default(), freed: Condvar::new() }
    }

    /// A connection that nobody else uses, opened if the pool is not full and `check` has nothing against it.
    ///
    /// # Errors
    ///
    /// `Timeout` when none was free in time, `Cancelled`, `Closed`.
    pub(crate) fn lease(&self, call: &Call, check: impl Fn() -> Result<()>) -> Result<ReaderLease<'_>> {
        let mut state = self.state();
        if let Some(lease) = self.try_lease(&mut state)? {
            return lease.opened(state, call, check);
        }
        state.waits += 1;
        let mut patience = Patience::new(call, self.options.lock_timeout);
        let outcome = loop {
            // Asking may run code of the host, so the pool is not held meanwhile.
            drop(state);
            let lasts = patience.lasts();
            state = self.state();
            match lasts {
                Ok(true) => {}
                Ok(false) => break Ok(None),
                Err(error) => break Err(error),
            }
            state = self
                .freed
                .wait_timeout_while(state, patience.pause(), |state| !self.is_available(state))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            match self.try_lease(&mut state) {
                Ok(None) => {}
                outcome => break outcome,
            }
        };
        state.waited += patience.waited();
        match outcome? {
            Some(lease) => lease.opened(state, call, check),
            None => Err(Error::timeout(format!(
                "no read connection was free within {:.3} s; all {} are in use",
                patience.waited().as_secs_f64(),
                self.max()
            ))
            .with_hint("give a longer timeout, allow more readers, or read less at once")),
        }
    }

    fn max(&self) -> usize {
        self.options.readers.max(1)
    }

    fn is_available(&self, state: &State) -> bool {
        state.is_closed || !state.idle.is_empty() || state.open < self.max()
    }

    fn try_lease(&self, state: &mut State) -> Result<Option<ReaderLease<'_>>> {
        if state.is_closed {
            return Err(Error::closed("the store is closed"));
        }
        // The one used last is the one whose pages are still in its cache.
        if let Some(connection) = state.idle.pop() {
            return Ok(Some(ReaderLease { readers: self, connection: Some(connection) }));
        }
        if state.open < self.max() {
            state.open += 1;
            return Ok(Some(ReaderLease { readers: self, connection: None }));
        }
        Ok(None)
    }

    /// Closes the connections that are not in use, and hands out no more.
    pub(crate) fn close(&self) {
        let idle = {
            let mut state = self.state();
            state.is_closed = true;
            state.open -= state.idle.len();
            std::mem::take(&mut state.idle)
        };
        drop(idle);
        self.freed.notify_all();
    }

    pub(crate) fn stats(&self) -> ReaderStats {
        let state = self.state();
        ReaderStats {
            max: self.max(),
            open: state.open,
            in_use: state.open - state.idle.len(),
            waits: state.waits,
            waited: state.waited,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a read connection.
pub(crate) fn open(path: &str, options: &OpenOptions) -> Result<Connection> {
    let connection = Connection::open(path, Access::Read)?;
    pragmas::apply(&connection, options, Role::Reader)?;
    Ok(connection)
}

/// A read connection, until it is dropped.
pub(crate) struct ReaderLease<'r> {
    readers: &'r Readers,
    connection: Option<Connection>,
}

impl ReaderLease<'_> {
    /// Opens the connection if the lease is for a new one, without holding up others.
    fn opened(mut self, state: MutexGuard<'_, State>, call: &Call, check: impl Fn() -> Result<()>) -> Result<Self> {
        drop(state);
        if self.connection.is_none() {
            check()?;
            let Readers { path, options, .. } = self.readers;
            self.connection = Some(while_locked(call, options.lock_timeout, || open(path, options))?);
        }
        Ok(self)
    }
}

impl Deref for ReaderLease<'_> {
    type Target = Connection;

    #[expect(clippy::expect_used, reason = "`opened` put it in, and only `drop` takes it out")]
    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("the lease is alive")
    }
}

impl Drop for ReaderLease<'_> {
    fn drop(&mut self) {
        let is_sound =
            |connection: &Connection| connection.handle().is_autocommit() && connection.disk_failure().is_none();
        let connection = self.connection.take().filter(is_sound);
        let mut state = self.readers.state();
        match connection {
            Some(connection) if !state.is_closed => state.idle.push(connection),
            // Closed, not opened at all, stuck in a transaction, or let down by the disk: there is one fewer.
            _ => state.open -= 1,
        }
        drop(state);
        self.readers.freed.notify_one();
    }
}
