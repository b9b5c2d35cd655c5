//! A purged item is as if it had never been, but for its id in the change log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use recollect_engine::{Locator, Store};
use recollect_model::{Added, Draft, ErrorCode, Filter, ItemId, Kind, Operation, Purged, Query, Scope, Subject};
use support::{
    Place, WordEmbedder, add, all, assert_sound, code, doc, found, get, in_project, keyed, near_duplicate_of,
    reference, rule, seq, set_text, unlimited, with,
};

fn purge(store: &Store, kind: Kind, id: ItemId) -> Purged {
    let mut purged = store.purge(kind, &[id], &unlimited()).unwrap();
    assert_eq!(purged.len(), 1);
    purged.remove(0)
}

#[test]
fn it_is_found_nowhere_and_stays_known_by_its_id() {
    let place = Place::new();
    let (store, follower) = (place.open(), place.open());
    let keeper = add(&store, rule("a rule that stays where it is")).id;
    let id = add(&store, keyed(rule("a rule about rivers and lakes"), "rivers")).id;
    store.update(Kind::Rule, id, &set_text("a rule about rivers and seas"), None, None, &unlimited()).unwrap();
    assert_eq!(found(&follower, "rivers", Scope::Everywhere).len(), 2);
    let before = seq(&store);
    assert_eq!(found(&store, "rivers", Scope::Everywhere).len(), 2);
    assert_eq!(purge(&store, Kind::Rule, id), Purged { id, kind: Kind::Rule, versions: 2, chunks: 2 });
    assert_eq!(seq(&store), before + 1);
    assert_eq!(store.stats(&unlimited()).unwrap().index.chunks, 0, "nothing is kept until the next search");
    for handle in [&store, &follower, &place.open()] {
        assert_eq!(found(handle, "rivers", Scope::Everywhere), [keeper]);
        let by_key = Locator::Key { key: "rivers".to_owned(), project: None };
        for locator in [Locator::Id(id), by_key] {
            assert_eq!(code(handle.get(Some(Kind::Rule), &locator, &unlimited())), ErrorCode::NotFound);
        }
        assert_eq!(code(handle.history(Kind::Rule, id, &unlimited())), ErrorCode::NotFound);
        assert_eq!(code(handle.restore(Kind::Rule, id, &unlimited())), ErrorCode::NotFound);
        assert_eq!(code(handle.revert(Kind::Rule, id, 1, None, &unlimited())), ErrorCode::NotFound);
        assert_eq!(code(handle.delete(Kind::Rule, id, None, &unlimited())), ErrorCode::NotFound);
        assert_eq!(code(handle.embeddings(&[id], &unlimited())), ErrorCode::NotFound);
        let patch = set_text("something else");
        assert_eq!(code(handle.update(Kind::Rule, id, &patch, None, None, &unlimited())), ErrorCode::NotFound);
        assert_eq!(all(handle, Kind::Rule).len(), 1);
        let stats = handle.stats(&unlimited()).unwrap();
        assert_eq!((stats.vectors, stats.index.chunks, stats.index.live), (1, 1, 1), "no vector of it is in memory");
    }
    let told: Vec<_> = store
        .changes(0, 100, &unlimited())
        .unwrap()
        .into_iter()
        .filter(|change| change.item == Some(id))
        .map(|change| (change.kind, change.operation))
        .collect();
    let kind = Some(Kind::Rule);
    assert_eq!(told, [(kind, Operation::Created), (kind, Operation::Updated), (kind, Operation::Purged)]);

    // Again: the same answer, and no commit.
    assert_eq!(purge(&follower, Kind::Rule, id), Purged { id, kind: Kind::Rule, versions: 0, chunks: 0 });
    assert_eq!(seq(&store), before + 1);
    assert_sound(&store);
}

#[test]
fn deleted_ones_can_be_purged_and_a_key_is_free_again() {
    let place = Place::new();
    let store = place.open();
    let id = add(&store, keyed(rule("the first of the name"), "name")).id;
    store.delete(Kind::Rule, id, None, &unlimited()).unwrap();
    assert_eq!(purge(&store, Kind::Rule, id).versions, 2);
    let second = add(&store, keyed(rule("the first of the name"), "name"));
    assert!(second.created && second.warnings.is_empty() && second.id != id, "{second:?}");
    assert_eq!(purge(&store, Kind::Rule, id).versions, 0);
    assert_eq!(get(&store, second.id).version, 1);
}

#[test]
fn one_that_never_was_stops_all() {
    let place = Place::new();
    let store = place.open();
    let (one, two) = (add(&store, rule("one")).id, add(&store, rule("two")).id);
    let never = ItemId::generate();
    let other_kind = add(&store, doc("a doc")).id;
    let before = seq(&store);
    for bad in [never, other_kind] {
        let error = store.purge(Kind::Rule, &[one, bad, two], &unlimited()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::NotFound);
        assert!(error.message().contains(&bad.to_string()), "{error:?}");
    }
    assert_eq!((seq(&store), all(&store, Kind::Rule).len()), (before, 2));
    assert_eq!(store.purge(Kind::Rule, &[], &unlimited()).unwrap(), vec![]);
    let twice = store.purge(Kind::Rule, &[one, two, one], &unlimited()).unwrap();
    assert_eq!(twice.iter().map(|purged| purged.versions).collect::<Vec<_>>(), [1, 1, 0]);
    assert_eq!(seq(&store), before + 1, "one commit");
    assert_eq!(code(place.open_read_only().purge(Kind::Doc, &[other_kind], &unlimited())), ErrorCode::PermissionDenied);
    assert_sound(&store);
}

#[test]
fn ids_are_not_given_again() {
    let place = Place::new();
    let id = {
        let store = place.open();
        let id = add(&store, rule("the last of all")).id;
        let chunk = store.embeddings(&[id], &unlimited()).unwrap().chunks[0];
        purge(&store, Kind::Rule, id);
        let next = add(&store, rule("the one behind it")).id;
        assert!(store.embeddings(&[next], &unlimited()).unwrap().chunks[0] > chunk);
        let vector = support::vectors(&[1.0; support::DIMENSION]);
        assert_eq!(code(store.put_embeddings(&[chunk], &vector, &unlimited())), ErrorCode::NotFound);
        id
    };
    let store = place.open();
    let told = store.changes(0, 100, &unlimited()).unwrap();
    assert_eq!(told.iter().filter(|change| change.item == Some(id)).count(), 2);
    assert_eq!(told.len(), 3);
}

/// Six words of which most are common to all numbers, so that they are near duplicates.
fn alike(number: usize) -> String {
    let words: Vec<String> =
        (0..40).map(|place| if place == 20 { format!("number{number}") } else { format!("common{place}") }).collect();
    words.join(" ")
}

fn others() -> Vec<Draft> {
    let text = |name: &str| format!("# {name}\n\nWhat there is to say about {name}, and some more of it.\n");
    vec![
        in_project(doc(&text("secrets")), "acme/hidden"),
        with(rule("an altogether different rule on tests"), |fields| fields.tags = vec!["purged".to_owned()]),
        keyed(reference("src/main.rs:10", "where the secret begins"), "begin"),
        rule(&alike(101)),
        rule(&alike(102)),
        rule(&alike(103)),
        rule(&alike(104)),
        rule(&alike(105)),
    ]
}

fn kept() -> Vec<Draft> {
    vec![
        rule(&alike(1)),
        in_project(doc("# A doc\n\nof which there is one, with the secret of it.\n"), "acme"),
        with(rule("write tests before code"), |fields| fields.tags = vec!["stays".to_owned()]),
        keyed(reference("src/lib.rs:1", "where it all begins"), "begin2"),
    ]
}

fn without_ids(added: &Added) -> (Option<&str>, u32, bool, usize) {
    (added.key.as_deref(), added.version, added.created, added.warnings.len())
}

/// Everything that a caller can see of a store, without ids.
fn seen(store: &Store) -> Vec<String> {
    let mut seen = Vec::new();
    let without = |item: &recollect_model::Item| format!("{:?} {:?} {}", item.fields, item.content, item.version);
    for kind in Kind::ALL {
        for filter in [
            Filter::default(),
            Filter { tags: vec!["purged".to_owned()], ..Filter::default() },
            Filter { scope: Some(Scope::Subtree("acme".to_owned())), ..Filter::default() },
            Filter { deleted: true, ..Filter::default() },
        ] {
            seen.extend(support::all_of(store, *kind, &filter).iter().map(without));
            seen.push(store.count(*kind, &filter, &unlimited()).unwrap().to_string());
        }
    }
    for text in ["the secret of it", "tests before code", "common1 common2 number101"] {
        for (scope, k) in [(Scope::Everywhere, 100), (Scope::Project("acme/hidden".to_owned()), 2)] {
            let subject = Subject::Vector(WordEmbedder::new().vector(text));
            let query = Query { subject, kinds: Vec::new(), scope: Some(scope), tags: Vec::new(), k };
            let answer = store.search(&query, &unlimited()).unwrap();
            seen.push(format!("{} {:?}", answer.matched, answer.scope));
            seen.extend(answer.hits.iter().map(|hit| format!("{} {:?} {}", hit.score, hit.title, hit.snippet)));
        }
    }
    seen.push(format!("{:?}", store.projects(&unlimited()).unwrap()));
    let stats = store.stats(&unlimited()).unwrap();
    seen.push(format!("{:?} {} {}", stats.totals, stats.vectors, stats.index.chunks));
    seen
}

#[test]
fn a_store_that_never_held_it_answers_the_same() {
    for looks_before in [false, true] {
        let (place, never) = (Place::new(), Place::new());
        let (store, bystander, never) = (place.open(), place.open(), never.open());
        let mut purged = Vec::new();
        let mut others = others().into_iter();
        for draft in kept() {
            add(&never, draft.clone());
            // The last one by the bystander, who has seen by then how the others displace one another.
            add(if purged.len() == 8 { &bystander } else { &store }, draft);
            for other in others.by_ref().take(5) {
                let kind = support::kind_of(&other);
                purged.push((kind, add(&store, other).id));
            }
        }
        let (kind, id) = purged[1];
        store.update(kind, id, &set_text("another text of it"), None, None, &unlimited()).unwrap();
        store.delete(kind, id, None, &unlimited()).unwrap();
        if looks_before {
            assert_ne!(seen(&store), seen(&never));
            assert_ne!(seen(&bystander), seen(&never));
        }
        for kind in Kind::ALL {
            let ids: Vec<ItemId> = purged.iter().filter(|(of, _)| of == kind).map(|(_, id)| *id).collect();
            store.purge(*kind, &ids, &unlimited()).unwrap();
        }
        for handle in [&store, &bystander, &place.open()] {
            assert_eq!(seen(handle), seen(&never));
        }
        // What the purged ones had displaced is named again.
        let expected = add(&never, rule(&alike(7)));
        let first = all(&store, Kind::Rule)[0].id;
        let added = add(if looks_before { &store } else { &bystander }, rule(&alike(7)));
        assert!(near_duplicate_of(&expected).is_some());
        assert_eq!(without_ids(&added), without_ids(&expected));
        assert_eq!(near_duplicate_of(&added), Some(first));
        assert_eq!(seen(&bystander), seen(&never));
        assert_sound(&store);
    }
}

#[test]
fn names_that_only_it_had_are_forgotten() {
    let place = Place::new();
    let store = place.open();
    let tagged = |text: &str, project: &str, tags: &[&str]| {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        add(&store, with(in_project(rule(text), project), |fields| fields.tags = tags)).id
    };
    let id = tagged("one", "a/b", &["own", "both", "old"]);
    let other = tagged("two", "a/c", &["both"]);
    let patch = recollect_model::Patch {
        tags: recollect_model::Field::Set(vec!["own".to_owned(), "both".to_owned()]),
        project: recollect_model::Field::Set("a/d".to_owned()),
        ..recollect_model::Patch::default()
    };
    store.update(Kind::Rule, id, &patch, None, None, &unlimited()).unwrap();
    purge(&store, Kind::Rule, id);
    let snapshot = store.database().read(&unlimited()).unwrap();
    let names = |sql: &'static str| snapshot.query(sql, &[], |row| row.text(0)).unwrap();
    assert_eq!(names("SELECT name FROM tags"), ["both"]);
    assert_eq!(names("SELECT path FROM projects ORDER BY path"), ["", "a/c"]);
    drop(snapshot);
    purge(&store, Kind::Rule, other);
    assert_eq!(store.stats(&unlimited()).unwrap().totals.tags, 0);
    assert_eq!(store.stats(&unlimited()).unwrap().totals.projects, 1, "the root stays");
    assert_sound(&store);
}

#[test]
fn searches_beside_it_neither_fail_nor_keep_it_waiting() {
    let place = Place::new();
    let (store, other) = (place.open(), place.open());
    let drafts = (0..200).map(|number| {
        let text = rule(&format!("rule {number} of many words that are all alike"));
        with(text, |fields| fields.expires_at = (number % 2 == 0).then_some(support::START.plus_micros(1)))
    });
    let added = store.add(Kind::Rule, drafts.collect(), None, &unlimited()).unwrap();
    place.clock.advance_micros(1);
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for handle in [&store, &other, &other, &other] {
            scope.spawn(|| {
                let mut before = 200;
                while !is_over.load(std::sync::atomic::Ordering::SeqCst) {
                    let now = found(handle, "many words", Scope::Everywhere).len();
                    assert!(now <= before, "what is gone stays gone");
                    before = now;
                }
            });
        }
        for (number, one) in added.iter().enumerate() {
            if number % 10 == 1 {
                assert_eq!(purge(&store, Kind::Rule, one.id).versions, 1);
            }
        }
        assert_eq!(other.sweep(&unlimited()).unwrap().expired, 100);
        is_over.store(true, std::sync::atomic::Ordering::SeqCst);
    });
    assert_eq!(found(&other, "many words", Scope::Everywhere).len(), 80);
    assert_sound(&store);
}
