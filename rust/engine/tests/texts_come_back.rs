//! A text comes back byte for byte after any update and revert, and what an update leaves alone keeps its chunks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use std::collections::HashMap;

use proptest::prelude::*;
use recollect_engine::Store;
use recollect_model::{Added, ItemId, Kind, Operation, Patch};
use support::{
    DIMENSION, Place, WordEmbedder, add, assert_sound, doc, get, reference, rule, set_text, text_of, unlimited,
};

/// Chunk ids and their vectors.
fn held(store: &Store, id: ItemId) -> Vec<(u32, Vec<f32>)> {
    let held = store.embeddings(&[id], &unlimited()).unwrap();
    held.chunks.into_iter().zip(held.vectors.chunks_exact(DIMENSION).map(<[f32]>::to_vec)).collect()
}

/// Markdown of some sections, each long enough to be a chunk of its own.
fn sections(names: &[&str]) -> String {
    let section = |name| format!("# {name}\n\nWhat there is to say about {name}, at the length of one chunk.\n\n");
    names.iter().map(section).collect::<Vec<_>>().concat()
}

fn added_doc(store: &Store, text: &str) -> Added {
    let added = add(store, doc(text));
    assert_eq!(text_of(&get(store, added.id)), text);
    added
}

#[test]
fn chunks_that_do_not_change_keep_their_ids_and_vectors() {
    let place = Place::with_chunks_of(64);
    let store = place.open();
    let id = added_doc(&store, &sections(&["one", "two", "three", "four"])).id;
    let before = held(&store, id);
    assert_eq!(before.len(), 4, "a section each: {:?}", store.split(text_of(&get(&store, id)), "text/markdown"));

    let text = sections(&["zero", "one", "three", "two", "five"]);
    store.update(Kind::Doc, id, &set_text(&text), None, None, &unlimited()).unwrap();
    let after = held(&store, id);
    assert_eq!(after.len(), 5);
    assert_eq!([&after[1], &after[2], &after[3]], [&before[0], &before[2], &before[1]], "moved, not made anew");
    for new in [&after[0], &after[4]] {
        assert!(new.0 > before[3].0, "a new chunk has a new id");
    }
    assert_eq!(text_of(&get(&store, id)), text);
    assert_sound(&store);
}

#[test]
fn given_vectors_replace_those_of_chunks_that_stay() {
    let place = Place::with_chunks_of(64);
    let store = place.open();
    let id = added_doc(&store, &sections(&["one", "two"])).id;
    let before = held(&store, id);
    let vectors: Vec<f32> = (1..=2 * u16::try_from(DIMENSION).unwrap()).map(f32::from).collect();
    store.update(Kind::Doc, id, &Patch::default(), None, Some(&support::vectors(&vectors)), &unlimited()).unwrap();
    let after = held(&store, id);
    assert_eq!([after[0].0, after[1].0], [before[0].0, before[1].0]);
    assert_eq!([&after[0].1[..], &after[1].1[..]].concat(), vectors);
}

#[test]
fn a_revert_without_an_embedder_brings_the_old_vectors_back() {
    let place = Place::with_chunks_of(64);
    let store = place.open();
    let id = added_doc(&store, &sections(&["one", "two", "three"])).id;
    let before = held(&store, id);
    store.update(Kind::Doc, id, &set_text(&sections(&["other"])), None, None, &unlimited()).unwrap();
    let reverted = place.open_without_embedder().revert(Kind::Doc, id, 1, None, &unlimited()).unwrap();
    assert_eq!(text_of(&reverted), sections(&["one", "two", "three"]));
    let after: Vec<Vec<f32>> = held(&store, id).into_iter().map(|(_, vector)| vector).collect();
    assert_eq!(after, before.into_iter().map(|(_, vector)| vector).collect::<Vec<_>>());
    assert_eq!(store.missing_embeddings(10, &unlimited()).unwrap(), vec![]);
}

#[test]
fn a_piece_that_occurs_twice_is_two_chunks() {
    let place = Place::with_chunks_of(64);
    let store = place.open();
    let id = added_doc(&store, &sections(&["same", "same", "other"])).id;
    assert_eq!(held(&store, id).len(), 3);
    for names in [&["other", "same"][..], &["same", "same", "same"], &["same"]] {
        store.update(Kind::Doc, id, &set_text(&sections(names)), None, None, &unlimited()).unwrap();
        assert_eq!(text_of(&get(&store, id)), sections(names));
        assert_eq!(held(&store, id).len(), names.len(), "each has a vector");
        assert_sound(&store);
    }
}

#[test]
fn the_vector_of_an_item_is_that_of_its_headings_and_text() {
    let place = Place::new();
    let store = place.open();
    let embedder = WordEmbedder::new();
    let rule = add(&store, rule("write tests first"));
    assert_eq!(held(&store, rule.id)[0].1, embedder.vector("write tests first"));
    let pointer = add(&store, reference("src/main.rs:10", "where it begins"));
    assert_eq!(held(&store, pointer.id)[0].1, embedder.vector("src/main.rs:10\nwhere it begins"));
}

#[test]
fn the_history_holds_every_text_and_what_made_it() {
    let place = Place::with_chunks_of(64);
    let store = place.open();
    let texts = [sections(&["one", "two"]), sections(&["two", "three"]), sections(&["three"])];
    let id = added_doc(&store, &texts[0]).id;
    store.update(Kind::Doc, id, &set_text(&texts[1]), None, None, &unlimited()).unwrap();
    store.delete(Kind::Doc, id, None, &unlimited()).unwrap();
    store.restore(Kind::Doc, id, &unlimited()).unwrap();
    store.update(Kind::Doc, id, &set_text(&texts[2]), None, None, &unlimited()).unwrap();
    store.revert(Kind::Doc, id, 1, None, &unlimited()).unwrap();
    let history = store.history(Kind::Doc, id, &unlimited()).unwrap();
    let told: Vec<(u32, Operation, &str)> =
        history.iter().map(|version| (version.item.version, version.operation, text_of(&version.item))).collect();
    assert_eq!(
        told,
        [
            (1, Operation::Created, texts[0].as_str()),
            (2, Operation::Updated, &texts[1]),
            (3, Operation::Deleted, &texts[1]),
            (4, Operation::Restored, &texts[1]),
            (5, Operation::Updated, &texts[2]),
            (6, Operation::Reverted, &texts[0]),
        ]
    );
    assert!(history[2].item.deleted_at.is_some() && history[3].item.deleted_at.is_none());
    assert_eq!(history[5].item, get(&store, id));
}

#[test]
fn an_update_that_changes_nothing_makes_no_version() {
    let place = Place::new();
    let store = place.open();
    let id = add(&store, rule("write tests first")).id;
    let before = support::seq(&store);
    let item = store.update(Kind::Rule, id, &set_text("write tests first"), None, None, &unlimited()).unwrap();
    assert_eq!((item.version, support::seq(&store)), (1, before));
}

/// Texts out of what means something to Markdown, with parts that come again in other texts.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        3 => prop::sample::select(vec![
            "# A\n\n", "## B\n\n", "\n# C\nwords under it that are long enough to fill a chunk.\n\n", "\r\n", "\n\n", " ",
            "- one\n- two\n", "```\ncode\n```\n", "| a | b |\n| - | - |\n| c | d |\n", "é", "日本語。", "👩‍👩‍👧", "\u{feff}", "\t",
            "The same sentence again and again, here and there. ", "---\nfront: matter\n---\n", "<b>html</b>\n", "\\*",
        ]).prop_map(str::to_owned),
        1 => "[a-z]{1,60} ",
    ];
    prop::collection::vec(part, 0..25).prop_map(|parts| format!("x{}", parts.concat()))
}

#[derive(Debug, Clone)]
enum Step {
    Text(String),
    Plain(bool),
    Revert(prop::sample::Index),
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_version_has_its_text(
        first in text(),
        steps in prop::collection::vec(prop_oneof![
            3 => text().prop_map(Step::Text),
            1 => any::<bool>().prop_map(Step::Plain),
            2 => any::<prop::sample::Index>().prop_map(Step::Revert),
        ], 1..10),
    ) {
        let place = Place::with_chunks_of(64);
        let store = place.open();
        let id = added_doc(&store, &first).id;
        let mut texts: Vec<String> = vec![first];
        for step in steps {
            let current = texts.last().unwrap().clone();
            let (item, text) = match step {
                Step::Text(text) => {
                    (store.update(Kind::Doc, id, &set_text(&text), None, None, &unlimited()).unwrap(), text)
                }
                Step::Plain(is_plain) => {
                    let media_type = if is_plain { "text/plain" } else { "text/markdown" };
                    let media_type = recollect_model::Field::Set(media_type.to_owned());
                    let patch = Patch { media_type, ..Patch::default() };
                    (store.update(Kind::Doc, id, &patch, None, None, &unlimited()).unwrap(), current)
                }
                Step::Revert(version) => {
                    let version = version.index(texts.len());
                    let to = u32::try_from(version + 1).unwrap();
                    (store.revert(Kind::Doc, id, to, None, &unlimited()).unwrap(), texts[version].clone())
                }
            };
            prop_assert_eq!(text_of(&item), &text);
            if item.version as usize > texts.len() {
                texts.push(text);
            }
            let read = get(&store, id);
            prop_assert_eq!(&read, &item);

            // Each chunk has the vector of what it says, whenever it was made.
            let pieces = store.split(text_of(&read), match &read.content {
                recollect_model::Content::Doc(doc) => &doc.media_type,
                _ => unreachable!(),
            }).unwrap();
            let mut vectors = held(&store, id).into_iter().map(|(_, vector)| vector);
            for piece in pieces {
                let mut embedded = piece.text.clone();
                let first_line = piece.text.trim_start().lines().next().unwrap_or_default();
                for (depth, heading) in piece.heading.iter().enumerate() {
                    if depth + 1 < piece.heading.len() || !first_line.contains(heading.as_str()) {
                        embedded = format!("{heading}\n{embedded}");
                    }
                }
                let expected = WordEmbedder::new().vector(&embedded);
                if expected.iter().any(|component| *component != 0.0) {
                    prop_assert_eq!(vectors.next(), Some(expected));
                }
            }
            prop_assert_eq!(vectors.next(), None);
        }
        let history = store.history(Kind::Doc, id, &unlimited()).unwrap();
        let found: Vec<&str> = history.iter().map(|version| text_of(&version.item)).collect();
        prop_assert_eq!(found, texts);
        assert_sound(&store);
    }
}

/// Everything a caller can set comes back as it was given, whatever else is in the store.
#[test]
fn the_fields_of_an_item_come_back() {
    let place = Place::new();
    let store = place.open();
    store.create_channel("board", &unlimited()).unwrap();
    let draft = support::with(rule("write tests first"), |fields| {
        fields.key = Some("tests/first".to_owned());
        fields.project = Some("acme/web".to_owned());
        fields.tags = vec!["b".to_owned(), "a".to_owned(), "b".to_owned(), "a b, c".to_owned()];
        fields.metadata = Some("{ \"b\": [1, 2.50], \"a\": \"\\u00e9\" }".to_owned());
        fields.channel = Some("board".to_owned());
        fields.tier = Some("restricted".to_owned());
        fields.priority = -7;
        fields.source = Some("AGENTS.md#L3".to_owned());
        fields.trust = Some("untrusted".to_owned());
        fields.valid_from = Some(recollect_model::Timestamp(-1));
        fields.valid_until = Some(recollect_model::Timestamp::MAX);
        fields.expires_at = Some(recollect_model::Timestamp::MIN);
    });
    let given = draft.fields.clone();
    let item = get(&store, add(&store, draft).id);
    let fields = &item.fields;
    assert_eq!((&fields.key, &Some(fields.project.clone())), (&given.key, &given.project));
    assert_eq!(fields.tags, ["a", "a b, c", "b"]);
    assert_eq!(Some(&fields.metadata), given.metadata.as_ref());
    assert_eq!((&fields.channel, Some(&fields.tier)), (&given.channel, given.tier.as_ref()));
    assert_eq!((i64::from(fields.priority), &fields.source), (given.priority, &given.source));
    assert_eq!(fields.trust.as_str(), "untrusted");
    assert_eq!(
        [fields.valid_from, fields.valid_until, fields.expires_at],
        [given.valid_from, given.valid_until, given.expires_at]
    );
    let counted: HashMap<_, _> = store.projects(&unlimited()).unwrap().into_iter().map(|p| (p.path, p.rules)).collect();
    assert_eq!(counted, HashMap::from([("acme/web".to_owned(), 1)]));
}
