//! Reads a `tokenizer.json` and refuses one that this tokeniser would get wrong.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use recollect_model::{Error, Result};
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;

use crate::joins::Joins;
use crate::merges::Merge;
use crate::pieces::MARK;
use crate::text_hash::BuildTextHasher;

/// The most tokens a vocabulary may have: ids are 16 bits wide, and the last means "none".
const VOCABULARY_LIMIT: usize = u16::MAX as usize;

/// What the tokeniser needs of the file, checked.
#[derive(Debug)]
pub(crate) struct TokenizerFile {
    /// How many tokens there are; the ids are `0..vocabulary_len`.
    pub vocabulary_len: usize,
    /// The tokens that are one character.
    pub char_ids: Vec<(char, u16)>,
    /// The token of each byte.
    pub byte_ids: [u16; 256],
    /// The tokens that stand for themselves wherever they are written.
    pub specials: Vec<(String, u16)>,
    /// The merges, the first to be applied first.
    pub merges: Vec<Merge>,
    /// The neighbours within what merges make.
    pub joins: Joins,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
    normalizer: Option<Value>,
    pre_tokenizer: Option<Value>,
    #[serde(borrow)]
    model: Model<'a>,
}

#[derive(Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "it mirrors the file")]
struct AddedToken {
    id: u32,
    content: String,
    single_word: bool,
    lstrip: bool,
    rstrip: bool,
    normalized: bool,
}

#[derive(Deserialize)]
struct Model<'a> {
    #[serde(rename = "type")]
    kind: String,
    dropout: Option<f32>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    #[serde(default)]
    byte_fallback: bool,
    #[serde(default)]
    ignore_merges: bool,
    #[serde(borrow)]
    vocab: Entries<'a>,
    #[serde(borrow)]
    merges: Vec<Text<'a>>,
}

/// A string, borrowed from the file if nothing in it is escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The entries of the vocabulary as they come; a map would be built only to be read once.
struct Entries<'a>(Vec<(Text<'a>, u32)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Entries<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map of tokens to ids")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

impl TokenizerFile {
    /// Parses and checks the bytes of a `tokenizer.json`.
    ///
    /// # Errors
    ///
    /// `Corrupt` if they are not that, or contradict themselves; `Unsupported` if they describe another kind of
    /// tokeniser than this crate runs.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        let document: Document = serde_json::from_slice(bytes).map_err(|error| unreadable(bytes, error))?;
        check_kind(&document)?;
        let vocabulary = Vocabulary::new(&document.model.vocab)?;
        let byte_ids = vocabulary.byte_ids()?;
        let (merges, joins) = vocabulary.merges(&document.model.merges, &byte_ids)?;
        Ok(Self {
            vocabulary_len: vocabulary.ids.len(),
            char_ids: vocabulary.char_ids()?,
            merges,
            joins,
            specials: vocabulary.specials(document.added_tokens)?,
            byte_ids,
        })
    }
}

/// Why a file does not read as a [`Document`]: other kinds of model have other fields.
fn unreadable(bytes: &[u8], error: serde_json::Error) -> Error {
    let kind = serde_json::from_slice::<Value>(bytes).ok().and_then(|document| {
        let kind = document.get("model")?.get("type")?.as_str()?;
        Some(kind.to_owned())
    });
    match kind {
        Some(kind) if kind != "BPE" => Error::unsupported(format!("the tokeniser's model is {kind}, not BPE")),
        _ => Error::corrupt("the tokeniser file is not a readable tokenizer.json").with_source(error),
    }
}

fn require(holds: bool, otherwise: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::unsupported(format!("the tokeniser cannot be run here: {otherwise}"))) }
}

fn check_kind(document: &Document<'_>) -> Result<()> {
    let model = &document.model;
    require(model.kind == "BPE", "its model is not BPE")?;
    require(model.byte_fallback, "it has no byte fallback")?;
    require(!model.ignore_merges, "it ignores merges for known words")?;
    require(model.dropout.is_none_or(|dropout| dropout == 0.0), "it drops merges at random")?;
    let is_unset = |affix: &Option<String>| affix.as_deref().is_none_or(str::is_empty);
    require(is_unset(&model.continuing_subword_prefix), "it marks continued words")?;
    require(is_unset(&model.end_of_word_suffix), "it marks ends of words")?;
    require(document.pre_tokenizer.is_none(), "it has a pre-tokeniser")?;
    let normalizer = serde_json::json!({
        "type": "Sequence",
        "normalizers": [
            { "type": "Prepend", "prepend": MARK },
            { "type": "Replace", "pattern": { "String": " " }, "content": MARK },
        ],
    });
    require(document.normalizer.as_ref() == Some(&normalizer), "its normaliser is another one")?;
    let is_plain = |token: &AddedToken| !(token.single_word || token.lstrip || token.rstrip || token.normalized);
    require(document.added_tokens.iter().all(is_plain), "an added token is matched in a special way")
}

/// The vocabulary, with ids known to be `0..len` and to fit.
struct Vocabulary<'a> {
    ids: HashMap<&'a str, u16, BuildTextHasher>,
}

impl<'a> Vocabulary<'a> {
    fn new(Entries(entries): &'a Entries<'_>) -> Result<Self> {
        require(entries.len() <= VOCABULARY_LIMIT, "its vocabulary is over 65,535 tokens")?;
        let mut is_taken = vec![false; entries.len()];
        let mut ids = HashMap::with_capacity_and_hasher(entries.len(), BuildTextHasher::default());
        for (Text(token), id) in entries {
            let slot = usize::try_from(*id).ok().and_then(|id| is_taken.get_mut(id));
            let (Some(slot @ false), Ok(id)) = (slot, u16::try_from(*id)) else {
                return Err(Error::corrupt(format!("the tokeniser file gives the id {id} twice, or leaves one out")));
            };
            *slot = true;
            let is_mark_inside = token.trim_start_matches(MARK).contains(MARK);
            require(!is_mark_inside, "a token has \"▁\" after another character")?;
            require(!token.contains('\n'), "a token has a newline")?;
            if ids.insert(token.as_ref(), id).is_some() {
                return Err(Error::corrupt(format!("the tokeniser file has the token {token:?} twice")));
            }
        }
        Ok(Self { ids })
    }

    fn id(&self, token: &str) -> Option<u16> {
        self.ids.get(token).copied()
    }

    fn byte_ids(&self) -> Result<[u16; 256]> {
        let mut ids = [0; 256];
        for (byte, slot) in ids.iter_mut().enumerate() {
            let id = self.id(&format!("<0x{byte:02X}>"));
            require(id.is_some(), "a byte has no token")?;
            *slot = id.unwrap_or_default();
        }
        Ok(ids)
    }

    fn char_ids(&self) -> Result<Vec<(char, u16)>> {
        require(self.id(MARK.encode_utf8(&mut [0; 4])).is_some(), "\"▁\" is no token")?;
        let only_char = |token: &str| {
            let mut chars = token.chars();
            chars.next().filter(|_| chars.next().is_none())
        };
        Ok(self.ids.iter().filter_map(|(token, &id)| Some((only_char(token)?, id))).collect())
    }

    fn merges(&self, lines: &[Text<'_>], byte_ids: &[u16; 256]) -> Result<(Vec<Merge>, Joins)> {
        let mut is_byte = vec![false; usize::from(u16::MAX) + 1];
        for &id in byte_ids {
            if let Some(slot) = is_byte.get_mut(usize::from(id)) {
                *slot = true;
            }
        }
        let is_byte = |id: u16| is_byte.get(usize::from(id)).copied().unwrap_or(false);
        let mut joined = String::new();
        let mut merges = Vec::with_capacity(lines.len());
        let mut joins = Joins::new();
        for Text(line) in lines {
            let unknown = || Error::corrupt(format!("the tokeniser file merges what is no token: {line:?}"));
            let (left, right) = line.split_once(' ').ok_or_else(unknown)?;
            joined.clear();
            joined.push_str(left);
            joined.push_str(right);
            let (Some(left), Some(right), Some(result)) = (self.id(left), self.id(right), self.id(&joined)) else {
                return Err(unknown());
            };
            require(!is_byte(left) && !is_byte(right), "it merges single bytes")?;
            merges.push((left, right, result));
            // "▁" stays with what follows it wherever a word is cut.
            joins.add_token(joined.trim_start_matches(MARK));
        }
        Ok((merges, joins.finish()))
    }

    fn specials(&self, tokens: Vec<AddedToken>) -> Result<Vec<(String, u16)>> {
        let checked = |token: AddedToken| match self.id(&token.content) {
            Some(id) if u32::from(id) == token.id => Ok((token.content, id)),
            _ => Err(Error::unsupported(format!("the added token {:?} is not in the vocabulary", token.content))),
        };
        tokens.into_iter().map(checked).collect()
    }
}
