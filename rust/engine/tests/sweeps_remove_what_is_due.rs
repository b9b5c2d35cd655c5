//! A sweep removes for good what has expired and what was deleted longer ago than the undo window lasts, and nothing
//! else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use recollect_engine::Store;
use recollect_model::{Draft, ErrorCode, ItemId, Kind, Operation, Patch, Purged, Scope, Swept, Timestamp};
use support::{Place, START, add, all, assert_sound, code, found, near_duplicate_of, rule, seq, unlimited, with};

const WINDOW_MICROS: i64 = 2_592_000_000_000;

fn expiring(draft: Draft, micros: i64) -> Draft {
    with(draft, |fields| fields.expires_at = Some(START.plus_micros(micros)))
}

fn sweep(store: &Store) -> (u64, u64) {
    let Swept { expired, deleted } = store.sweep(&unlimited()).unwrap();
    (expired, deleted)
}

fn delete(store: &Store, id: ItemId) {
    store.delete(Kind::Rule, id, None, &unlimited()).unwrap();
}

#[test]
fn nothing_a_moment_before_everything_a_moment_later() {
    let place = Place::new();
    let (store, follower) = (place.open(), place.open());
    let stays = add(&store, rule("a rule that stays for good")).id;
    let expires = add(&store, expiring(rule("a rule that expires soon"), WINDOW_MICROS)).id;
    let deleted = add(&store, rule("a rule that is deleted at once")).id;
    let restored = add(&store, rule("a rule that is deleted and restored")).id;
    for id in [deleted, restored] {
        delete(&store, id);
    }
    store.restore(Kind::Rule, restored, &unlimited()).unwrap();
    assert_eq!(found(&follower, "rule", Scope::Everywhere).len(), 3);
    place.clock.advance_micros(WINDOW_MICROS - 1);
    let before = seq(&store);
    assert_eq!(sweep(&store), (0, 0));
    assert_eq!(seq(&store), before, "no commit where nothing is due");

    // Expiry excludes its moment, the undo window includes it.
    place.clock.advance_micros(1);
    assert_eq!(sweep(&store), (1, 0));
    assert_eq!(code(store.history(Kind::Rule, expires, &unlimited())), ErrorCode::NotFound);
    store.restore(Kind::Rule, deleted, &unlimited()).unwrap();
    delete(&store, deleted);
    place.clock.advance_micros(WINDOW_MICROS + 1);
    assert_eq!(sweep(&store), (0, 1));
    assert_eq!(sweep(&store), (0, 0));
    assert_eq!(code(store.restore(Kind::Rule, deleted, &unlimited())), ErrorCode::NotFound);

    for handle in [&store, &follower, &place.open()] {
        let mut left = found(handle, "rule", Scope::Everywhere);
        left.sort_unstable();
        assert_eq!(left, [stays, restored]);
        assert_eq!(handle.stats(&unlimited()).unwrap().index.live, 2);
    }
    let told: Vec<_> = store
        .changes(before, 100, &unlimited())
        .unwrap()
        .into_iter()
        .filter(|change| change.operation == Operation::Swept)
        .map(|change| (change.item, change.kind, change.by))
        .collect();
    let swept = |id| (Some(id), Some(Kind::Rule), "owner".to_owned());
    assert_eq!(told, [swept(expires), swept(deleted)]);
    let again = store.purge(Kind::Rule, &[expires], &unlimited()).unwrap();
    assert_eq!(again, [Purged { id: expires, kind: Kind::Rule, versions: 0, chunks: 0 }]);
    assert_sound(&store);
}

#[test]
fn an_item_that_is_deleted_and_expired_is_counted_once() {
    let place = Place::new();
    let store = place.open();
    let both = add(&store, expiring(rule("deleted, then expired"), 10)).id;
    let window = add(&store, rule("deleted alone")).id;
    delete(&store, both);
    delete(&store, window);
    place.clock.advance_micros(10);
    assert_eq!(sweep(&store), (1, 0), "an item that has expired is not to be restored");
    place.clock.advance_micros(WINDOW_MICROS);
    assert_eq!(sweep(&store), (0, 1));
    assert_eq!(store.stats(&unlimited()).unwrap().totals.deleted, 0);
}

#[test]
fn an_expiry_that_was_put_off_in_time_holds() {
    let place = Place::new();
    let store = place.open();
    let id = add(&store, expiring(rule("a rule that expires"), 10)).id;
    let until =
        |micros: i64| Patch { expires_at: recollect_model::Field::Set(START.plus_micros(micros)), ..Patch::default() };
    store.update(Kind::Rule, id, &until(20), None, None, &unlimited()).unwrap();
    place.clock.advance_micros(15);
    assert_eq!(sweep(&store), (0, 0));
    store.update(Kind::Rule, id, &until(15), None, None, &unlimited()).unwrap();
    assert_eq!(sweep(&store), (1, 0));
}

#[test]
fn many_are_removed_in_several_commits_and_their_names_are_forgotten() {
    let place = Place::new();
    let (store, follower) = (place.open(), place.open());
    let drafts = (0..600).map(|number| {
        with(expiring(rule(&format!("rule number {number} of many")), 10), |fields| {
            fields.tags = vec![format!("tag{number}")];
            fields.project = Some(format!("p{}", number % 7));
        })
    });
    store.add(Kind::Rule, drafts.collect(), None, &unlimited()).unwrap();
    add(&store, rule("a rule that stays"));
    assert_eq!(found(&follower, "rule", Scope::Everywhere).len(), 601);
    place.clock.advance_micros(10);
    let before = seq(&store);
    assert_eq!(sweep(&store), (600, 0));
    assert!(seq(&store) >= before + 3, "256 at most, fewer where they take long");
    let told = store.changes(before, 1_000, &unlimited()).unwrap();
    let most = told.chunk_by(|one, other| one.seq == other.seq).map(<[_]>::len).max();
    assert!(most <= Some(256), "{most:?}");
    let stats = store.stats(&unlimited()).unwrap();
    assert_eq!((stats.totals.rules, stats.totals.tags, stats.totals.projects, stats.vectors), (1, 0, 1, 1));
    assert_eq!(found(&follower, "rule", Scope::Everywhere).len(), 1);
    let index = follower.stats(&unlimited()).unwrap().index;
    assert_eq!((index.live, index.chunks), (1, 1), "a table that is mostly dead is made anew");
    assert_sound(&store);
}

#[test]
fn what_was_swept_is_no_near_duplicate_and_breaks_nothing() {
    let place = Place::new();
    let (store, other) = (place.open(), place.open());
    let text = |number: usize| format!("one two three four five six seven eight nine ten eleven twelve {number}");
    let first = add(&store, rule(&text(1))).id;
    add(&other, expiring(rule(&text(2)), 10));
    place.clock.advance_micros(10);
    assert_eq!(sweep(&store), (1, 0));
    for handle in [&store, &other] {
        let added = add(handle, rule(&text(if std::ptr::eq(handle, &raw const store) { 3 } else { 4 })));
        assert!(near_duplicate_of(&added).is_some());
    }
    delete(&store, first);
    place.clock.advance_micros(WINDOW_MICROS + 1);
    assert_eq!(sweep(&other), (0, 1));
    for (number, handle) in [(5, &store), (6, &other)] {
        assert_ne!(near_duplicate_of(&add(handle, rule(&text(number)))), Some(first));
    }
    assert_sound(&store);
}

#[test]
fn it_is_refused_read_only_and_works_in_memory() {
    let place = Place::new();
    let store = place.open();
    add(&store, expiring(rule("a rule that expires"), 0));
    assert_eq!(code(place.open_read_only().sweep(&unlimited())), ErrorCode::PermissionDenied);
    assert_eq!(all(&store, Kind::Rule).len(), 1);
    let memory = place.open_with(|options| options.database = recollect_engine::OpenOptions::memory()).unwrap();
    add(&memory, expiring(rule("a rule that expires"), 0));
    assert_eq!(sweep(&memory), (1, 0));
    assert_eq!(memory.purge(Kind::Rule, &[add(&memory, rule("another")).id], &unlimited()).unwrap()[0].versions, 1);
    assert_sound(&memory);
}

#[test]
fn the_ends_of_time_are_no_trouble() {
    let place = Place::new();
    let store = place.open();
    let at = |time| with(rule(&format!("expires at {time:?}")), |fields| fields.expires_at = Some(time));
    add(&store, at(Timestamp::MIN));
    add(&store, at(Timestamp::MAX));
    assert_eq!(sweep(&store), (1, 0));
    place.clock.advance_micros(Timestamp::MIN.0 - START.0);
    delete(&store, add(&store, rule("deleted at the beginning of time")).id);
    assert_eq!(sweep(&store), (0, 0));
    place.clock.advance_micros(Timestamp::MAX.0 - Timestamp::MIN.0);
    assert_eq!(sweep(&store), (1, 1));
}

#[test]
fn a_commit_ends_where_many_chunks_are_gone() {
    let place = Place::with_chunks_of(32);
    let store = place.open_without_embedder();
    let lines =
        (0..400).map(|number| format!("a line of some length, number {number}\n\n")).collect::<Vec<_>>().concat();
    for number in 0..8 {
        add(&store, expiring(support::doc(&format!("doc {number}\n\n{lines}")), 10));
    }
    place.clock.advance_micros(10);
    let before = seq(&store);
    assert_eq!(sweep(&store), (8, 0));
    let told = store.changes(before, 100, &unlimited()).unwrap();
    let most = told.chunk_by(|one, other| one.seq == other.seq).map(<[_]>::len).max();
    assert!(most <= Some(3), "400 chunks each, and about 1,000 in a commit: {most:?}");
    assert_sound(&store);
}

#[test]
fn names_that_only_older_versions_had_go_with_an_item_and_others_stay() {
    let place = Place::new();
    let store = place.open();
    let tags = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let swept = add(&store, with(expiring(rule("one"), 10), |f| f.tags = tags(&["both", "older", "only"]))).id;
    let stays = add(&store, with(rule("two"), |f| f.tags = tags(&["both", "unused"]))).id;
    for (id, names) in [(swept, &["both", "only"][..]), (stays, &["both"][..])] {
        let patch = Patch { tags: recollect_model::Field::Set(tags(names)), ..Patch::default() };
        store.update(Kind::Rule, id, &patch, None, None, &unlimited()).unwrap();
    }
    place.clock.advance_micros(10);
    assert_eq!(sweep(&store), (1, 0));
    let snapshot = store.database().read(&unlimited()).unwrap();
    let names = snapshot.query("SELECT name FROM tags ORDER BY name", &[], |row| row.text(0)).unwrap();
    assert_eq!(names, ["both", "unused"], "the history of what is there keeps its names");
}
