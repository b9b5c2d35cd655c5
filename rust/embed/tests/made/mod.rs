//! A tiny model, made up here: no weights of the product are in the repository.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failing set-up is a failing test, and each test file uses a part of this"
)]

use std::fs;
use std::path::PathBuf;

use recollect_embed::StaticModel;
use recollect_model::Result;
use serde_json::{Value, json};
use tempfile::TempDir;

pub const DIMENSION: usize = 12;

/// In this order they are learnt; "▁▁" before "▁a", so that runs of spaces compete with words.
pub const MERGES: &[&str] =
    &["▁ ▁", "▁ a", "a b", "ab ab", "▁a b", "b c", "abab abab", "▁▁ ▁▁", "( )", "é é", "- -", "-- --", "a a", "aa aa"];

/// The three specials, the 256 bytes, some characters, and what the merges make of them.
pub fn vocabulary() -> Vec<String> {
    let specials = ["<unk>", "<s>", "</s>"].map(str::to_owned);
    let bytes = (0..256).map(|byte| format!("<0x{byte:02X}>"));
    let chars = "▁abcde()é漢-<s>/unk".chars().map(String::from);
    let mut tokens: Vec<String> = specials.into_iter().chain(bytes).collect();
    for token in chars.chain(MERGES.iter().map(|merge| merge.replace(' ', ""))) {
        if !tokens.contains(&token) {
            tokens.push(token);
        }
    }
    tokens
}

pub fn tokenizer() -> Value {
    let tokens = vocabulary();
    let vocab: serde_json::Map<String, Value> =
        tokens.iter().enumerate().map(|(id, token)| (token.clone(), json!(id))).collect();
    let added = |id: u32, content: &str| {
        json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
               "normalized": false, "special": true})
    };
    json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [added(0, "<unk>"), added(1, "<s>"), added(2, "</s>")],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "▁"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
        "pre_tokenizer": null, "post_processor": null, "decoder": null,
        "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null,
                  "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": true, "ignore_merges": false,
                  "vocab": vocab, "merges": MERGES},
    })
}

/// The binary16 of row `id`, column `at`: both signs, several exponents, and a few subnormals.
pub fn half(id: usize, at: usize) -> u16 {
    let mixed = (id * 31 + at * 7 + 1).wrapping_mul(2_654_435_761) >> 7;
    let exponent = if mixed.is_multiple_of(17) { 0 } else { 8 + (mixed >> 4) % 10 };
    u16::try_from((mixed & 1) << 15 | exponent << 10 | (mixed >> 9) & 0x3FF).unwrap()
}

/// The value of a finite binary16, from its definition.
pub fn half_value(half: u16) -> f64 {
    let sign = if half >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(half >> 10 & 0x1F), f64::from(half & 0x3FF));
    if exponent == 0 {
        sign * fraction * 2f64.powi(-24)
    } else {
        sign * (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15)
    }
}

pub fn weights_of(rows: usize, value: impl Fn(usize, usize) -> u16) -> Vec<u8> {
    let size = rows * DIMENSION * 2;
    let header = json!({"__metadata__": {"made": "here"}, "embedding.weight":
        {"dtype": "F16", "shape": [rows, DIMENSION], "data_offsets": [0, size]}});
    safetensors(
        &header,
        &(0..rows)
            .flat_map(|id| (0..DIMENSION).map(move |at| (id, at)))
            .map(|(id, at)| value(id, at))
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>(),
    )
}

pub fn safetensors(header: &Value, data: &[u8]) -> Vec<u8> {
    let header = header.to_string();
    let length = u64::try_from(header.len()).unwrap().to_le_bytes();
    [&length[..], header.as_bytes(), data].concat()
}

pub fn weights() -> Vec<u8> {
    weights_of(vocabulary().len(), half)
}

/// The two files, for as long as this lives.
pub struct Files {
    directory: TempDir,
}

impl Files {
    pub fn new(tokenizer: &[u8], weights: &[u8]) -> Self {
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join("tokenizer.json"), tokenizer).unwrap();
        fs::write(directory.path().join("weights.safetensors"), weights).unwrap();
        Self { directory }
    }

    pub fn tokenizer(&self) -> PathBuf {
        self.directory.path().join("tokenizer.json")
    }

    pub fn weights(&self) -> PathBuf {
        self.directory.path().join("weights.safetensors")
    }

    pub fn load(&self) -> Result<StaticModel> {
        StaticModel::load_any(&self.tokenizer(), &self.weights())
    }
}

pub fn load(tokenizer: &Value, weights: &[u8]) -> Result<StaticModel> {
    Files::new(tokenizer.to_string().as_bytes(), weights).load()
}

pub fn model() -> StaticModel {
    load(&tokenizer(), &weights()).unwrap()
}

/// The ids of a text as the definition has it: the whole text at once, no cuts, no memory, no clever queue.
pub fn ids_by_definition(text: &str) -> Vec<u32> {
    let tokens = vocabulary();
    let id = |token: &str| tokens.iter().position(|known| known == token);
    let mut ids = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let specials = ["<unk>", "<s>", "</s>"];
        let next = specials.iter().filter_map(|special| Some((rest.find(special)?, *special))).min();
        let (piece, special) = next.map_or((rest, None), |(at, special)| (&rest[..at], Some(special)));
        if !piece.is_empty() {
            ids.extend(merged(&format!("▁{}", piece.replace(' ', "▁")), &id));
        }
        ids.extend(special.and_then(&id));
        rest = &rest[piece.len() + special.map_or(0, str::len)..];
    }
    ids.into_iter().map(|id| u32::try_from(id).unwrap()).collect()
}

fn merged(text: &str, id: &impl Fn(&str) -> Option<usize>) -> Vec<usize> {
    let mut symbols: Vec<String> = Vec::new();
    for char in text.chars().map(String::from) {
        if id(&char).is_some() {
            symbols.push(char);
        } else {
            symbols.extend(char.bytes().map(|byte| format!("<0x{byte:02X}>")));
        }
    }
    'again: loop {
        for merge in MERGES {
            let (left, right) = merge.split_once(' ').unwrap();
            if let Some(at) = symbols.windows(2).position(|pair| pair[0] == left && pair[1] == right) {
                symbols.splice(at..at + 2, [format!("{left}{right}")]);
                continue 'again;
            }
        }
        return symbols.iter().map(|symbol| id(symbol).unwrap()).collect();
    }
}
