//! What has expired counts as gone, also before a sweep has removed it: it keeps nothing from being added, and neither
//! restoring nor reverting brings an item to life that the next sweep would remove.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use recollect_engine::Store;
use recollect_model::{Draft, ErrorCode, Field, ItemId, Kind, Operation, Patch, Scope, Timestamp};
use support::{
    Place, START, add, all, assert_sound, code, found, get, in_project, keyed, near_duplicate_of, rule, seq, set_text,
    try_add, unlimited, with,
};

fn expiring(draft: Draft, micros: i64) -> Draft {
    with(draft, |fields| fields.expires_at = Some(START.plus_micros(micros)))
}

fn operations(store: &Store, since: u64) -> Vec<(Option<ItemId>, Operation)> {
    store.changes(since, 100, &unlimited()).unwrap().iter().map(|change| (change.item, change.operation)).collect()
}

#[test]
fn equal_content_is_added_anew_once_the_first_has_expired() {
    let place = Place::new();
    let (store, other) = (place.open(), place.open());
    let text = "run the tests before a push, all of them, always and everywhere";
    let first = add(&store, expiring(rule(text), 10)).id;
    place.clock.advance_micros(9);
    assert!(!add(&store, rule(text)).created, "a moment before it is there");
    place.clock.advance_micros(1);
    let before = seq(&store);
    let second = add(&store, rule(text));
    assert!(second.created && second.id != first && second.warnings.is_empty(), "{second:?}");
    assert_eq!(operations(&store, before), [(Some(first), Operation::Swept), (Some(second.id), Operation::Created)]);
    assert_eq!(code(store.history(Kind::Rule, first, &unlimited())), ErrorCode::NotFound);
    assert_eq!(store.sweep(&unlimited()).unwrap().expired, 0);
    for handle in [&store, &other, &place.open()] {
        assert!(found(handle, "tests", Scope::Everywhere).contains(&second.id));
        assert_eq!(found(handle, "tests", Scope::Everywhere).len(), all(&store, Kind::Rule).len());
        assert!(near_duplicate_of(&add(handle, rule(&format!("{text} {handle:p}")))).is_some());
    }
    assert_sound(&store);
}

#[test]
fn a_key_is_free_once_its_owner_has_expired() {
    let place = Place::new();
    let store = place.open();
    let first = add(&store, keyed(expiring(rule("the first of the name"), 10), "name")).id;
    assert_eq!(code(try_add(&store, keyed(rule("another one"), "name"))), ErrorCode::AlreadyExists);
    place.clock.advance_micros(10);
    let second = add(&store, keyed(rule("another one"), "name"));
    assert!(second.created);
    assert_eq!(code(store.history(Kind::Rule, first, &unlimited())), ErrorCode::NotFound);
    assert_eq!(all(&store, Kind::Rule).len(), 1);
    assert_sound(&store);
}

#[test]
fn its_project_and_its_tags_are_made_anew() {
    let place = Place::new();
    let store = place.open();
    let draft = |text: &str| with(in_project(rule(text), "only/here"), |fields| fields.tags = vec!["only".to_owned()]);
    add(&store, expiring(draft("one"), 10));
    place.clock.advance_micros(10);
    // The names are known to the batch when the item goes that had them.
    let batch = vec![draft("zero"), draft("one"), draft("two")];
    let added = store.add(Kind::Rule, batch, None, &unlimited()).unwrap();
    assert!(added.iter().all(|one| one.created));
    for one in &added {
        let item = get(&store, one.id);
        assert_eq!(
            (item.fields.project.as_str(), item.fields.tags.as_slice()),
            ("only/here", &["only".to_owned()][..])
        );
    }
    // Of a batch the last of equal ones that have all expired.
    let late = |text: &str| expiring(in_project(draft(text), "late"), 0);
    let late = store.add(Kind::Rule, vec![late("x"), late("x")], None, &unlimited()).unwrap();
    assert_eq!((late[0].created, late[1].created), (true, true));
    assert_eq!(get(&store, late[1].id).fields.project, "late");
    assert_eq!(code(store.history(Kind::Rule, late[0].id, &unlimited())), ErrorCode::NotFound);
    assert_sound(&store);
}

#[test]
fn what_was_undone_is_still_there() {
    let place = Place::new();
    let store = place.open();
    add(&store, keyed(rule("the owner of the key"), "taken"));
    let first = add(&store, expiring(rule("a rule of six different words"), 10)).id;
    place.clock.advance_micros(10);
    let batch = vec![rule("a rule of six different words"), keyed(rule("another text for the key"), "taken")];
    assert_eq!(code(store.add(Kind::Rule, batch, None, &unlimited())), ErrorCode::AlreadyExists);
    assert_eq!(get(&store, first).version, 1);
    assert!(near_duplicate_of(&add(&store, keyed(rule("a rule of six different words"), "k"))).is_some());
}

#[test]
fn a_deleted_item_that_has_expired_is_not_restored() {
    let place = Place::new();
    let store = place.open();
    let id = add(&store, expiring(rule("a rule that expires"), 10)).id;
    store.delete(Kind::Rule, id, None, &unlimited()).unwrap();
    place.clock.advance_micros(9);
    store.restore(Kind::Rule, id, &unlimited()).unwrap();
    store.delete(Kind::Rule, id, None, &unlimited()).unwrap();
    place.clock.advance_micros(1);
    let error = store.restore(Kind::Rule, id, &unlimited()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Conflict);
    assert!(error.message().contains("expired"), "{error:?}");
}

#[test]
fn reverting_does_not_bring_back_a_time_that_has_passed() {
    let place = Place::new();
    let store = place.open();
    let id = add(&store, expiring(rule("the first text"), 10)).id;
    let later = Timestamp(START.0 + 1_000);
    let patch = Patch { expires_at: Field::Set(later), ..set_text("the second text") };
    store.update(Kind::Rule, id, &patch, None, None, &unlimited()).unwrap();
    place.clock.advance_micros(9);
    let reverted = store.revert(Kind::Rule, id, 1, None, &unlimited()).unwrap();
    assert_eq!(reverted.fields.expires_at, Some(START.plus_micros(10)), "that time has not come");
    store.revert(Kind::Rule, id, 2, None, &unlimited()).unwrap();
    place.clock.advance_micros(1);
    let reverted = store.revert(Kind::Rule, id, 1, None, &unlimited()).unwrap();
    assert_eq!(reverted.fields.expires_at, Some(later));
    assert_eq!(support::text_of(&reverted), "the first text");
    assert_eq!(store.sweep(&unlimited()).unwrap().expired, 0);
}
