//! The change log has one number per commit, without gaps, and says what was done by whom and when.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use proptest::prelude::*;
use recollect_model::{Kind, Operation};
use recollect_storage::rows::{changes, meta};
use support::{DIMENSION, Place, START, add, assert_sound, in_project, rule, seq, set_text, unlimited};

#[test]
fn every_operation_is_told() {
    let place = Place::new();
    let store = place.open_with(|options| {
        options.embedder = Some(std::sync::Arc::new(support::WordEmbedder::new()));
        options.principal = "somebody".to_owned();
    });
    let store = store.unwrap();
    let id = add(&store, in_project(rule("the text at the beginning"), "acme")).id;
    place.clock.advance_micros(1);
    store.update(Kind::Rule, id, &set_text("another text"), None, None, &unlimited()).unwrap();
    store.delete(Kind::Rule, id, None, &unlimited()).unwrap();
    store.restore(Kind::Rule, id, &unlimited()).unwrap();
    store.revert(Kind::Rule, id, 1, None, &unlimited()).unwrap();
    let chunk = store.embeddings(&[id], &unlimited()).unwrap().chunks[0];
    store.put_embeddings(&[chunk], &support::vectors(&[1.0; DIMENSION]), &unlimited()).unwrap();
    store.rename_project("acme", "acne", &unlimited()).unwrap();
    assert!(store.delete_project("acne", false, &unlimited()).unwrap() == 1);
    let told: Vec<_> = store
        .changes(0, 100, &unlimited())
        .unwrap()
        .into_iter()
        .map(|change| {
            (change.seq, change.ordinal, change.item, change.kind, change.operation, change.at.0 - START.0, change.by)
        })
        .collect();
    let item = |seq, operation, at| (seq, 0, Some(id), Some(Kind::Rule), operation, at, "somebody".to_owned());
    assert_eq!(
        told,
        [
            item(1, Operation::Created, 0),
            item(2, Operation::Updated, 1),
            item(3, Operation::Deleted, 1),
            item(4, Operation::Restored, 1),
            item(5, Operation::Reverted, 1),
            item(6, Operation::Embedded, 1),
            item(7, Operation::Moved, 1),
            item(8, Operation::Deleted, 1),
        ]
    );
    assert_eq!(store.changes(6, 100, &unlimited()).unwrap().len(), 2);
    assert_eq!(store.changes(6, 1, &unlimited()).unwrap()[0].seq, 7);
    assert_eq!(store.changes(8, 1, &unlimited()).unwrap(), vec![]);
    assert_eq!(store.changes(u64::MAX, 1, &unlimited()).unwrap(), vec![]);
    assert_sound(&store);
}

#[test]
fn a_page_ends_with_a_commit() {
    let place = Place::new();
    let store = place.open();
    let batch = |name: &str| (0..3).map(|number| rule(&format!("{name} {number}"))).collect::<Vec<_>>();
    store.add(Kind::Rule, batch("first"), None, &unlimited()).unwrap();
    add(&store, rule("alone"));
    store.add(Kind::Rule, batch("second"), None, &unlimited()).unwrap();
    let numbers = |since, limit| -> Vec<u64> {
        store.changes(since, limit, &unlimited()).unwrap().iter().map(|change| change.seq).collect()
    };
    assert_eq!(numbers(0, 1), [1, 1, 1]);
    assert_eq!(numbers(0, 3), [1, 1, 1]);
    assert_eq!(numbers(0, 4), [1, 1, 1, 2]);
    assert_eq!(numbers(0, 5), [1, 1, 1, 2, 3, 3, 3]);
    assert_eq!(numbers(1, 1), [2]);
    assert_eq!(numbers(2, 100), [3, 3, 3]);
}

#[test]
fn nothing_done_is_nothing_told() {
    let place = Place::new();
    let store = place.open();
    let id = add(&store, rule("a text")).id;
    add(&store, rule("a text"));
    store.update(Kind::Rule, id, &set_text("a text"), None, None, &unlimited()).unwrap();
    store.put_embeddings(&[], &support::vectors(&[]), &unlimited()).unwrap();
    store.create_channel("board", &unlimited()).unwrap();
    assert_eq!(seq(&store), 2);
    store.create_channel("board", &unlimited()).unwrap();
    assert_eq!(store.delete_project("", false, &unlimited()).unwrap(), 1);
    assert_eq!(store.delete_project("", false, &unlimited()).unwrap(), 0);
    assert_eq!(seq(&store), 3);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn numbers_have_no_gaps_and_the_digest_replays(
        steps in prop::collection::vec((0..6_u8, 0..2_usize, 1..5_usize), 1..30),
    ) {
        let place = Place::new();
        let handles = [place.open(), place.open()];
        let mut ids = Vec::new();
        for (number, (what, handle, count)) in steps.into_iter().enumerate() {
            let store = &handles[handle];
            let call = unlimited();
            let before = seq(store);
            let drafts = |valid: bool| {
                let texts = (0..count).map(|one| rule(&format!("rule {number} {one}")));
                texts.chain((!valid).then(|| rule(" "))).collect::<Vec<_>>()
            };
            let last = ids.last().copied();
            let committed = match (what, last) {
                (0, _) => store.add(Kind::Rule, drafts(false), None, &call).is_ok(),
                (1, Some(id)) => store.update(Kind::Rule, id, &set_text(&format!("{number}")), None, None, &call).is_ok(),
                (2, Some(id)) => store.delete(Kind::Rule, id, None, &call).is_ok(),
                (3, Some(id)) => store.restore(Kind::Rule, id, &call).is_ok(),
                _ => {
                    ids.extend(store.add(Kind::Rule, drafts(true), None, &call).unwrap().iter().map(|one| one.id));
                    true
                }
            };
            prop_assert_eq!(seq(store), before + u64::from(committed));
        }
        let told = handles[0].changes(0, 10_000, &unlimited()).unwrap();
        let mut expected = (0, 0);
        for change in &told {
            expected = if change.seq == expected.0 { (expected.0, expected.1 + 1) } else { (expected.0 + 1, 0) };
            prop_assert_eq!((change.seq, change.ordinal), expected);
        }
        prop_assert_eq!(expected.0, seq(&handles[1]));
        let snapshot = handles[1].database().read(&unlimited()).unwrap();
        let meta = meta::read(&snapshot).unwrap();
        let replayed = changes::replay_digest(&snapshot).unwrap();
        prop_assert_eq!(replayed, (meta.seq, meta.log_digest, told.len() as u64));
        drop(snapshot);
        assert_sound(&handles[1]);
    }
}
