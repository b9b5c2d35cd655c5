//! A connection that one caller uses: statements compiled once, limits applied, failures explained.

use std::cell::{Cell, RefCell};
use std::mem;

use recollect_model::{Call, Error, ErrorCode, Result};

use crate::cache::{Sql, StatementCache};
use crate::errors::{describe, from_failure, is_disk_failure, is_loss};
use crate::process::Process;
use crate::raw::{Access, Failure, Handle, Running, Statement};
pub use crate::row::Row;
use crate::value::Value;

/// A connection inside a [`crate::Snapshot`] or a [`crate::Transaction`].
///
/// SQL that stands in the program is `&'static str`; the methods named `_dynamic` take text made at run time, of which
/// only names that recollect made itself may be part. Both are compiled once and kept, up to a bound.
pub struct Connection {
    // Declared before the handle: statements go before their connection.
    cache: RefCell<StatementCache>,
    handle: Handle,
    mode: Cell<Mode>,
    /// The failure after which libSQL undid the open transaction by itself.
    undone_by: Cell<Option<ErrorCode>>,
    /// The first failure of the disk, or the first after which nobody knows what it holds.
    disk_failure: RefCell<Option<DiskFailure>>,
    is_committing: Cell<bool>,
    process: Process,
}

/// How the disk failed a connection.
#[derive(Debug, Clone)]
pub(crate) struct DiskFailure {
    pub(crate) cause: String,
    /// Whether nobody knows what the disk holds since, if the connection writes.
    pub(crate) is_loss: bool,
}

/// What the connection is being used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Idle,
    Reading,
    Writing,
}

impl Connection {
    pub(crate) fn open(path: &str, access: Access) -> Result<Self> {
        Ok(Self {
            cache: RefCell::default(),
            handle: Handle::open(path, access)?,
            mode: Cell::new(Mode::Idle),
            undone_by: Cell::new(None),
            disk_failure: RefCell::new(None),
            is_committing: Cell::new(false),
            process: Process::current(),
        })
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// How the disk failed this connection, if it did. It serves nobody after that.
    pub(crate) fn disk_failure(&self) -> Option<DiskFailure> {
        self.disk_failure.borrow().clone()
    }

    /// Runs a statement that changes rows, and counts them.
    ///
    /// # Errors
    ///
    /// `Conflict` when a constraint does not hold, `Timeout` or `Cancelled` when the call was stopped (the whole
    /// transaction is undone then), `Internal` outside a write, and what libSQL can fail with.
    pub fn execute(&self, sql: &'static str, values: &[Value<'_>]) -> Result<u64> {
        self.change(Sql::Fixed(sql), values)
    }

    /// As [`Self::execute`], with SQL made at run time.
    ///
    /// # Errors
    ///
    /// As [`Self::execute`].
    pub fn execute_dynamic(&self, sql: &str, values: &[Value<'_>]) -> Result<u64> {
        self.change(Sql::Made(sql), values)
    }

    /// All rows of an answer, each converted.
    ///
    /// # Errors
    ///
    /// `Timeout` or `Cancelled` when the call was stopped, what `map` fails with, and what libSQL can fail with.
    pub fn query<T>(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
        map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.collect(Sql::Fixed(sql), values, map)
    }

    /// As [`Self::query`], with SQL made at run time.
    ///
    /// # Errors
    ///
    /// As [`Self::query`].
    pub fn query_dynamic<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.collect(Sql::Made(sql), values, map)
    }

    /// The first row of an answer, converted, or none. What follows is not read.
    ///
    /// # Errors
    ///
    /// As [`Self::query`].
    pub fn query_one<T>(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
        map: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.first(Sql::Fixed(sql), values, map)
    }

    /// As [`Self::query_one`], with SQL made at run time.
    ///
    /// # Errors
    ///
    /// As [`Self::query`].
    pub fn query_one_dynamic<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        map: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.first(Sql::Made(sql), values, map)
    }

    /// Shows every row of an answer to `each`, which may run other statements meanwhile.
    ///
    /// # Errors
    ///
    /// As [`Self::query`].
    pub fn for_each(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
        each: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        self.visit(Sql::Fixed(sql), values, each)
    }

    /// As [`Self::for_each`], with SQL made at run time.
    ///
    /// # Errors
    ///
    /// As [`Self::query`].
    pub fn for_each_dynamic(
        &self,
        sql: &str,
        values: &[Value<'_>],
        each: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        self.visit(Sql::Made(sql), values, each)
    }

    /// Begins using the connection for a call: its limits apply until [`Self::end`].
    pub(crate) fn begin(&self, call: &Call, sql: &'static str) -> Result<()> {
        self.handle.arm(call);
        self.undone_by.set(None);
        let begun = self.command(sql);
        if begun.is_err() {
            self.handle.disarm();
            return begun;
        }
        self.mode.set(if sql == "BEGIN" { Mode::Reading } else { Mode::Writing });
        Ok(())
    }

    /// Ends the transaction with `COMMIT` or `ROLLBACK`. No limit applies: an end that could be stopped half-way would
    /// leave its outcome open.
    pub(crate) fn end(&self, sql: &'static str) -> Result<()> {
        self.handle.disarm();
        self.mode.set(Mode::Idle);
        if self.handle.is_autocommit() {
            return Ok(());
        }
        self.is_committing.set(sql == "COMMIT");
        let outcome = self.command(sql);
        self.is_committing.set(false);
        outcome
    }

    /// Whether libSQL undid the open transaction by itself, as it does after an interrupt or a full disk.
    pub(crate) fn check_alive(&self) -> Result<()> {
        if self.mode.get() == Mode::Idle || !self.handle.is_autocommit() {
            return Ok(());
        }
        let code = self.undone_by.get().unwrap_or(ErrorCode::Internal);
        Err(Error::new(code, "the transaction was undone as a whole after an earlier error"))
    }

    /// Runs every statement of a script and drops the rows they answer with.
    pub(crate) fn script(&self, sql: &str) -> Result<()> {
        let mut rest = sql;
        while !rest.is_empty() {
            let (statement, used) = self.handle.prepare(rest).map_err(|failure| self.explain(&failure))?;
            if let Some(mut statement) = statement {
                self.drain(&mut statement)?;
            }
            rest = rest.get(used.max(1)..).unwrap_or_default();
        }
        Ok(())
    }

    /// Runs a statement of our own, outside the rules for transactions.
    pub(crate) fn command(&self, sql: &'static str) -> Result<()> {
        let sql = Sql::Fixed(sql);
        let mut statement = self.compiled(sql)?;
        let outcome = self.drain(&mut statement);
        self.cache.borrow_mut().give(sql, statement);
        outcome
    }

    fn drain(&self, statement: &mut Statement) -> Result<()> {
        let mut run = || {
            let mut running = statement.run(&[])?;
            while running.step()?.is_some() {}
            Ok(())
        };
        run().map_err(|failure| self.explain(&failure))
    }

    fn change(&self, sql: Sql<'_>, values: &[Value<'_>]) -> Result<u64> {
        if self.mode.get() != Mode::Writing {
            return Err(Error::internal("a change was attempted outside a write"));
        }
        self.with_rows(sql, values, |rows| {
            while rows.next()?.is_some() {}
            Ok(())
        })?;
        Ok(self.handle.changes())
    }

    fn collect<T>(
        &self,
        sql: Sql<'_>,
        values: &[Value<'_>],
        mut map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut answers = Vec::new();
        self.visit(sql, values, |row| {
            answers.push(map(row)?);
            Ok(())
        })?;
        Ok(answers)
    }

    fn first<T>(
        &self,
        sql: Sql<'_>,
        values: &[Value<'_>],
        map: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.with_rows(sql, values, |rows| rows.next()?.map(|row| map(&row)).transpose())
    }

    fn visit(&self, sql: Sql<'_>, values: &[Value<'_>], mut each: impl FnMut(&Row<'_>) -> Result<()>) -> Result<()> {
        self.with_rows(sql, values, |rows| {
            while let Some(row) = rows.next()? {
                each(&row)?;
            }
            Ok(())
        })
    }

    fn with_rows<T>(
        &self,
        sql: Sql<'_>,
        values: &[Value<'_>],
        read: impl FnOnce(&mut Rows<'_>) -> Result<T>,
    ) -> Result<T> {
        self.process.check()?;
        self.check_alive()?;
        let mut statement = self.compiled(sql)?;
        let outcome = self.run(&mut statement, values, read);
        self.cache.borrow_mut().give(sql, statement);
        outcome
    }

    fn run<T>(
        &self,
        statement: &mut Statement,
        values: &[Value<'_>],
        read: impl FnOnce(&mut Rows<'_>) -> Result<T>,
    ) -> Result<T> {
        if statement.parameters() != values.len() {
            let (wanted, given) = (statement.parameters(), values.len());
            return Err(Error::internal(format!("a statement takes {wanted} values and was given {given}")));
        }
        if !statement.is_read_only() && self.mode.get() == Mode::Reading {
            return Err(Error::internal("a change was attempted inside a snapshot"));
        }
        let running = statement.run(values).map_err(|failure| self.explain(&failure))?;
        read(&mut Rows { running, connection: self })
    }

    fn compiled(&self, sql: Sql<'_>) -> Result<Statement> {
        if let Some(statement) = self.cache.borrow_mut().take(sql.as_str()) {
            return Ok(statement);
        }
        let (statement, used) = self.handle.prepare(sql.as_str()).map_err(|failure| self.explain(&failure))?;
        let is_whole = sql.as_str().get(used..).is_some_and(|rest| rest.trim().is_empty());
        match statement {
            Some(statement) if is_whole => Ok(statement),
            _ => Err(Error::internal("a query is not exactly one statement")),
        }
    }

    /// What a failure of this connection means.
    pub(crate) fn explain(&self, failure: &Failure) -> Error {
        self.note_disk_failure(failure);
        let error = from_failure(failure, self.handle.take_reason());
        if self.mode.get() == Mode::Idle || !self.handle.is_autocommit() {
            return error;
        }
        self.undone_by.set(Some(error.code()));
        if self.mode.get() == Mode::Writing {
            let said = format!("{}; the write was undone as a whole", error.message());
            return Error::new(error.code(), said).with_hint(error.hint().to_owned());
        }
        error
    }
}

impl Connection {
    fn note_disk_failure(&self, failure: &Failure) {
        if !is_disk_failure(failure) {
            return;
        }
        // A commit that could not read may have been written as a whole, and be found when the store is next opened.
        let is_loss = self.is_committing.get() || is_loss(failure);
        let mut known = self.disk_failure.borrow_mut();
        if known.as_ref().is_none_or(|known| is_loss && !known.is_loss) {
            *known = Some(DiskFailure { cause: describe("the disk failed", failure), is_loss });
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.process.is_current() {
            // The statements of a forked child's copy must not be finalised, as its handle must not be closed.
            mem::forget(mem::take(self.cache.get_mut()));
        }
    }
}

/// The rows of a running statement.
struct Rows<'r> {
    running: Running<'r>,
    connection: &'r Connection,
}

impl Rows<'_> {
    fn next(&mut self) -> Result<Option<Row<'_>>> {
        match self.running.step() {
            Ok(columns) => Ok(columns.map(Row::new)),
            Err(failure) => Err(self.connection.explain(&failure)),
        }
    }
}
