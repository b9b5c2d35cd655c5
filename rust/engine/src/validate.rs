//! The checks of everything that enters, before SQL sees it.

use globset::GlobBuilder;
use recollect_model::{DraftFields, Error, Fields, Result, TargetKind, Timestamp, Trust, check_project, limits};

/// Text without NUL, of at most `limit` bytes.
pub(crate) fn text(what: &str, value: &str, limit: usize) -> Result<()> {
    if value.len() > limit {
        return Err(Error::invalid(format!("the {what} has {} bytes, more than {limit}", value.len())));
    }
    if let Some(at) = value.bytes().position(|byte| byte == 0) {
        return Err(Error::invalid(format!("the {what} has a NUL character at byte {at}"))
            .with_hint("remove it: text with NUL cannot be stored exactly"));
    }
    Ok(())
}

/// Text with something in it besides white space.
pub(crate) fn text_with_content(what: &str, value: &str, limit: usize) -> Result<()> {
    text(what, value, limit)?;
    if value.trim().is_empty() {
        return Err(Error::invalid(format!("the {what} is blank")));
    }
    Ok(())
}

/// One line without control characters and without white space at its ends.
pub(crate) fn line(what: &str, value: &str, limit: usize) -> Result<()> {
    text_with_content(what, value, limit)?;
    if value.chars().any(char::is_control) {
        return Err(Error::invalid(format!("the {what} {value:?} has a control character")));
    }
    if value.trim().len() != value.len() {
        return Err(Error::invalid(format!("the {what} {value:?} begins or ends with white space")));
    }
    Ok(())
}

/// The name of a channel, tier, mode, space or principal.
pub(crate) fn name(what: &str, value: &str) -> Result<()> {
    line(what, value, limits::NAME)
}

/// A key.
pub(crate) fn key(value: &str) -> Result<()> {
    line("key", value, limits::KEY)
}

/// A priority.
pub(crate) fn priority(value: i64) -> Result<i32> {
    let bound = i64::try_from(limits::PRIORITY).unwrap_or(i64::MAX);
    i32::try_from(value)
        .ok()
        .filter(|_| value.abs() <= bound)
        .ok_or_else(|| Error::invalid(format!("the priority {value} is not between -{bound} and {bound}")))
}

/// Tags, sorted, each once.
pub(crate) fn tags(mut tags: Vec<String>) -> Result<Vec<String>> {
    if tags.len() > limits::TAGS {
        return Err(Error::invalid(format!("{} tags, more than {}", tags.len(), limits::TAGS)));
    }
    for tag in &tags {
        line("tag", tag, limits::TAG)?;
    }
    tags.sort_unstable();
    tags.dedup();
    Ok(tags)
}

/// Metadata: a JSON object.
pub(crate) fn metadata(json: &str) -> Result<()> {
    text("metadata", json, limits::METADATA)?;
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(json)
        .map(|_| ())
        .map_err(|source| Error::invalid("the metadata is no JSON object").with_source(source))
}

/// Path globs of a rule.
pub(crate) fn globs(globs: &[String]) -> Result<()> {
    if globs.len() > limits::GLOBS {
        return Err(Error::invalid(format!("{} globs, more than {}", globs.len(), limits::GLOBS)));
    }
    for glob in globs {
        line("glob", glob, limits::GLOB)?;
        GlobBuilder::new(glob).literal_separator(true).build().map_err(|source| {
            Error::invalid(format!("{glob:?} is no path glob: {}", source.kind()))
                .with_hint("globs look like src/**/*.py, *.{ts,tsx} or docs/[a-c]*.md")
        })?;
    }
    Ok(())
}

/// Modes of a rule, sorted, each once.
pub(crate) fn modes(mut modes: Vec<String>) -> Result<Vec<String>> {
    if modes.len() > limits::MODES {
        return Err(Error::invalid(format!("{} modes, more than {}", modes.len(), limits::MODES)));
    }
    for mode in &modes {
        name("mode", mode)?;
    }
    modes.sort_unstable();
    modes.dedup();
    Ok(modes)
}

/// A point in time that every surface can say.
pub(crate) fn time(what: &str, value: Option<Timestamp>) -> Result<()> {
    match value {
        Some(time) if !(Timestamp::MIN..=Timestamp::MAX).contains(&time) => {
            Err(Error::invalid(format!("{what} lies outside the years 1 to 9999")))
        }
        _ => Ok(()),
    }
}

/// The target of a ref, and what it points to if the caller did not say.
pub(crate) fn target(value: &str, kind: Option<&str>) -> Result<TargetKind> {
    line("target", value, limits::TARGET)?;
    let has_scheme = value.split_once("://").is_some_and(|(scheme, rest)| {
        !rest.is_empty() && !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    let is_hex = |text: &str| (4..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_hexdigit());
    let is_commit = value.strip_prefix("commit:").is_some_and(is_hex);
    let is_issue = value
        .rsplit_once('#')
        .is_some_and(|(_, number)| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()));
    let told = if has_scheme {
        TargetKind::Url
    } else if is_commit {
        TargetKind::Commit
    } else if is_issue {
        TargetKind::Issue
    } else {
        TargetKind::File
    };
    let kind = kind.map_or(Ok(told), TargetKind::parse)?;
    let fits = match kind {
        TargetKind::Url => has_scheme,
        TargetKind::Commit => is_commit || is_hex(value),
        TargetKind::Issue => is_issue,
        TargetKind::File => !has_scheme && has_sound_lines(value),
    };
    if fits {
        return Ok(kind);
    }
    Err(Error::invalid(format!("{value:?} cannot be the target of a {kind} ref"))
        .with_hint("targets look like https://…, src/main.rs:10-20, commit:1a2b3c4 or owner/name#12"))
}

/// Whether the lines behind a file's name, if there are any, are `12` or `12-20`, counted from one.
fn has_sound_lines(value: &str) -> bool {
    let Some((_, lines)) = value.rsplit_once(':') else { return true };
    if lines.is_empty() || !lines.chars().all(|c| c.is_ascii_digit() || c == '-') {
        return true;
    }
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
    match lines.split_once('-') {
        None => number(lines).is_some(),
        Some((first, last)) => number(first).zip(number(last)).is_some_and(|(first, last)| first <= last),
    }
}

/// The common fields, with defaults filled in.
pub(crate) fn fields(draft: DraftFields, default_project: &str, default_tier: &str) -> Result<Fields> {
    let project = draft.project.unwrap_or_else(|| default_project.to_owned());
    let fields = Fields {
        key: draft.key,
        project,
        tags: tags(draft.tags)?,
        metadata: draft.metadata.unwrap_or_else(|| "{}".to_owned()),
        channel: draft.channel,
        tier: draft.tier.unwrap_or_else(|| default_tier.to_owned()),
        priority: priority(draft.priority)?,
        source: draft.source,
        trust: draft.trust.as_deref().map_or(Ok(Trust::Trusted), Trust::parse)?,
        valid_from: draft.valid_from,
        valid_until: draft.valid_until,
        expires_at: draft.expires_at,
    };
    check_fields(&fields)?;
    Ok(fields)
}

/// The common fields of an item that is about to be stored.
pub(crate) fn check_fields(fields: &Fields) -> Result<()> {
    if let Some(value) = &fields.key {
        key(value)?;
    }
    check_project(&fields.project)?;
    if fields.metadata != "{}" {
        metadata(&fields.metadata)?;
    }
    if let Some(channel) = &fields.channel {
        name("channel", channel)?;
    }
    name("tier", &fields.tier)?;
    if let Some(source) = &fields.source {
        line("source", source, limits::SOURCE)?;
    }
    time("valid_from", fields.valid_from)?;
    time("valid_until", fields.valid_until)?;
    time("expires_at", fields.expires_at)?;
    if let (Some(from), Some(until)) = (fields.valid_from, fields.valid_until)
        && from >= until
    {
        return Err(Error::invalid("valid_until does not lie after valid_from"));
    }
    Ok(())
}
