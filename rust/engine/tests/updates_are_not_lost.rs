//! Of two updates at once none is lost; with an expected version exactly one wins.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use recollect_model::{ErrorCode, Field, Kind, Operation, Patch};
use support::{Place, add, assert_sound, code, get, rule, set_text, text_of, unlimited};

const ROUNDS: i64 = 60;

#[test]
fn every_update_without_a_version_becomes_one_version() {
    let place = Place::new();
    let store = place.open();
    let other = place.open();
    let id = add(&store, rule("the text at the beginning")).id;
    thread::scope(|scope| {
        // Texts by three threads and two handles, a field by a fourth: nobody may starve, nobody may undo another's field.
        for (name, store) in [("one", &store), ("two", &store), ("three", &other)] {
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let patch = set_text(&format!("text {round} by {name}"));
                    store.update(Kind::Rule, id, &patch, None, None, &unlimited()).expect("the update succeeds");
                }
            });
        }
        scope.spawn(|| {
            for round in 1..=ROUNDS {
                let patch = Patch { priority: Field::Set(round), ..Patch::default() };
                store.update(Kind::Rule, id, &patch, None, None, &unlimited()).expect("the update succeeds");
            }
        });
    });
    let history = store.history(Kind::Rule, id, &unlimited()).unwrap();
    let versions: Vec<u32> = history.iter().map(|version| version.item.version).collect();
    assert_eq!(versions, (1..=1 + 4 * u32::try_from(ROUNDS).unwrap()).collect::<Vec<_>>());
    // Each step changes the text or the priority, and leaves the other.
    let mut priority = 0;
    for pair in history.windows(2) {
        let (before, after) = (&pair[0].item, &pair[1].item);
        assert_eq!(pair[1].operation, Operation::Updated);
        if after.fields.priority == before.fields.priority {
            assert_ne!(text_of(before), text_of(after));
        } else {
            priority += 1;
            assert_eq!(i64::from(after.fields.priority), priority);
            assert_eq!(text_of(before), text_of(after));
        }
    }
    assert_eq!(priority, ROUNDS);
    let vector = store.embeddings(&[id], &unlimited()).unwrap().vectors;
    assert_eq!(vector, support::WordEmbedder::new().vector(text_of(&get(&store, id))));
    assert_sound(&store);
}

#[test]
fn with_a_version_exactly_one_wins() {
    let place = Place::new();
    let store = place.open();
    let id = add(&store, rule("the text at the beginning")).id;
    for round in 1..=20_u32 {
        let (barrier, won) = (Barrier::new(4), AtomicU32::new(0));
        thread::scope(|scope| {
            for thread in 0..4 {
                let (store, barrier, won) = (&store, &barrier, &won);
                scope.spawn(move || {
                    barrier.wait();
                    let patch = set_text(&format!("text {round} by {thread}"));
                    match store.update(Kind::Rule, id, &patch, Some(round), None, &unlimited()) {
                        Ok(item) => {
                            assert_eq!(item.version, round + 1);
                            won.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(error) => assert_eq!(error.code(), ErrorCode::Conflict, "{error:?}"),
                    }
                });
            }
        });
        assert_eq!(won.load(Ordering::SeqCst), 1);
    }
    assert_eq!(get(&store, id).version, 21);
}

#[test]
fn delete_and_revert_hold_to_the_version_too() {
    let place = Place::new();
    let store = place.open();
    let id = add(&store, rule("the text at the beginning")).id;
    store.update(Kind::Rule, id, &set_text("another text"), Some(1), None, &unlimited()).unwrap();
    let before = support::seq(&store);
    assert_eq!(code(store.delete(Kind::Rule, id, Some(1), &unlimited())), ErrorCode::Conflict);
    assert_eq!(code(store.revert(Kind::Rule, id, 1, Some(1), &unlimited())), ErrorCode::Conflict);
    assert_eq!(code(store.update(Kind::Rule, id, &Patch::default(), Some(1), None, &unlimited())), ErrorCode::Conflict);
    assert_eq!(code(store.revert(Kind::Rule, id, 3, None, &unlimited())), ErrorCode::NotFound);
    assert_eq!(support::seq(&store), before);
    assert_eq!(store.delete(Kind::Rule, id, Some(2), &unlimited()).unwrap().version, 3);
    for gone in [
        code(store.delete(Kind::Rule, id, None, &unlimited())),
        code(store.update(Kind::Rule, id, &set_text("x"), None, None, &unlimited())),
        code(store.revert(Kind::Rule, id, 1, None, &unlimited())),
    ] {
        assert_eq!(gone, ErrorCode::NotFound);
    }
}
