//! Items to be added: mappings with the parameter names of `add`.

use pyo3::prelude::*;
use recollect_model::{Draft, DraftContent, DraftFields, Error, Kind, Result};

use crate::argument::{Argument, for_each_entry};

/// The common fields; false if the name is none of them.
fn common(fields: &mut DraftFields, name: &str, value: &Argument<'_, '_>) -> Result<bool> {
    match name {
        "key" => fields.key = value.optional(Argument::text)?,
        "project" => fields.project = value.optional(Argument::text)?,
        "tags" => fields.tags = value.optional(Argument::texts)?.unwrap_or_default(),
        "metadata" => fields.metadata = value.optional(Argument::json)?,
        "channel" => fields.channel = value.optional(Argument::text)?,
        "tier" => fields.tier = value.optional(Argument::text)?,
        "priority" => fields.priority = value.optional(Argument::integer)?.unwrap_or_default(),
        "source" => fields.source = value.optional(Argument::text)?,
        "trust" => fields.trust = value.optional(Argument::text)?,
        "valid_from" => fields.valid_from = value.optional(Argument::time)?,
        "valid_until" => fields.valid_until = value.optional(Argument::time)?,
        "expires_at" => fields.expires_at = value.optional(Argument::time)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// A draft of one kind.
pub(crate) fn from_python(kind: Kind, mapping: &Bound<'_, PyAny>) -> Result<Draft> {
    let mut fields = DraftFields::default();
    let mut content = match kind {
        Kind::Rule => {
            DraftContent::Rule { text: String::new(), applies_to: Vec::new(), modes: Vec::new(), always_on: false }
        }
        Kind::Doc => DraftContent::Doc { text: String::new(), path: None, title: None, media_type: None },
        Kind::Ref => DraftContent::Ref {
            target: String::new(),
            target_kind: None,
            note: String::new(),
            checked_at: None,
            state: None,
        },
    };
    let mut has_subject = false;
    for_each_entry("an item", mapping, |name, value| {
        let value = Argument::new(name, value);
        if common(&mut fields, name, &value)? {
            return Ok(());
        }
        match (&mut content, name) {
            (DraftContent::Rule { text, .. } | DraftContent::Doc { text, .. }, "text") => {
                has_subject = true;
                *text = value.text()?;
            }
            (DraftContent::Rule { applies_to, .. }, "applies_to") => {
                *applies_to = value.optional(Argument::texts)?.unwrap_or_default();
            }
            (DraftContent::Rule { modes, .. }, "modes") => {
                *modes = value.optional(Argument::texts)?.unwrap_or_default();
            }
            (DraftContent::Rule { always_on, .. }, "always_on") => *always_on = value.boolean()?,
            (DraftContent::Doc { path, .. }, "path") => *path = value.optional(Argument::text)?,
            (DraftContent::Doc { title, .. }, "title") => *title = value.optional(Argument::text)?,
            (DraftContent::Doc { media_type, .. }, "media_type") => *media_type = value.optional(Argument::text)?,
            (DraftContent::Ref { target, .. }, "target") => {
                has_subject = true;
                *target = value.text()?;
            }
            (DraftContent::Ref { target_kind, .. }, "target_kind") => *target_kind = value.optional(Argument::text)?,
            (DraftContent::Ref { note, .. }, "note") => *note = value.optional(Argument::text)?.unwrap_or_default(),
            (DraftContent::Ref { checked_at, .. }, "checked_at") => *checked_at = value.optional(Argument::time)?,
            (DraftContent::Ref { state, .. }, "state") => *state = value.optional(Argument::text)?,
            _ => return Err(Error::invalid(format!("a {kind} has no {name}"))),
        }
        Ok(())
    })?;
    if !has_subject {
        let subject = if kind == Kind::Ref { "target" } else { "text" };
        return Err(Error::invalid(format!("a {kind} needs a {subject}")));
    }
    Ok(Draft { fields, content })
}
