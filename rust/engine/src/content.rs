//! From drafts to checked content.

use recollect_chunk::MediaType;
use recollect_model::{Content, Doc, DraftContent, Ref, RefState, Result, Rule, limits};

use crate::validate;

/// Checks the content of a draft and fills in what it leaves open.
pub(crate) fn from_draft(draft: DraftContent) -> Result<Content> {
    let content = match draft {
        DraftContent::Rule { text, applies_to, modes, always_on } => {
            Content::Rule(Rule { text, applies_to, modes: validate::modes(modes)?, always_on })
        }
        DraftContent::Doc { text, path, title, media_type } => {
            let media_type = media_type.unwrap_or_else(|| media_type_of(path.as_deref()).to_owned());
            let title = match title {
                None => title_of(&text, &media_type)?,
                title => title,
            };
            Content::Doc(Doc { content_hash: blake3::hash(text.as_bytes()).into(), path, title, media_type, text })
        }
        DraftContent::Ref { target, target_kind, note, checked_at, state } => Content::Ref(Ref {
            target_kind: validate::target(&target, target_kind.as_deref())?,
            target,
            note,
            checked_at,
            state: state.as_deref().map_or(Ok(RefState::Unchecked), RefState::parse)?,
        }),
    };
    check(&content)?;
    Ok(content)
}

/// Checks content that is about to be stored.
pub(crate) fn check(content: &Content) -> Result<()> {
    match content {
        Content::Rule(rule) => {
            validate::text_with_content("rule", &rule.text, limits::RULE_TEXT)?;
            validate::globs(&rule.applies_to)?;
        }
        Content::Doc(doc) => {
            validate::text_with_content("doc", &doc.text, limits::DOC_TEXT)?;
            if let Some(path) = &doc.path {
                validate::line("path", path, limits::PATH)?;
            }
            if let Some(title) = &doc.title {
                validate::line("title", title, limits::TITLE)?;
            }
            validate::name("media type", &doc.media_type)?;
            MediaType::from_media_type(&doc.media_type)?;
        }
        Content::Ref(reference) => {
            validate::target(&reference.target, Some(reference.target_kind.as_str()))?;
            validate::text("note", &reference.note, limits::NOTE_TEXT)?;
            validate::time("checked_at", reference.checked_at)?;
        }
    }
    Ok(())
}

/// The media type that a path tells; Markdown is what most project documents are.
fn media_type_of(path: Option<&str>) -> &'static str {
    let extension = path.and_then(|path| path.rsplit_once('.')).map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "" | "md" | "markdown" | "mdc" | "mdx" => "text/markdown",
        _ => "text/plain",
    }
}

/// The title of a document that was given none.
pub(crate) fn title_of(text: &str, media_type: &str) -> Result<Option<String>> {
    let is_markdown = MediaType::from_media_type(media_type)? == MediaType::Markdown;
    Ok(if is_markdown { first_heading(text) } else { None })
}

/// The text of the first ATX heading among the first lines, if it can be a title.
fn first_heading(text: &str) -> Option<String> {
    let line = text.lines().take(50).find(|line| line.starts_with("# "))?;
    let title = line.trim_start_matches('#').trim().trim_end_matches('#').trim();
    validate::line("title", title, limits::TITLE).is_ok().then(|| title.to_owned())
}

/// BLAKE3-128 over what the kind adds to the common fields: equal content, equal hash.
pub(crate) fn hash(content: &Content) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    let mut part = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    };
    match content {
        Content::Rule(rule) => {
            part(b"rule");
            part(rule.text.as_bytes());
            part(&[u8::from(rule.always_on)]);
            for list in [&rule.applies_to, &rule.modes] {
                part(&list.len().to_le_bytes());
                for entry in list {
                    part(entry.as_bytes());
                }
            }
        }
        Content::Doc(doc) => {
            part(b"doc");
            part(&doc.content_hash);
            part(doc.path.as_deref().unwrap_or_default().as_bytes());
            part(doc.title.as_deref().unwrap_or_default().as_bytes());
            part(doc.media_type.as_bytes());
        }
        Content::Ref(reference) => {
            part(b"ref");
            part(reference.target.as_bytes());
            part(reference.note.as_bytes());
        }
    }
    first_half(&hasher.finalize())
}

/// The first sixteen bytes of a hash.
pub(crate) fn first_half(hash: &blake3::Hash) -> [u8; 16] {
    let mut half = [0; 16];
    for (to, from) in half.iter_mut().zip(hash.as_bytes()) {
        *to = *from;
    }
    half
}
