//! The one table of errors. Exceptions, exit codes and, later, HTTP and MCP answers derive from it.

use std::error::Error as StdError;
use std::fmt;

/// What went wrong, by what the caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// There is no such item, project, channel or store that the caller may see.
    NotFound,
    /// A key, project or store of that name exists already.
    AlreadyExists,
    /// An argument is malformed, out of range or of the wrong shape.
    InvalidInput,
    /// The principal, or the file system, does not allow it.
    PermissionDenied,
    /// The state changed, or does not fit what was asked: a version, a space, an undo window.
    Conflict,
    /// Another process or thread held the write guard beyond the time limit.
    Locked,
    /// The time limit of the call ran out; a write was undone as a whole.
    Timeout,
    /// The caller cancelled; a write was undone as a whole.
    Cancelled,
    /// The file is damaged, or is no recollect store.
    Corrupt,
    /// This build, platform or store cannot do it.
    Unsupported,
    /// The store is closed, or belongs to the process that forked this one.
    Closed,
    /// The operating system refused or failed.
    Io,
    /// The embedding model failed; nothing was written.
    Embedder,
    /// A defect of recollect itself.
    Internal,
}

/// One row of the table.
struct Row {
    name: &'static str,
    is_retryable: bool,
    exit_code: u8,
    hint: &'static str,
}

impl ErrorCode {
    /// Every code, in the order of the table.
    pub const ALL: [Self; 14] = [
        Self::NotFound,
        Self::AlreadyExists,
        Self::InvalidInput,
        Self::PermissionDenied,
        Self::Conflict,
        Self::Locked,
        Self::Timeout,
        Self::Cancelled,
        Self::Corrupt,
        Self::Unsupported,
        Self::Closed,
        Self::Io,
        Self::Embedder,
        Self::Internal,
    ];

    const fn row(self) -> Row {
        let (name, is_retryable, exit_code, hint) = match self {
            Self::NotFound => ("not_found", false, 3, "check the id or key, and the project it is looked up in"),
            Self::AlreadyExists => ("already_exists", false, 4, "use update, or choose another name"),
            Self::InvalidInput => ("invalid_input", false, 2, "correct the argument that the message names"),
            Self::PermissionDenied => ("permission_denied", false, 5, "open with other rights"),
            Self::Conflict => ("conflict", false, 6, "read the current state and decide anew"),
            Self::Locked => ("locked", true, 7, "another writer is busy: try again, or give a longer timeout"),
            Self::Timeout => ("timeout", true, 8, "give a longer timeout, or ask for less"),
            Self::Cancelled => ("cancelled", true, 9, "nothing was changed; call again if it is still wanted"),
            Self::Corrupt => ("corrupt", false, 10, "run `recollect check`, then restore a backup"),
            Self::Unsupported => ("unsupported", false, 11, "see the documentation of the feature"),
            Self::Closed => ("closed", false, 12, "open the store again in this process"),
            Self::Io => ("io", false, 13, "check disk space, permissions and the path"),
            Self::Embedder => ("embedder", true, 14, "see the embedder's own error; nothing was written"),
            Self::Internal => ("internal", false, 70, "this is a defect: please report it with the message"),
        };
        Row { name, is_retryable, exit_code, hint }
    }

    /// The stable name, as every surface spells it.
    pub const fn as_str(self) -> &'static str {
        self.row().name
    }

    /// Whether the same call may succeed later without any change.
    pub const fn is_retryable(self) -> bool {
        self.row().is_retryable
    }

    /// The exit status of the `recollect` command.
    pub const fn exit_code(self) -> u8 {
        self.row().exit_code
    }

    /// What to do, where the error itself does not know better.
    pub const fn default_hint(self) -> &'static str {
        self.row().hint
    }
}

/// A failed call: what happened, what to do, and whether trying again can help.
pub struct Error(Box<Inner>);

struct Inner {
    code: ErrorCode,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The result of every fallible function of recollect.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $code:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(message: impl Into<String>) -> Self {
            Self::new(ErrorCode::$code, message)
        }
    )*};
}

impl Error {
    /// An error of the given code.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { code, message: message.into(), hint: None, source: None }))
    }

    constructors! {
        /// Nothing of that name that the caller may see.
        not_found => NotFound;
        /// The name is taken.
        already_exists => AlreadyExists;
        /// A bad argument.
        invalid => InvalidInput;
        /// Not allowed.
        permission_denied => PermissionDenied;
        /// The state does not fit.
        conflict => Conflict;
        /// The write guard was not to be had in time.
        locked => Locked;
        /// The time limit ran out.
        timeout => Timeout;
        /// The caller cancelled.
        cancelled => Cancelled;
        /// A damaged or foreign file.
        corrupt => Corrupt;
        /// Not possible here.
        unsupported => Unsupported;
        /// The store is closed.
        closed => Closed;
        /// The operating system failed.
        io => Io;
        /// The embedding model failed.
        embedder => Embedder;
        /// A defect of recollect.
        internal => Internal;
    }

    /// Says what to do in this very case.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Keeps the error underneath.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The code.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// What happened, in one sentence.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it.
    pub fn hint(&self) -> &str {
        self.0.hint.as_deref().unwrap_or_else(|| self.0.code.default_hint())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if let Some(source) = &self.0.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.0.code.as_str())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
