//! Deleting by a filter deletes what was meant, all of it or nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use recollect_engine::Store;
use recollect_model::{DeletedMany, ErrorCode, Filter, ItemId, Kind, Operation, Result, Scope, Trust};
use support::{
    Place, START, add, all, assert_sound, code, doc, in_project, keyed, reference, rule, seq, unlimited, with,
};

const WINDOW_MICROS: i64 = 2_592_000_000_000;

fn delete(store: &Store, kind: Kind, filter: &Filter) -> Result<DeletedMany> {
    store.delete_many(kind, filter, None, false, &unlimited())
}

fn tagged(tag: &str) -> Filter {
    Filter { tags: vec![tag.to_owned()], ..Filter::default() }
}

/// Three rules with the tag, one without, and a doc with it.
fn filled(store: &Store) -> Vec<ItemId> {
    let with_tag = |draft| with(draft, |fields| fields.tags = vec!["old".to_owned()]);
    let ids = (0..3).map(|number| add(store, with_tag(rule(&format!("rule number {number}")))).id).collect();
    add(store, rule("a rule that stays"));
    add(store, with_tag(doc("a doc that stays")));
    ids
}

#[test]
fn what_matches_goes_in_one_commit_and_can_be_restored() {
    let place = Place::new();
    let store = place.open();
    let ids = filled(&store);
    let before = seq(&store);
    let would = store.delete_many(Kind::Rule, &tagged("old"), Some(3), true, &unlimited()).unwrap();
    let undo_until = START.plus_micros(WINDOW_MICROS);
    assert_eq!(would, DeletedMany { ids: ids.clone(), undo_until, dry_run: true });
    assert_eq!((seq(&store), all(&store, Kind::Rule).len()), (before, 4), "a dry run changes nothing");
    assert_eq!(
        place.open_read_only().delete_many(Kind::Rule, &tagged("old"), None, true, &unlimited()).unwrap(),
        would
    );

    let deleted = store.delete_many(Kind::Rule, &tagged("old"), Some(3), false, &unlimited()).unwrap();
    assert_eq!(deleted, DeletedMany { dry_run: false, ..would });
    assert_eq!((seq(&store), all(&store, Kind::Rule).len(), all(&store, Kind::Doc).len()), (before + 1, 1, 1));
    let told = store.changes(before, 100, &unlimited()).unwrap();
    assert!(told.iter().all(|change| change.operation == Operation::Deleted));
    assert_eq!(told.iter().filter_map(|change| change.item).collect::<Vec<_>>(), ids);
    assert_eq!(delete(&store, Kind::Rule, &tagged("old")).unwrap().ids, []);
    assert_eq!(seq(&store), before + 1);
    for id in ids {
        assert_eq!(store.restore(Kind::Rule, id, &unlimited()).unwrap().fields.tags, ["old"]);
    }
    assert_sound(&store);
}

#[test]
fn another_number_than_expected_deletes_nothing() {
    let place = Place::new();
    let store = place.open();
    filled(&store);
    let before = seq(&store);
    for (expected, dry_run) in [(2, false), (4, false), (0, false), (2, true)] {
        let error = store.delete_many(Kind::Rule, &tagged("old"), Some(expected), dry_run, &unlimited()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Conflict);
        assert!(error.message().contains('3'), "{error:?}");
    }
    assert_eq!((seq(&store), all(&store, Kind::Rule).len()), (before, 4));
    assert_eq!(code(store.delete_many(Kind::Rule, &tagged("none"), Some(1), false, &unlimited())), ErrorCode::Conflict);
    assert!(store.delete_many(Kind::Rule, &tagged("none"), Some(0), false, &unlimited()).unwrap().ids.is_empty());
}

#[test]
fn a_filter_that_says_nothing_is_refused() {
    let place = Place::new();
    let store = place.open();
    filled(&store);
    let empty = || Some(String::new());
    for filter in [
        Filter::default(),
        Filter { deleted: true, ..Filter::default() },
        Filter { deleted: true, ..tagged("old") },
        Filter { key_prefix: empty(), ..Filter::default() },
        Filter { path_prefix: empty(), ..Filter::default() },
    ] {
        for dry_run in [false, true] {
            let answer = store.delete_many(Kind::Doc, &filter, None, dry_run, &unlimited());
            assert_eq!(code(answer), ErrorCode::InvalidInput, "{filter:?}");
        }
    }
    assert_eq!(
        code(delete(&store, Kind::Doc, &Filter { always_on: Some(true), ..Filter::default() })),
        ErrorCode::InvalidInput
    );
    assert_eq!(code(delete(&place.open_read_only(), Kind::Rule, &tagged("old"))), ErrorCode::PermissionDenied);
    assert_eq!((all(&store, Kind::Rule).len(), all(&store, Kind::Doc).len()), (4, 1));
    // Who says that everything is meant, gets it.
    let everything = Filter { scope: Some(Scope::Everywhere), ..Filter::default() };
    assert_eq!(delete(&store, Kind::Rule, &everything).unwrap().ids.len(), 4);
    assert_eq!((all(&store, Kind::Rule).len(), all(&store, Kind::Doc).len()), (0, 1));
}

#[test]
fn every_field_narrows() {
    let place = Place::new();
    let store = place.open();
    store.create_channel("board", &unlimited()).unwrap();
    let text = |number: u8| format!("ref number {number}");
    let one = with(in_project(keyed(reference("src/one.rs", &text(1)), "a-key"), "acme/web"), |fields| {
        fields.channel = Some("board".to_owned());
        fields.tier = Some("restricted".to_owned());
        fields.source = Some("import".to_owned());
        fields.trust = Some("untrusted".to_owned());
        fields.tags = vec!["old".to_owned()];
    });
    let some = |text: &str| Some(text.to_owned());
    for filter in [
        Filter { scope: Some(Scope::Project("acme/web".to_owned())), ..Filter::default() },
        Filter { scope: Some(Scope::Subtree("acme".to_owned())), ..Filter::default() },
        Filter { channel: some("board"), ..Filter::default() },
        Filter { tier: some("restricted"), ..Filter::default() },
        Filter { source: some("import"), ..Filter::default() },
        Filter { trust: Some(Trust::Untrusted), ..Filter::default() },
        Filter { key_prefix: some("a-"), ..Filter::default() },
        Filter { path_prefix: some("src/"), ..Filter::default() },
        tagged("old"),
    ] {
        let id = add(&store, one.clone()).id;
        let other = add(&store, reference("lib/two.rs", &text(2))).id;
        assert_eq!(delete(&store, Kind::Ref, &filter).unwrap().ids, [id], "{filter:?}");
        assert_eq!(all(&store, Kind::Ref).iter().map(|item| item.id).collect::<Vec<_>>(), [other]);
    }
    let always = with(rule("a rule that always applies"), |_| {});
    let id = add(&store, always).id;
    let filter = Filter { always_on: Some(false), ..Filter::default() };
    assert_eq!(delete(&store, Kind::Rule, &filter).unwrap().ids, [id]);
    assert_sound(&store);
}
