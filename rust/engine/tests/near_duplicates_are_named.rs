//! Adding what is nearly there already succeeds, and names what is there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use recollect_model::{AddWarning, Call, CancelToken, ErrorCode, Interrupt, Kind};
use support::{
    Place, add, code, doc, in_project, keyed, near_duplicate_of, reference, rule, set_text, unlimited, with,
};

/// A text of forty words, and the same with one word changed: of 39 pairs of words, 37 are common to both.
fn text(changed: &str) -> String {
    let words: Vec<String> =
        (0..40).map(|number| if number == 20 { changed.to_owned() } else { format!("word{number}") }).collect();
    words.join(" ")
}

#[test]
fn one_word_changed_is_named_in_the_batch_and_across_handles() {
    let place = Place::new();
    let (store, other) = (place.open(), place.open());
    add(&other, rule("so that the other handle remembers something by now"));
    let batch = vec![rule(&text("one")), rule(&text("two"))];
    let added = store.add(Kind::Rule, batch, None, &unlimited()).unwrap();
    assert_eq!(near_duplicate_of(&added[0]), None);
    let [AddWarning::NearDuplicate { id, similarity }] = added[1].warnings[..] else { panic!("{:?}", added[1]) };
    assert_eq!(id, added[0].id);
    assert!((similarity - 37.0 / 41.0).abs() < 1e-6, "{similarity}");
    assert!(added[1].created);

    for handle in [&other, &place.open()] {
        let third = add(handle, keyed(rule(&text("two")), &format!("{handle:p}")));
        assert_eq!(near_duplicate_of(&third), Some(added[1].id), "of several the most similar, then the oldest");
    }
}

#[test]
fn another_project_kind_or_class_is_not_compared() {
    let place = Place::new();
    let store = place.open();
    store.create_channel("board", &unlimited()).unwrap();
    add(&store, rule(&text("one")));
    for other in [
        in_project(rule(&text("two")), "acme"),
        doc(&text("two")),
        reference("src/lib.rs", &text("two")),
        with(rule(&text("two")), |fields| fields.tier = Some("public".to_owned())),
        with(rule(&text("two")), |fields| fields.channel = Some("board".to_owned())),
    ] {
        assert_eq!(add(&store, other).warnings, vec![]);
    }
}

#[test]
fn what_is_far_or_short_or_deleted_or_changed_is_not_named() {
    let place = Place::new();
    let store = place.open();
    let first = add(&store, rule(&text("one")));
    add(&store, rule("three words only"));
    assert_eq!(add(&store, rule("three words, only")).warnings, vec![]);
    assert_eq!(add(&store, rule(&text("one").replace("word3", "other"))).warnings, vec![]);
    store.delete(Kind::Rule, first.id, None, &unlimited()).unwrap();
    assert_eq!(near_duplicate_of(&add(&store, rule(&text("two")))), None, "the first was deleted");
    store.restore(Kind::Rule, first.id, &unlimited()).unwrap();
    let third = add(&store, rule(&text("three")));
    assert!(near_duplicate_of(&third).is_some());
    for item in support::all(&store, Kind::Rule) {
        store
            .update(Kind::Rule, item.id, &set_text(&format!("entirely new text {}", item.id)), None, None, &unlimited())
            .unwrap();
    }
    assert_eq!(near_duplicate_of(&add(&store, rule(&text("four")))), None, "all say something else now");
}

#[test]
fn an_update_by_another_handle_is_seen() {
    let place = Place::new();
    let (store, other) = (place.open(), place.open());
    let first = add(&store, rule("a text of five words"));
    other.update(Kind::Rule, first.id, &set_text(&text("one")), None, None, &unlimited()).unwrap();
    assert_eq!(near_duplicate_of(&add(&store, rule(&text("two")))), Some(first.id));
}

#[test]
fn what_was_not_committed_is_not_remembered() {
    let place = Place::new();
    let store = place.open();
    add(&store, keyed(rule("the owner of the key"), "taken"));
    let batch = vec![rule(&text("one")), keyed(rule("another text for the key"), "taken")];
    assert_eq!(code(store.add(Kind::Rule, batch, None, &unlimited())), ErrorCode::AlreadyExists);
    assert_eq!(near_duplicate_of(&add(&store, rule(&text("two")))), None, "the first was undone");

    let cancel = CancelToken::default();
    cancel.cancel();
    let call = Call::unlimited().with_cancel(cancel);
    assert_eq!(
        code(store.add(Kind::Rule, vec![rule(&text("three").replace("word", "term"))], None, &call)),
        ErrorCode::Cancelled
    );
    assert_eq!(near_duplicate_of(&add(&store, rule(&text("four").replace("word", "term")))), None);
}

/// Ctrl-C at the moment when it is asked for once more than so many times.
struct After(AtomicUsize);

impl Interrupt for After {
    fn is_interrupted(&self) -> bool {
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err()
    }
}

#[test]
fn wherever_an_addition_is_interrupted_nothing_is_missed_afterwards() {
    let place = Place::new();
    let (store, other) = (place.open(), place.open());
    let mut interrupted = 0;
    loop {
        let of_round = |changed: &str| rule(&text(changed).replace("word", &format!("round{interrupted}word")));
        let call = unlimited().with_interrupt(Arc::new(After(AtomicUsize::new(interrupted))));
        match store.add(Kind::Rule, vec![of_round("one")], None, &call) {
            Ok(_) => break,
            Err(error) => assert_eq!(error.code(), ErrorCode::Cancelled),
        }
        // The other handle makes the commit, with the number and the row ids, that the interrupted one would have been.
        let batch = vec![rule(&format!("entirely unlike all the others {interrupted}")), of_round("two")];
        let [_, second] = &other.add(Kind::Rule, batch, None, &unlimited()).unwrap()[..] else {
            panic!("two were added")
        };
        assert_eq!(near_duplicate_of(second), None, "the first was undone");
        assert_eq!(
            near_duplicate_of(&add(&store, of_round("three"))),
            Some(second.id),
            "after {interrupted} questions"
        );
        interrupted += 1;
    }
    assert!(interrupted >= 3, "it was asked in the preparation, in the transaction and before the commit");
}

#[test]
fn a_row_id_that_was_undone_and_given_again_is_not_mistaken() {
    let place = Place::new();
    let store = place.open();
    add(&store, keyed(rule("the owner of the key"), "taken"));
    // The row id of the item that was undone goes to the next one, of another text.
    let batch = vec![rule(&text("one")), keyed(rule("another text for the key"), "taken")];
    assert_eq!(code(store.add(Kind::Rule, batch, None, &unlimited())), ErrorCode::AlreadyExists);
    let unlike = add(&store, rule("four words or five"));
    assert_eq!(unlike.warnings, vec![]);
    assert_eq!(near_duplicate_of(&add(&store, rule(&text("two")))), None);
}

#[test]
fn deleted_items_do_not_displace_those_that_stay() {
    let place = Place::new();
    let store = place.open();
    let first = add(&store, rule(&text("first")));
    for number in 0..20 {
        let passing = add(&store, rule(&text(&format!("passing{number}"))));
        assert_eq!(near_duplicate_of(&passing), Some(first.id));
        store.delete(Kind::Rule, passing.id, None, &unlimited()).unwrap();
    }
    assert_eq!(near_duplicate_of(&add(&store, rule(&text("last")))), Some(first.id));
}

#[test]
fn a_purge_forgets_what_it_removed_and_keeps_the_rest() {
    let place = Place::new();
    let (store, other) = (place.open(), place.open());
    let first = add(&store, rule(&text("one")));
    let second = add(&store, rule(&text("two").replace("word", "term")));
    add(&other, rule("so that the other handle remembers both by now"));
    store.purge(Kind::Rule, &[first.id], &unlimited()).unwrap();
    for handle in [&store, &other] {
        let near =
            |word: &str| near_duplicate_of(&add(handle, rule(&text(&format!("{handle:p}")).replace("word", word))));
        assert_eq!(near("term"), Some(second.id));
        assert_ne!(near("word"), Some(first.id));
    }
}
