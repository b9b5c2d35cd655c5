//! What an update changes: a mapping of the fields that are not left; None takes a value away.

use pyo3::prelude::*;
use recollect_model::{Error, Field, Patch, Result};

use crate::argument::{Argument, for_each_entry};

fn field<'a, 'py, T>(
    value: &Argument<'a, 'py>,
    read: impl FnOnce(&Argument<'a, 'py>) -> Result<T>,
) -> Result<Field<T>> {
    Ok(value.optional(read)?.map_or(Field::Unset, Field::Set))
}

/// A patch.
pub(crate) fn from_python(mapping: &Bound<'_, PyAny>) -> Result<Patch> {
    let mut patch = Patch::default();
    for_each_entry("a patch", mapping, |name, value| {
        let value = &Argument::new(name, value);
        match name {
            "key" => patch.key = field(value, Argument::text)?,
            "project" => patch.project = field(value, Argument::text)?,
            "tags" => patch.tags = field(value, Argument::texts)?,
            "metadata" => patch.metadata = field(value, Argument::json)?,
            "channel" => patch.channel = field(value, Argument::text)?,
            "tier" => patch.tier = field(value, Argument::text)?,
            "priority" => patch.priority = field(value, Argument::integer)?,
            "source" => patch.source = field(value, Argument::text)?,
            "trust" => patch.trust = field(value, Argument::text)?,
            "valid_from" => patch.valid_from = field(value, Argument::time)?,
            "valid_until" => patch.valid_until = field(value, Argument::time)?,
            "expires_at" => patch.expires_at = field(value, Argument::time)?,
            "text" => patch.text = field(value, Argument::text)?,
            "applies_to" => patch.applies_to = field(value, Argument::texts)?,
            "modes" => patch.modes = field(value, Argument::texts)?,
            "always_on" => patch.always_on = field(value, Argument::boolean)?,
            "path" => patch.path = field(value, Argument::text)?,
            "title" => patch.title = field(value, Argument::text)?,
            "media_type" => patch.media_type = field(value, Argument::text)?,
            "target" => patch.target = field(value, Argument::text)?,
            "target_kind" => patch.target_kind = field(value, Argument::text)?,
            "note" => patch.note = field(value, Argument::text)?,
            "checked_at" => patch.checked_at = field(value, Argument::time)?,
            "state" => patch.state = field(value, Argument::text)?,
            _ => return Err(Error::invalid(format!("an item has no {name}"))),
        }
        Ok(())
    })?;
    Ok(patch)
}
