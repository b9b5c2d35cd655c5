//! Which items a list or a count means, and in which order.

use pyo3::prelude::*;
use recollect_model::{Error, Filter, Order, Result, Scope, Trust};

use crate::argument::{Argument, for_each_entry};

/// A filter.
pub(crate) fn from_python(mapping: &Bound<'_, PyAny>) -> Result<Filter> {
    let mut filter = Filter::default();
    for_each_entry("filters", mapping, |name, value| {
        let value = &Argument::new(name, value);
        match name {
            "project" => filter.scope = scope(value)?,
            "tags" => filter.tags = value.optional(Argument::texts)?.unwrap_or_default(),
            "channel" => filter.channel = value.optional(Argument::text)?,
            "tier" => filter.tier = value.optional(Argument::text)?,
            "key_prefix" => filter.key_prefix = value.optional(Argument::text)?,
            "source" => filter.source = value.optional(Argument::text)?,
            "trust" => filter.trust = value.optional(Argument::text)?.map(|trust| Trust::parse(&trust)).transpose()?,
            "path_prefix" => filter.path_prefix = value.optional(Argument::text)?,
            "always_on" => filter.always_on = value.optional(Argument::boolean)?,
            "deleted" => filter.deleted = value.optional(Argument::boolean)?.unwrap_or_default(),
            _ => return Err(Error::invalid(format!("there is no filter {name:?}"))),
        }
        Ok(())
    })?;
    Ok(filter)
}

/// A project, a subtree or everything; None where the caller did not say.
pub(crate) fn scope(value: &Argument<'_, '_>) -> Result<Option<Scope>> {
    value.optional(Argument::text)?.map(|text| Scope::parse(&text)).transpose()
}

/// The order of a list.
pub(crate) fn order(value: &Bound<'_, PyAny>) -> Result<Order> {
    match Argument::new("order", value).text()?.as_str() {
        "created" => Ok(Order::Created),
        "updated" => Ok(Order::Updated),
        "priority" => Ok(Order::Priority),
        "key" => Ok(Order::Key),
        other => Err(Error::invalid(format!("{other:?} is no order; known are: created, updated, priority, key"))),
    }
}
