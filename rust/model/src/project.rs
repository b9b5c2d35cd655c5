//! Project paths: slash-separated names whose ancestors widen the scope of a query.

use crate::error::{Error, Result};
use crate::limits;

/// The path of the project that holds what belongs to no other: every project's widest ancestor.
pub const ROOT: &str = "";

/// Checks a project path such as `acme/web`. The empty path is the root.
///
/// # Errors
///
/// `InvalidInput`, saying what is wrong.
pub fn check_project(path: &str) -> Result<()> {
    if path.is_empty() {
        return Ok(());
    }
    let fail = |why: String| {
        Err(Error::invalid(why)
            .with_hint("a project is a slash path such as acme/web: letters, digits, and - _ . inside each name"))
    };
    if path.len() > limits::PROJECT {
        return fail(format!("the project path has {} bytes, more than {}", path.len(), limits::PROJECT));
    }
    if path.split('/').count() > limits::PROJECT_DEPTH {
        return fail(format!("the project path is deeper than {} names", limits::PROJECT_DEPTH));
    }
    for name in path.split('/') {
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(is_word) {
            return fail(format!("{path:?} is no project path: {name:?} cannot be a name in it"));
        }
    }
    Ok(())
}

/// The path and its ancestors, nearest first, the root last.
pub fn with_ancestors(path: &str) -> Vec<&str> {
    let mut paths = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        paths.push(rest);
        rest = rest.rsplit_once('/').map_or(ROOT, |(parent, _)| parent);
    }
    paths.push(ROOT);
    paths
}

/// Which projects a call means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// One project (with its ancestors, where the call looks upwards).
    Project(String),
    /// One project and everything below it, written `acme/*`.
    Subtree(String),
    /// Every project, written `*`.
    Everywhere,
}

impl Scope {
    /// Reads `acme/web`, `acme/*`, `*` or the empty path.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a malformed path.
    pub fn parse(text: &str) -> Result<Self> {
        if text == "*" {
            return Ok(Self::Everywhere);
        }
        if let Some(path) = text.strip_suffix("/*") {
            check_project(path)?;
            return Ok(Self::Subtree(path.to_owned()));
        }
        check_project(text)?;
        Ok(Self::Project(text.to_owned()))
    }
}
