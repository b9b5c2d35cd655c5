//! The parameters of the store's methods, checked as they are read.

use pyo3::prelude::*;
use recollect_engine::{Locator, Vectors};
use recollect_model::{Error, ItemId, Kind, Query, Result, Subject};

use crate::argument::{Argument, optional_text, text};
use crate::enter::{Limits, PyCancelToken};
use crate::{arrays, filters};

type Any<'a, 'py> = &'a Bound<'py, PyAny>;

/// The limits of the call.
pub(crate) fn limits<'py>(timeout: Any<'_, 'py>, cancel: Any<'_, 'py>) -> Result<Limits<'py>> {
    let cancel = if cancel.is_none() {
        None
    } else {
        let token = cancel.cast::<PyCancelToken>().map_err(|_| Error::invalid("cancel must be a CancelToken"))?;
        Some(token.clone())
    };
    Ok(Limits { timeout: timeout.clone(), cancel })
}

/// A kind of items.
pub(crate) fn kind(value: Any<'_, '_>) -> Result<Kind> {
    Kind::parse(&text("kind", value)?)
}

/// The id of an item.
pub(crate) fn id(value: Any<'_, '_>) -> Result<ItemId> {
    text("id", value)?.parse()
}

/// The ids of several items.
pub(crate) fn ids(value: Any<'_, '_>) -> Result<Vec<ItemId>> {
    let ids = Argument::new("ids", value).texts()?;
    ids.iter().map(|id| id.parse()).collect()
}

/// A version, or none.
pub(crate) fn version(value: Any<'_, '_>) -> Result<Option<u32>> {
    Argument::new("version", value).optional(Argument::version)
}

/// Vectors, one a row, or none.
pub(crate) fn vectors(value: Any<'_, '_>) -> Result<Option<Vectors>> {
    Argument::new("vectors", value).optional(|_| arrays::vectors("vectors", value))
}

/// How an item is named: by its id, or by its key and where to look for it.
pub(crate) fn locator(
    kind: Any<'_, '_>,
    id: Any<'_, '_>,
    key: Any<'_, '_>,
    project: Any<'_, '_>,
) -> Result<(Option<Kind>, Locator)> {
    let kind = Argument::new("kind", kind).optional(Argument::text)?.map(|kind| Kind::parse(&kind)).transpose()?;
    let locator = match (optional_text("id", id)?, optional_text("key", key)?) {
        (Some(id), None) => Locator::Id(id.parse()?),
        (None, Some(key)) => Locator::Key { key, project: optional_text("project", project)? },
        _ => return Err(Error::invalid("give either an id or a key")),
    };
    Ok((kind, locator))
}

/// A search.
pub(crate) fn query(
    query: Any<'_, '_>,
    vector: Any<'_, '_>,
    kinds: Any<'_, '_>,
    project: Any<'_, '_>,
    tags: Any<'_, '_>,
    k: Any<'_, '_>,
) -> Result<Query> {
    let vector = Argument::new("vector", vector).optional(|_| arrays::floats("vector", vector))?;
    let subject = match (optional_text("query", query)?, vector) {
        (Some(query), None) => Subject::Text(query),
        (None, Some(vector)) => Subject::Vector(vector),
        _ => return Err(Error::invalid("give either a query text or a vector")),
    };
    let kinds = Argument::new("kinds", kinds).texts()?;
    Ok(Query {
        subject,
        kinds: kinds.iter().map(|kind| Kind::parse(kind)).collect::<Result<_>>()?,
        scope: filters::scope(&Argument::new("project", project))?,
        tags: Argument::new("tags", tags).texts()?,
        k: Argument::new("k", k).size()?,
    })
}
