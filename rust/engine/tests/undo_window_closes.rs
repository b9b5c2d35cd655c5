//! What was deleted can be restored, and is listed, until its undo window closes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use recollect_engine::Store;
use recollect_model::{ErrorCode, Filter, ItemId, Kind, Scope};
use support::{Place, START, add, assert_sound, code, found, get, rule, seq, unlimited};

const WINDOW_MICROS: i64 = 2_592_000_000_000;

fn deleted(store: &Store) -> Vec<ItemId> {
    let filter = Filter { deleted: true, ..Filter::default() };
    let found = support::all_of(store, Kind::Rule, &filter);
    assert_eq!(store.count(Kind::Rule, &filter, &unlimited()).unwrap(), found.len() as u64);
    found.into_iter().map(|item| item.id).collect()
}

#[test]
fn until_its_last_moment_it_can_be_restored() {
    let place = Place::new();
    let store = place.open();
    let id = add(&store, rule("write tests first")).id;
    let before = get(&store, id);
    let gone = store.delete(Kind::Rule, id, None, &unlimited()).unwrap();
    assert_eq!((gone.version, gone.undo_until), (2, START.plus_micros(WINDOW_MICROS)));
    assert_eq!(code(store.get(None, &recollect_engine::Locator::Id(id), &unlimited())), ErrorCode::NotFound);
    assert_eq!(code(store.embeddings(&[id], &unlimited())), ErrorCode::NotFound);
    assert!(found(&store, "tests", Scope::Everywhere).is_empty() && support::all(&store, Kind::Rule).is_empty());
    assert_eq!(deleted(&store), [id]);

    place.clock.advance_micros(WINDOW_MICROS);
    assert_eq!(deleted(&store), [id]);
    let restored = store.restore(Kind::Rule, id, &unlimited()).unwrap();
    assert_eq!((restored.version, restored.deleted_at, &restored.fields), (3, None, &before.fields));
    assert_eq!(restored.content, before.content);
    assert_eq!(restored, get(&store, id));
    assert_eq!(found(&store, "tests", Scope::Everywhere), [id]);
    assert_eq!(deleted(&store), []);
    assert_eq!(code(store.restore(Kind::Rule, id, &unlimited())), ErrorCode::Conflict);
    assert_sound(&store);
}

#[test]
fn a_moment_later_it_cannot() {
    let place = Place::new();
    let store = place.open();
    let id = add(&store, rule("write tests first")).id;
    store.delete(Kind::Rule, id, None, &unlimited()).unwrap();
    place.clock.advance_micros(WINDOW_MICROS + 1);
    let before = seq(&store);
    assert_eq!(code(store.restore(Kind::Rule, id, &unlimited())), ErrorCode::Conflict);
    assert_eq!(deleted(&store), []);
    assert_eq!(seq(&store), before);
    assert_eq!(store.history(Kind::Rule, id, &unlimited()).unwrap().len(), 2, "its history stays");
}

#[test]
fn the_window_is_that_of_the_last_deletion() {
    let place = Place::new();
    let store = place.open();
    let id = add(&store, rule("write tests first")).id;
    store.delete(Kind::Rule, id, None, &unlimited()).unwrap();
    place.clock.advance_micros(WINDOW_MICROS / 2);
    store.restore(Kind::Rule, id, &unlimited()).unwrap();
    store.delete(Kind::Rule, id, None, &unlimited()).unwrap();
    place.clock.advance_micros(WINDOW_MICROS);
    assert_eq!(store.restore(Kind::Rule, id, &unlimited()).unwrap().version, 5);
}

#[test]
fn only_what_was_deleted_can_be_restored() {
    let place = Place::new();
    let store = place.open();
    let id = add(&store, rule("write tests first")).id;
    store.delete(Kind::Rule, id, None, &unlimited()).unwrap();
    assert_eq!(code(store.restore(Kind::Doc, id, &unlimited())), ErrorCode::NotFound);
    assert_eq!(code(store.restore(Kind::Rule, ItemId::generate(), &unlimited())), ErrorCode::NotFound);
}
