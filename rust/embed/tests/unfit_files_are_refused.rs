//! A file that is missing, damaged, unknown, or of a kind that would be run wrongly is refused with a typed error.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing set-up is a failing test")]

mod made;

use made::{DIMENSION, Files};
use proptest::prelude::*;
use recollect_embed::{KNOWN, StaticModel};
use recollect_model::ErrorCode;
use serde_json::{Value, json};

fn code_with_tokenizer(change: impl FnOnce(&mut Value)) -> ErrorCode {
    let mut tokenizer = made::tokenizer();
    change(&mut tokenizer);
    made::load(&tokenizer, &made::weights()).unwrap_err().code()
}

fn code_with_weights(weights: &[u8]) -> ErrorCode {
    made::load(&made::tokenizer(), weights).unwrap_err().code()
}

/// Puts a token in the place of an unused one, so that nothing else is wrong.
fn rename(tokenizer: &mut Value, from: &str, to: &str) {
    let vocab = tokenizer["model"]["vocab"].as_object_mut().unwrap();
    let id = vocab.remove(from).unwrap();
    vocab.insert(to.to_owned(), id);
}

#[test]
fn the_made_up_model_loads_and_is_unlisted() {
    let model = made::model();
    assert_eq!((model.name(), model.known(), model.dimension()), ("unlisted", None, DIMENSION));
}

#[test]
fn the_hash_is_that_of_weights_then_tokenizer() {
    let tokenizer = made::tokenizer().to_string();
    let bytes = [made::weights().as_slice(), tokenizer.as_bytes()].concat();
    assert_eq!(made::model().weights_hash(), *blake3::hash(&bytes).as_bytes());
}

#[test]
fn files_that_are_not_known_are_a_conflict() {
    let files = Files::new(made::tokenizer().to_string().as_bytes(), &made::weights());
    let error = StaticModel::load(&files.tokenizer(), &files.weights()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Conflict);
}

#[test]
fn known_models_have_names_and_hashes_of_their_own() {
    for (at, known) in KNOWN.iter().enumerate() {
        assert!(!known.name.is_empty() && known.hash != [0; 32]);
        assert!(KNOWN[..at].iter().all(|other| other.hash != known.hash));
    }
}

#[test]
fn a_missing_file_is_not_found_and_named() {
    let files = Files::new(b"{}", b"");
    let missing = files.tokenizer().with_file_name("nothing");
    for (tokenizer, weights) in [(missing.clone(), files.weights()), (files.tokenizer(), missing)] {
        let error = StaticModel::load(&tokenizer, &weights).unwrap_err();
        assert_eq!(error.code(), ErrorCode::NotFound);
        assert!(error.message().contains("nothing"), "{error}");
    }
}

#[test]
fn a_directory_is_an_io_error() {
    let files = Files::new(b"{}", b"");
    let directory = files.tokenizer().parent().unwrap().to_owned();
    assert_eq!(StaticModel::load(&directory, &files.weights()).unwrap_err().code(), ErrorCode::Io);
}

#[test]
fn another_kind_of_tokenizer_is_unsupported() {
    type Change = fn(&mut Value);
    let changes: &[(&str, Change)] = &[
        ("another model", |t| t["model"]["type"] = json!("WordLevel")),
        ("another model with other fields", |t| t["model"] = json!({"type": "Unigram", "vocab": [["a", 0.0]]})),
        ("no byte fallback", |t| t["model"]["byte_fallback"] = json!(false)),
        ("ignored merges", |t| t["model"]["ignore_merges"] = json!(true)),
        ("dropout", |t| t["model"]["dropout"] = json!(0.1)),
        ("a prefix of continued words", |t| t["model"]["continuing_subword_prefix"] = json!("##")),
        ("a suffix of words", |t| t["model"]["end_of_word_suffix"] = json!("</w>")),
        ("a pre-tokeniser", |t| t["pre_tokenizer"] = json!({"type": "Whitespace"})),
        ("no normaliser", |t| t["normalizer"] = json!(null)),
        ("another normaliser", |t| t["normalizer"]["normalizers"][0]["prepend"] = json!("_")),
        ("one more normaliser", |t| {
            t["normalizer"]["normalizers"].as_array_mut().unwrap().push(json!({"type": "Lowercase"}));
        }),
        ("a special that eats spaces", |t| t["added_tokens"][1]["lstrip"] = json!(true)),
        ("a special that is normalised", |t| t["added_tokens"][1]["normalized"] = json!(true)),
        ("a special of another id", |t| t["added_tokens"][1]["id"] = json!(7)),
        ("a mark after a letter", |t| rename(t, "漢", "a▁")),
        ("a mark between marks and a letter", |t| rename(t, "漢", "▁a▁")),
        ("a newline", |t| rename(t, "漢", "\n")),
        ("a byte without a token", |t| rename(t, "<0x41>", "A")),
        ("no mark", |t| {
            rename(t, "▁", "_");
            t["model"]["merges"] = json!([]);
        }),
        ("a merge of bytes", |t| {
            rename(t, "漢", "<0x41><0x42>");
            t["model"]["merges"].as_array_mut().unwrap().push(json!("<0x41> <0x42>"));
        }),
    ];
    for (what, change) in changes {
        assert_eq!(code_with_tokenizer(change), ErrorCode::Unsupported, "{what}");
    }
}

#[test]
fn a_tokenizer_that_contradicts_itself_is_corrupt() {
    type Change = fn(&mut Value);
    let changes: &[(&str, Change)] = &[
        ("an id twice", |t| t["model"]["vocab"]["a"] = json!(0)),
        ("an id beyond the rest", |t| t["model"]["vocab"]["a"] = json!(70_000)),
        ("a merge of unknown tokens", |t| t["model"]["merges"][0] = json!("q q")),
        ("a merge of one token", |t| t["model"]["merges"][0] = json!("q")),
        ("no vocabulary", |t| t["model"]["vocab"] = json!(null)),
        ("no model", |t| t["model"] = json!(null)),
        ("fewer tokens than rows", |t| {
            let vocab = t["model"]["vocab"].as_object_mut().unwrap();
            let last = vocab.iter().max_by_key(|(_, id)| id.as_u64()).unwrap().0.clone();
            vocab.remove(&last);
            t["model"]["merges"] = json!([]);
        }),
    ];
    for (what, change) in changes {
        assert_eq!(code_with_tokenizer(change), ErrorCode::Corrupt, "{what}");
    }
    for bytes in [&b""[..], b"{", b"[]", b"\xFF\xFE", b"{\"model\": {\"type\": \"BPE\"}}"] {
        assert_eq!(Files::new(bytes, &made::weights()).load().unwrap_err().code(), ErrorCode::Corrupt);
    }
}

#[test]
fn another_kind_of_table_is_unsupported() {
    let rows = made::vocabulary().len();
    let size = rows * DIMENSION * 2;
    let with = |tensor: &str, info: Value| made::safetensors(&json!({tensor: info}), &vec![0; size]);
    let info = |dtype: &str, shape: Value| json!({"dtype": dtype, "shape": shape, "data_offsets": [0, size]});
    assert!(made::load(&made::tokenizer(), &with("embedding.weight", info("F16", json!([rows, DIMENSION])))).is_ok());
    for weights in [
        with("embedding.weight", info("BF16", json!([rows, DIMENSION]))),
        with("embedding.weight", info("F16", json!([rows * DIMENSION]))),
        with("embedding.weight", info("F16", json!([1, rows, DIMENSION]))),
        with("another", info("F16", json!([rows, DIMENSION]))),
    ] {
        assert_eq!(code_with_weights(&weights), ErrorCode::Unsupported);
    }
}

#[test]
fn a_damaged_table_is_corrupt() {
    let rows = made::vocabulary().len();
    let size = rows * DIMENSION * 2;
    let with = |shape: Value, offsets: Value| {
        let info = json!({"dtype": "F16", "shape": shape, "data_offsets": offsets});
        made::safetensors(&json!({"embedding.weight": info}), &vec![0; size])
    };
    let infinite = made::weights_of(rows, |id, at| if (id, at) == (rows - 1, DIMENSION - 1) { 0x7C00 } else { 0 });
    let mut long_header = made::weights();
    long_header[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    for (what, weights) in [
        ("nothing", Vec::new()),
        ("a length only", vec![0; 8]),
        ("a header longer than the file", long_header),
        ("another count of rows", with(json!([rows + 1, DIMENSION]), json!([0, size]))),
        ("a span beyond the file", with(json!([rows, DIMENSION]), json!([2, size + 2]))),
        ("a span backwards", with(json!([rows, DIMENSION]), json!([size, 0]))),
        ("a shape that overflows", with(json!([u64::MAX, u64::MAX]), json!([0, size]))),
        ("rows of nothing", with(json!([rows, 0]), json!([0, 0]))),
        ("rows for fewer tokens", made::weights_of(rows - 1, made::half)),
        ("infinity", infinite),
        ("no number", made::weights_of(rows, |_, _| 0xFE01)),
    ] {
        assert_eq!(code_with_weights(&weights), ErrorCode::Corrupt, "{what}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_file_cut_anywhere_is_corrupt(at in any::<prop::sample::Index>()) {
        let weights = made::weights();
        let cut = &weights[..at.index(weights.len())];
        prop_assert_eq!(code_with_weights(cut), ErrorCode::Corrupt);
        let tokenizer = made::tokenizer().to_string();
        let cut = &tokenizer.as_bytes()[..at.index(tokenizer.len())];
        let error = Files::new(cut, &weights).load().unwrap_err();
        prop_assert_eq!(error.code(), ErrorCode::Corrupt);
    }

    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Files::new(&bytes, &made::weights()).load().is_err());
        prop_assert!(made::load(&made::tokenizer(), &bytes).is_err());
    }
}
