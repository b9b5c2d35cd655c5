//! What somebody changed behind the back of the store is found by a check.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use recollect_model::Kind;
use support::{Place, add, assert_sound, doc, in_project, keyed, reference, rule, set_text, unlimited, with};

/// A store with something of everything in it.
fn filled() -> Place {
    let place = Place::with_chunks_of(64);
    let store = place.open();
    let rules = (0..3).map(|number| rule(&format!("rule number {number} of the store"))).collect();
    store.add(Kind::Rule, rules, None, &unlimited()).unwrap();
    let text = |name: &str| {
        format!(
            "# One\n\nWhat there is to say about {name}, at the length of one chunk.\n\n# Two\n\nThe other half of it, also as long as a chunk is to be.\n"
        )
    };
    let id = add(&store, keyed(doc(&text("this")), "this")).id;
    store.update(Kind::Doc, id, &set_text(&text("that")), None, None, &unlimited()).unwrap();
    let pointer = with(in_project(reference("src/main.rs:10", "where it begins"), "acme"), |fields| {
        fields.tags = vec!["start".to_owned()];
    });
    let pointer = add(&store, pointer).id;
    store.delete(Kind::Ref, pointer, None, &unlimited()).unwrap();
    assert_sound(&store);
    store.close(&unlimited()).unwrap();
    place
}

/// Damages a store, and expects findings of which one has the words.
fn expect(sql: &str, words: &str) {
    let place = filled();
    place.tamper(sql);
    let report = place.open().check(false, &unlimited()).unwrap();
    assert!(report.problems.iter().any(|problem| problem.contains(words)), "{sql}: {:?}", report.problems);
}

#[test]
fn a_sound_store_has_nothing_to_report() {
    let place = filled();
    let report = place.open().check(false, &unlimited()).unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
    assert_eq!((report.items, report.changes), (5, 7));
    assert!(report.chunks >= 6 && report.vectors > report.chunks, "{report:?}");
}

#[test]
fn a_change_that_is_missing_or_altered() {
    expect("DELETE FROM changes WHERE seq = 2", "change 2 is missing");
    expect("DELETE FROM changes WHERE seq = 1 AND ordinal = 1", "digest");
    expect("DELETE FROM changes WHERE seq = (SELECT seq FROM meta)", "the change log ends at");
    expect("UPDATE changes SET operation = 1 WHERE seq = 3", "digest");
    expect("UPDATE changes SET at = at + 1 WHERE seq = 3", "digest");
    expect("UPDATE changes SET by = 'nobody' WHERE seq = 3", "digest");
    expect("UPDATE changes SET item = 1 WHERE seq = 4", "digest");
    expect("UPDATE meta SET log_digest = zeroblob(32)", "digest");
    expect("UPDATE meta SET seq = seq + 1", "the change log ends at");
}

#[test]
fn a_chunk_that_is_missing_moved_or_altered() {
    let living = "died IS NULL AND item = (SELECT item FROM docs)";
    expect(&format!("UPDATE chunks SET start = start + 1 WHERE {living} AND ordinal = 1"), "begin");
    expect(&format!("UPDATE chunks SET start = 1 WHERE {living} AND ordinal = 0"), "begin");
    expect(&format!("UPDATE chunks SET characters = characters - 1 WHERE {living} AND ordinal = 0"), "begin");
    expect(&format!("UPDATE chunks SET died = 4 WHERE {living} AND ordinal = 0"), "begin");
    expect("UPDATE chunks SET died = 4 WHERE item = 1", "no text");
    expect("UPDATE meta SET next_chunk = 3", "not given yet");
    // The last chunk of an item has none behind it that would not fit.
    expect("UPDATE chunks SET characters = characters + 1 WHERE item = 1", "length");
    expect(&format!("UPDATE chunks SET text = substr(text, 2) WHERE {living}"), "length");
    let altered = "chunks do not say what they said";
    expect(&format!("UPDATE chunks SET text = replace(text, 'half', 'HALF') WHERE {living}"), altered);
    expect("UPDATE chunks SET heading = '[\"Another\"]' WHERE died IS NOT NULL", altered);
    expect("UPDATE chunks SET content_hash = zeroblob(16) WHERE item = 2", altered);
}

#[test]
fn a_vector_that_does_not_fit() {
    expect("UPDATE vectors_1 SET vector = zeroblob(60) WHERE chunk_id = 1", "vectors");
    expect("INSERT INTO vectors_1 SELECT 1000, vector FROM vectors_1 LIMIT 1", "vectors");
}

#[test]
fn an_item_that_is_not_what_it_was() {
    expect("UPDATE items SET kind = 2 WHERE id = 1", "kind");
    expect("DELETE FROM rules WHERE item = 1", "kind");
    expect("UPDATE meta SET next_item = 2", "not given yet");
}
