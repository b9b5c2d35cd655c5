//! A check that may repair makes anew what can be derived from the rest of the store, says so, and touches nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use std::fs;
use std::os::unix::fs::FileExt;

use recollect_engine::{CheckReport, Store};
use recollect_model::{ErrorCode, ItemId, Kind, Operation, Scope};
use recollect_storage::params;
use support::{
    Place, add, all, assert_sound, code, doc, found, get, keyed, near_duplicate_of, reference, rule, seq, set_text,
    unlimited, with,
};

fn text(changed: &str) -> String {
    let words: Vec<String> = (0..40).map(|n| if n == 20 { changed.to_owned() } else { format!("word{n}") }).collect();
    words.join(" ")
}

/// A store with something of everything in it.
fn filled() -> Place {
    let place = Place::with_chunks_of(64);
    let store = place.open();
    add(&store, with(rule(&text("one")), |fields| fields.tags = vec!["tagged".to_owned()]));
    let long =
        "# One\n\nWhat there is to say, at the length of one chunk.\n\n# Two\n\nThe other half of it, as long.\n";
    let id = add(&store, keyed(doc(long), "this")).id;
    store.update(Kind::Doc, id, &set_text(&long.replace("half", "part")), None, None, &unlimited()).unwrap();
    let pointer = add(&store, reference("src/main.rs:10", "where it begins")).id;
    store.delete(Kind::Ref, pointer, None, &unlimited()).unwrap();
    add(&store, rule("a rule about rivers"));
    assert_sound(&store);
    store.close(&unlimited()).unwrap();
    place
}

/// Everything a caller gets to see of the items.
fn contents(store: &Store) -> Vec<String> {
    let items = Kind::ALL.iter().flat_map(|kind| all(store, *kind));
    items.map(|item| format!("{item:?} {:?}", store.history(item.kind(), item.id, &unlimited()).unwrap())).collect()
}

fn repair(store: &Store) -> CheckReport {
    store.check(true, &unlimited()).unwrap()
}

/// Damages a store, finds that out, repairs it, and expects that nothing else changed and nothing is left.
fn mend(place: &Place, words: &str) {
    let store = place.open();
    let contents_before = contents(&store);
    let found = store.check(false, &unlimited()).unwrap();
    assert!(!found.problems.is_empty() && found.repaired.is_empty(), "{words}: {found:?}");
    let before = seq(&store);
    let report = repair(&store);
    assert_eq!(report.problems, Vec::<String>::new(), "{words}");
    assert!(report.repaired.iter().any(|done| done.contains(words)), "{words}: {report:?}");
    // The vectors come in a commit of their own.
    let commits = if report.repaired.iter().any(|done| done.contains("embedded")) { 2 } else { 1 };
    assert_eq!(seq(&store), before + commits, "{words}: {report:?}");
    assert_eq!(contents(&store), contents_before, "{words}");
    let again = repair(&store);
    assert_eq!((again.repaired, again.problems), (vec![], vec![]), "{words}");
    assert_eq!(seq(&store), before + commits, "{words}: nothing to repair is no commit");
    assert_eq!(found_by_all(place, &store), 4, "{words}");
}

/// How many items a search finds, by the handle that repaired and by a new one.
fn found_by_all(place: &Place, store: &Store) -> usize {
    let answers = [store, &place.open()].map(|handle| found(handle, "word1 chunk rivers part", Scope::Everywhere));
    assert_eq!(answers[0], answers[1]);
    answers[0].len() + 1
}

#[test]
fn a_sound_store_is_left_alone() {
    let place = filled();
    let store = place.open();
    let before = seq(&store);
    let report = repair(&store);
    assert_eq!((report.repaired.len(), report.problems.len()), (0, 0), "{report:?}");
    assert_eq!(seq(&store), before);
    assert_eq!(code(place.open_read_only().check(true, &unlimited())), ErrorCode::PermissionDenied);
    assert!(place.open_read_only().check(false, &unlimited()).unwrap().problems.is_empty());
}

#[test]
fn vectors_that_do_not_fit_are_removed_and_made_anew() {
    let place = filled();
    place.tamper("UPDATE vectors_1 SET vector = zeroblob(60) WHERE chunk_id = 1");
    place.tamper("INSERT INTO vectors_1 SELECT 1000, vector FROM vectors_1 WHERE chunk_id = 2");
    mend(&place, "2 vectors of the wrong size");
    let told = place.open().changes(0, 100, &unlimited()).unwrap();
    let last: Vec<_> = told.iter().rev().take(2).map(|change| (change.item.is_some(), change.operation)).collect();
    assert_eq!(last, [(true, Operation::Embedded), (false, Operation::Repaired)]);
}

#[test]
fn missing_vectors_are_embedded_by_who_can() {
    let place = filled();
    let follower = place.open();
    let id = found(&follower, "rivers", Scope::Everywhere)[0];
    follower.close(&unlimited()).unwrap();
    place.tamper("DELETE FROM vectors_1 WHERE chunk_id = (SELECT max(id) FROM chunks)");
    let plain = place.open_without_embedder();
    assert_eq!(repair(&plain).repaired, Vec::<String>::new());
    let store = place.open();
    assert_ne!(found(&store, "rivers", Scope::Everywhere).first(), Some(&id));
    let before = seq(&store);
    let report = repair(&store);
    assert_eq!(report.repaired, ["1 chunks without a vector were embedded"]);
    let told = store.changes(before, 100, &unlimited()).unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].item, told[0].operation), (Some(id), Operation::Embedded));
    for handle in [&store, &plain] {
        let vector = support::WordEmbedder::new().vector("rivers");
        let query = recollect_model::Query {
            subject: recollect_model::Subject::Vector(vector),
            kinds: Vec::new(),
            scope: Some(Scope::Everywhere),
            tags: Vec::new(),
            k: 1,
        };
        assert_eq!(handle.search(&query, &unlimited()).unwrap().hits[0].id, id);
    }
}

#[test]
fn a_text_that_means_nothing_to_the_model_is_no_damage() {
    let place = Place::new();
    let store = place.open();
    add(&store, rule("..."));
    let report = repair(&store);
    assert_eq!((report.repaired, report.problems), (vec![], vec![]));
}

#[test]
fn counters_hashes_and_signatures_are_made_anew() {
    let place = filled();
    place.tamper("UPDATE meta SET next_item = 2");
    mend(&place, "counters");
    place.tamper("UPDATE meta SET next_chunk = 1");
    mend(&place, "counters");
    place.tamper("UPDATE items SET content_hash = zeroblob(16) WHERE id = 4");
    mend(&place, "hashes of 1 items");
    place.tamper("UPDATE items SET signature = NULL");
    mend(&place, "hashes of");
    place.tamper("UPDATE docs SET text_hash = zeroblob(32)");
    mend_hash_of_doc(&place);
    // They are what they were: equal content is found, and so are near duplicates.
    let store = place.open();
    let again = add(&store, rule("a rule about rivers"));
    assert!(!again.created);
    assert!(near_duplicate_of(&add(&store, rule(&text("two")))).is_some());
}

/// A doc shows the hash of its text, so that it changes when it is put right.
fn mend_hash_of_doc(place: &Place) {
    let store = place.open();
    assert!(repair(&store).repaired[0].contains("hashes of 1 items"));
    let item = &all(&store, Kind::Doc)[0];
    let recollect_model::Content::Doc(doc) = &item.content else { panic!("a doc") };
    assert_eq!(doc.content_hash, *blake3::hash(doc.text.as_bytes()).as_bytes());
    assert_sound(&store);
}

#[test]
fn a_handle_that_remembers_the_damage_forgets_it() {
    let place = filled();
    place.tamper("UPDATE items SET signature = NULL WHERE kind = 1");
    let (store, other) = (place.open(), place.open());
    // It fills the cache from the damaged table.
    assert_eq!(near_duplicate_of(&add(&other, rule(&text("two")))), None);
    repair(&store);
    assert!(near_duplicate_of(&add(&other, rule(&text("three")))).is_some());
    let first = all(&store, Kind::Rule)[0].id;
    store.delete(Kind::Rule, all(&store, Kind::Rule)[2].id, None, &unlimited()).unwrap();
    store.delete(Kind::Rule, all(&store, Kind::Rule)[2].id, None, &unlimited()).unwrap();
    assert_eq!(near_duplicate_of(&add(&other, rule(&text("four")))), Some(first));
}

#[test]
fn a_damaged_index_is_made_anew() {
    let place = filled();
    let (root, page_size) = {
        let store = place.open();
        let snapshot = store.database().read(&unlimited()).unwrap();
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'items_by_key'";
        let root = snapshot.query_one(sql, params![], |row| row.unsigned(0)).unwrap().unwrap();
        let size = snapshot.query_one("PRAGMA page_size", params![], |row| row.unsigned(0)).unwrap().unwrap();
        drop(snapshot);
        store.close(&unlimited()).unwrap();
        (root, size)
    };
    let file = fs::OpenOptions::new().read(true).write(true).open(place.path()).unwrap();
    let mut page = vec![0; usize::try_from(page_size).unwrap()];
    file.read_exact_at(&mut page, (root - 1) * page_size).unwrap();
    let at = page.windows(4).position(|window| window == b"this").expect("the key stands in its index");
    page[at] = b'T';
    file.write_all_at(&page, (root - 1) * page_size).unwrap();
    drop(file);
    mend(&place, "indexes were made anew");
    let by_key = recollect_engine::Locator::Key { key: "this".to_owned(), project: None };
    assert!(place.open().get(Some(Kind::Doc), &by_key, &unlimited()).is_ok());
}

#[test]
fn what_cannot_be_derived_stays_a_problem() {
    for (sql, words) in [
        ("UPDATE chunks SET text = replace(text, 'rivers', 'RIVERS')", "do not say what they said"),
        ("UPDATE changes SET by = 'nobody' WHERE seq = 2", "digest"),
        ("DELETE FROM rules WHERE item = 1", "kind"),
        ("UPDATE chunks SET died = 2 WHERE item = 1", "no text"),
        // The last one, so that none behind it does not fit: the hashes of the doc are all that tells.
        (
            "UPDATE chunks SET died = 3 WHERE id = (SELECT max(c.id) FROM chunks c JOIN docs d ON d.item = c.item)",
            "the text they were stored with",
        ),
        ("INSERT INTO purged_items SELECT id, uid, kind FROM items WHERE id = 1", "purged"),
    ] {
        let place = filled();
        place.tamper(sql);
        let store = place.open();
        let before = seq(&store);
        let report = repair(&store);
        assert!(report.problems.iter().any(|problem| problem.contains(words)), "{sql}: {report:?}");
        assert_eq!((report.repaired, seq(&store)), (vec![], before), "{sql}");
    }
    // The hash of a text that is not what it was is what is left of it.
    let place = filled();
    place.tamper("UPDATE chunks SET text = replace(text, 'rivers', 'RIVERS')");
    place.tamper("UPDATE meta SET next_item = 2");
    let store = place.open();
    assert_eq!(repair(&store).repaired.len(), 1);
    let id: ItemId = all(&store, Kind::Rule)[1].id;
    assert!(support::text_of(&get(&store, id)).contains("RIVERS"));
    assert!(add(&store, rule("a rule about RIVERS")).created, "its hash is that of the text it had");
}

#[test]
fn many_missing_vectors_come_in_several_commits() {
    let place = Place::new();
    let plain = place.open_without_embedder();
    for batch in 0..5 {
        let drafts = (0..500).map(|number| rule(&format!("rule {batch} {number}"))).collect();
        plain.add(Kind::Rule, drafts, None, &unlimited()).unwrap();
    }
    let store = place.open();
    assert_eq!(repair(&store).repaired, [""; 0], "a repair gives no store an embedding space");
    add(&store, rule("the first rule with a vector"));
    let before = seq(&store);
    assert_eq!(repair(&store).repaired, ["2500 chunks without a vector were embedded"]);
    assert_eq!(seq(&store), before + 3, "1,000, 1,000 and 500");
    assert_eq!(store.stats(&unlimited()).unwrap().vectors, 2_501);
    assert_sound(&store);
}
