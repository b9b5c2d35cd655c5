//! What a patch makes of an item.

use recollect_model::{Content, Error, Field, Fields, Item, Patch, RefState, Result, Trust};

use crate::content::title_of;
use crate::validate;

/// The item as the patch makes it.
pub(crate) fn apply(patch: &Patch, mut item: Item, default_tier: &str) -> Result<Item> {
    apply_fields(patch, &mut item.fields, default_tier)?;
    let kind = item.kind();
    let foreign = |fields: &[(&str, bool)]| match fields.iter().find(|(_, is_left)| !is_left) {
        None => Ok(()),
        Some((name, _)) => Err(Error::invalid(format!("a {kind} has no {name}"))),
    };
    let rule_fields = [
        ("applies_to", patch.applies_to.is_leave()),
        ("modes", patch.modes.is_leave()),
        ("always_on", patch.always_on.is_leave()),
    ];
    let doc_fields = [
        ("path", patch.path.is_leave()),
        ("title", patch.title.is_leave()),
        ("media_type", patch.media_type.is_leave()),
    ];
    let ref_fields = [
        ("target", patch.target.is_leave()),
        ("target_kind", patch.target_kind.is_leave()),
        ("note", patch.note.is_leave()),
        ("checked_at", patch.checked_at.is_leave()),
        ("state", patch.state.is_leave()),
    ];
    match &mut item.content {
        Content::Rule(rule) => {
            foreign(&doc_fields)?;
            foreign(&ref_fields)?;
            set_required("text", &patch.text, &mut rule.text)?;
            set_or_default(&patch.applies_to, &mut rule.applies_to);
            match &patch.modes {
                Field::Leave => {}
                Field::Unset => rule.modes.clear(),
                Field::Set(modes) => rule.modes = validate::modes(modes.clone())?,
            }
            set_or_default(&patch.always_on, &mut rule.always_on);
        }
        Content::Doc(doc) => {
            foreign(&rule_fields)?;
            foreign(&ref_fields)?;
            let has_own_title = doc.title != title_of(&doc.text, &doc.media_type)?;
            set_required("text", &patch.text, &mut doc.text)?;
            doc.content_hash = blake3::hash(doc.text.as_bytes()).into();
            set_optional(&patch.path, &mut doc.path);
            set_required("media_type", &patch.media_type, &mut doc.media_type)?;
            match &patch.title {
                Field::Set(title) => doc.title = Some(title.clone()),
                Field::Leave if has_own_title => {}
                // A title that was told from the text goes with it.
                Field::Leave | Field::Unset => doc.title = title_of(&doc.text, &doc.media_type)?,
            }
        }
        Content::Ref(reference) => {
            foreign(&rule_fields)?;
            foreign(&doc_fields)?;
            foreign(&[("text", patch.text.is_leave())])?;
            set_required("target", &patch.target, &mut reference.target)?;
            match (&patch.target_kind, &patch.target) {
                (Field::Leave, Field::Leave) => {}
                (Field::Set(kind), _) => reference.target_kind = validate::target(&reference.target, Some(kind))?,
                _ => reference.target_kind = validate::target(&reference.target, None)?,
            }
            set_or_default(&patch.note, &mut reference.note);
            set_optional(&patch.checked_at, &mut reference.checked_at);
            match &patch.state {
                Field::Leave => {}
                Field::Unset => reference.state = RefState::Unchecked,
                Field::Set(state) => reference.state = RefState::parse(state)?,
            }
        }
    }
    Ok(item)
}

fn apply_fields(patch: &Patch, fields: &mut Fields, default_tier: &str) -> Result<()> {
    set_optional(&patch.key, &mut fields.key);
    set_or_default(&patch.project, &mut fields.project);
    match &patch.tags {
        Field::Leave => {}
        Field::Unset => fields.tags.clear(),
        Field::Set(tags) => fields.tags = validate::tags(tags.clone())?,
    }
    match &patch.metadata {
        Field::Leave => {}
        Field::Unset => "{}".clone_into(&mut fields.metadata),
        Field::Set(metadata) => fields.metadata.clone_from(metadata),
    }
    set_optional(&patch.channel, &mut fields.channel);
    match &patch.tier {
        Field::Leave => {}
        Field::Unset => default_tier.clone_into(&mut fields.tier),
        Field::Set(tier) => fields.tier.clone_from(tier),
    }
    match patch.priority {
        Field::Leave => {}
        Field::Unset => fields.priority = 0,
        Field::Set(priority) => fields.priority = validate::priority(priority)?,
    }
    set_optional(&patch.source, &mut fields.source);
    match &patch.trust {
        Field::Leave => {}
        Field::Unset => fields.trust = Trust::Trusted,
        Field::Set(trust) => fields.trust = Trust::parse(trust)?,
    }
    set_optional(&patch.valid_from, &mut fields.valid_from);
    set_optional(&patch.valid_until, &mut fields.valid_until);
    set_optional(&patch.expires_at, &mut fields.expires_at);
    Ok(())
}

fn set_optional<T: Clone>(field: &Field<T>, slot: &mut Option<T>) {
    match field {
        Field::Leave => {}
        Field::Unset => *slot = None,
        Field::Set(value) => *slot = Some(value.clone()),
    }
}

fn set_or_default<T: Clone + Default>(field: &Field<T>, slot: &mut T) {
    match field {
        Field::Leave => {}
        Field::Unset => *slot = T::default(),
        Field::Set(value) => slot.clone_from(value),
    }
}

fn set_required(name: &str, field: &Field<String>, slot: &mut String) -> Result<()> {
    match field {
        Field::Leave => {}
        Field::Unset => return Err(Error::invalid(format!("{name} cannot be taken away"))),
        Field::Set(value) => slot.clone_from(value),
    }
    Ok(())
}
