//! The compiled statements of one connection, kept for their next use.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::raw::Statement;

/// How many statements a connection keeps.
const CAPACITY: usize = 128;

/// The text of a statement.
#[derive(Clone, Copy)]
pub(crate) enum Sql<'a> {
    /// It stands in the program.
    Fixed(&'static str),
    /// It was made at run time.
    Made(&'a str),
}

impl<'a> Sql<'a> {
    #[expect(clippy::match_same_arms, reason = "one arm for both would make both lifetimes the longer one")]
    pub(crate) fn as_str(self) -> &'a str {
        match self {
            Self::Fixed(text) => text,
            Self::Made(text) => text,
        }
    }
}

/// Compiled statements by their text; the one that was unused longest goes first.
#[derive(Default)]
pub(crate) struct StatementCache {
    kept: HashMap<Cow<'static, str>, Kept>,
    uses: u64,
}

struct Kept {
    statement: Option<Statement>,
    last_use: u64,
}

impl StatementCache {
    /// Takes a statement out, if it is there and not in use. Whoever takes it gives it back with [`Self::give`].
    pub(crate) fn take(&mut self, sql: &str) -> Option<Statement> {
        let kept = self.kept.get_mut(sql)?;
        self.uses += 1;
        kept.last_use = self.uses;
        kept.statement.take()
    }

    /// Keeps a statement for its next use.
    pub(crate) fn give(&mut self, sql: Sql<'_>, statement: Statement) {
        self.uses += 1;
        let last_use = self.uses;
        if let Some(kept) = self.kept.get_mut(sql.as_str()) {
            *kept = Kept { statement: Some(statement), last_use };
            return;
        }
        if self.kept.len() >= CAPACITY
            && let Some(oldest) = self.kept.iter().min_by_key(|(_, kept)| kept.last_use).map(|(sql, _)| sql.clone())
        {
            self.kept.remove(&oldest);
        }
        let sql = match sql {
            Sql::Fixed(text) => Cow::Borrowed(text),
            Sql::Made(text) => Cow::Owned(text.to_owned()),
        };
        self.kept.insert(sql, Kept { statement: Some(statement), last_use });
    }
}
