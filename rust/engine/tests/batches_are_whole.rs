//! A batch is added as a whole or not at all, and the error says which item it is about.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use recollect_engine::Store;
use recollect_model::{Draft, DraftContent, ErrorCode, Kind};
use support::{DIMENSION, Place, add, assert_sound, code, doc, found, keyed, reference, rule, seq, unlimited, with};

/// What a store holds, as far as an addition could change it.
fn state(store: &Store) -> (u64, u64, usize, usize, u64) {
    let stats = store.stats(&unlimited()).unwrap();
    let changes = store.changes(0, 10_000, &unlimited()).unwrap();
    (stats.seq, stats.totals.chunks, changes.len(), support::all(store, Kind::Rule).len(), stats.totals.tags)
}

#[test]
fn an_unfit_item_in_the_middle_undoes_the_batch_and_is_named() {
    let place = Place::new();
    let store = place.open();
    add(&store, keyed(rule("the owner of the key"), "taken"));
    let before = state(&store);
    let globs = |glob: &str| Draft {
        content: DraftContent::Rule {
            text: "a rule with a glob".to_owned(),
            applies_to: vec![glob.to_owned()],
            modes: Vec::new(),
            always_on: false,
        },
        ..rule("")
    };
    let unfit = [
        (rule(" \n"), ErrorCode::InvalidInput),
        (rule("a\0b"), ErrorCode::InvalidInput),
        (doc("a doc among rules"), ErrorCode::InvalidInput),
        (globs("src/[a"), ErrorCode::InvalidInput),
        (
            with(rule("in a bad project"), |fields| fields.project = Some("acme//web".to_owned())),
            ErrorCode::InvalidInput,
        ),
        (with(rule("of a bad tier"), |fields| fields.tier = Some("secret".to_owned())), ErrorCode::InvalidInput),
        (with(rule("in no channel"), |fields| fields.channel = Some("board".to_owned())), ErrorCode::NotFound),
        (with(rule("of bad metadata"), |fields| fields.metadata = Some("[]".to_owned())), ErrorCode::InvalidInput),
        (with(rule("of too high a priority"), |fields| fields.priority = 1_001), ErrorCode::InvalidInput),
        (with(rule("of bad tags"), |fields| fields.tags = vec!["a\u{1f}b".to_owned()]), ErrorCode::InvalidInput),
        (
            with(rule("never valid"), |fields| {
                fields.valid_from = Some(support::START);
                fields.valid_until = Some(support::START);
            }),
            ErrorCode::InvalidInput,
        ),
        (keyed(rule("of a bad key"), " key"), ErrorCode::InvalidInput),
        (keyed(rule("another text for the key"), "taken"), ErrorCode::AlreadyExists),
    ];
    for (draft, expected) in unfit {
        let batch = vec![
            with(rule("the first of the batch"), |fields| fields.tags = vec!["new".to_owned()]),
            rule("the second of the batch"),
            draft,
            rule("the fourth of the batch"),
        ];
        let error = store.add(Kind::Rule, batch, None, &unlimited()).unwrap_err();
        assert_eq!(error.code(), expected, "{error:?}");
        assert!(error.message().starts_with("item 2: "), "{error:?}");
        assert_eq!(state(&store), before, "{error:?}");
    }
    assert_sound(&store);
    // The same batch without the unfit item is taken, and nothing of the failed ones is in the way.
    let batch = vec![rule("the first of the batch"), rule("the second of the batch")];
    let added = store.add(Kind::Rule, batch, None, &unlimited()).unwrap();
    assert!(added.iter().all(|one| one.created && one.warnings.is_empty()), "{added:?}");
    assert_eq!(found(&store, "first of the batch", recollect_model::Scope::Everywhere)[0], added[0].id);
}

#[test]
fn a_key_twice_in_a_batch_is_refused() {
    let place = Place::new();
    let store = place.open();
    let batch = vec![keyed(rule("one"), "key"), keyed(rule("two"), "key")];
    let error = store.add(Kind::Rule, batch, None, &unlimited()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::AlreadyExists);
    assert!(error.message().starts_with("item 1: "), "{error:?}");
    assert_eq!(seq(&store), 0);
    // Alone it is not a batch, and the message is about the thing itself.
    let error = store.add(Kind::Rule, vec![rule(" ")], None, &unlimited()).unwrap_err();
    assert!(!error.message().contains("item 0"), "{error:?}");
}

#[test]
fn a_batch_is_one_commit() {
    let place = Place::new();
    let store = place.open();
    assert_eq!(store.add(Kind::Rule, Vec::new(), None, &unlimited()).unwrap(), vec![]);
    assert_eq!(seq(&store), 0);
    let drafts = (0..50).map(|number| reference(&format!("src/file{number}.rs:{number}1"), "where it is")).collect();
    store.add(Kind::Ref, drafts, None, &unlimited()).unwrap();
    let changes = store.changes(0, 100, &unlimited()).unwrap();
    assert_eq!(
        changes.iter().map(|change| (change.seq, change.ordinal)).collect::<Vec<_>>(),
        (0..50).map(|n| (1, n)).collect::<Vec<_>>()
    );
}

#[test]
fn vectors_that_do_not_fit_leave_nothing() {
    let place = Place::new();
    let store = place.open_with(|options| options.space = Some(support::space("given", DIMENSION))).unwrap();
    let batch = || vec![rule("one rule"), rule("two rules"), rule("three rules")];
    let fit = vec![1.0_f32; 3 * DIMENSION];
    let broken = |at: usize, value: f32| {
        let mut vectors = fit.clone();
        vectors[at] = value;
        vectors
    };
    let mut zero = fit.clone();
    zero[DIMENSION..2 * DIMENSION].fill(0.0);
    for vectors in [
        vec![],
        fit[1..].to_vec(),
        fit[DIMENSION..].to_vec(),
        [&fit[..], &[1.0]].concat(),
        broken(0, f32::NAN),
        broken(20, f32::INFINITY),
        broken(47, f32::NEG_INFINITY),
        zero,
    ] {
        assert_eq!(
            code(store.add(Kind::Rule, batch(), Some(support::vectors(&vectors)), &unlimited())),
            ErrorCode::InvalidInput
        );
    }
    assert_eq!((seq(&store), support::all(&store, Kind::Rule).len()), (0, 0));
    let added = store.add(Kind::Rule, batch(), Some(support::vectors(&fit)), &unlimited()).unwrap();
    let ids: Vec<_> = added.iter().map(|one| one.id).collect();
    assert_eq!(store.embeddings(&ids, &unlimited()).unwrap().vectors, fit);
}
