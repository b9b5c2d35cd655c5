//! Whatever was done, through whichever handle, a search answers what a look at every vector in the tables would: the
//! index that follows the change log equals one that is read anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::sample::Index;
use recollect_engine::Store;
use recollect_model::{
    ErrorCode, Field, Filter, Item, ItemId, Kind, Patch, Query, Result, Scope, SearchAnswer, Subject, Timestamp,
    with_ancestors,
};
use recollect_storage::rows::list::Totals;
use support::{
    DIMENSION, Place, START, WordEmbedder, add, all_of, assert_sound, doc, reference, rule, unlimited, with,
};

const PROJECTS: [&str; 5] = ["", "acme", "acme/web", "acme/web/ui", "beta"];
const TAGS: [&str; 3] = ["red", "green", "blue"];
const TEXTS: [&str; 6] = [
    "always write tests before code",
    "# One\n\nthe quick brown fox jumps over it\n\n# Two\n\nlazy dogs sleep under the red bridge\n\n# Three\n\nthe end of it\n",
    "# One\n\nthe quick brown fox jumps over it\n\n# Two\n\nlazy cats sleep under the red bridge\n\n# Three\n\nthe end of it\n",
    "# Three\n\nthe end of it\n\n# One\n\nthe quick brown fox jumps over it\n",
    "never commit secrets to the repository",
    "...",
];

const WINDOW_MICROS: i64 = 2_592_000_000_000;

#[derive(Debug, Clone)]
enum Step {
    Add { kind: u8, text: usize, project: usize, tags: u8, valid: u8, copies: u8 },
    SetText { item: Index, text: usize },
    SetFields { item: Index, project: usize, tags: u8, valid: u8 },
    Delete { item: Index },
    Restore { item: Index },
    Revert { item: Index, version: Index },
    Put { item: Index, seed: u8 },
    PutMissing { seed: u8 },
    Rename { project: usize, name: u8 },
    Move { project: usize, parent: usize },
    Wait { micros: i8 },
    Purge { item: Index, others: u8 },
    DeleteMany { project: usize, tag: usize },
    Sweep { closes_windows: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let (text, project) = (0..TEXTS.len(), 0..PROJECTS.len());
    prop_oneof![
        6 => (0..3_u8, text.clone(), project.clone(), 0..8_u8, 0..4_u8, 1..4_u8).prop_map(
            |(kind, text, project, tags, valid, copies)| Step::Add { kind, text, project, tags, valid, copies }),
        4 => (any::<Index>(), text).prop_map(|(item, text)| Step::SetText { item, text }),
        3 => (any::<Index>(), project.clone(), 0..8_u8, 0..4_u8)
            .prop_map(|(item, project, tags, valid)| Step::SetFields { item, project, tags, valid }),
        2 => any::<Index>().prop_map(|item| Step::Delete { item }),
        2 => any::<Index>().prop_map(|item| Step::Restore { item }),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(item, version)| Step::Revert { item, version }),
        3 => (any::<Index>(), any::<u8>()).prop_map(|(item, seed)| Step::Put { item, seed }),
        1 => any::<u8>().prop_map(|seed| Step::PutMissing { seed }),
        1 => (project.clone(), 0..3_u8).prop_map(|(project, name)| Step::Rename { project, name }),
        1 => (project.clone(), project).prop_map(|(project, parent)| Step::Move { project, parent }),
        1 => (-20..60_i8).prop_map(|micros| Step::Wait { micros }),
        1 => (any::<Index>(), 0..3_u8).prop_map(|(item, others)| Step::Purge { item, others }),
        1 => (0..PROJECTS.len(), 0..TAGS.len()).prop_map(|(project, tag)| Step::DeleteMany { project, tag }),
        2 => any::<bool>().prop_map(|closes_windows| Step::Sweep { closes_windows }),
    ]
}

fn tags(bits: u8) -> Vec<String> {
    TAGS.iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0).map(|(_, tag)| (*tag).to_owned()).collect()
}

/// Never, from soon on, until soon, or until soon by expiry.
fn validity(choice: u8) -> [Option<Timestamp>; 3] {
    let soon = Some(START.plus_micros(50));
    match choice {
        0 => [None; 3],
        1 => [soon, None, None],
        2 => [None, soon, None],
        _ => [None, Some(START.plus_micros(500)), soon],
    }
}

fn made_up(seed: u8) -> Vec<f32> {
    let dimension = u8::try_from(DIMENSION).unwrap();
    (0..dimension).map(|place| f32::from(seed.wrapping_mul(31).wrapping_add(place * 17) % 13) - 5.5).collect()
}

/// What may fail because of what was done before; everything else must not.
fn allow<T>(result: Result<T>) {
    if let Err(error) = result {
        let is_expected = matches!(
            error.code(),
            ErrorCode::NotFound | ErrorCode::Conflict | ErrorCode::AlreadyExists | ErrorCode::InvalidInput
        );
        assert!(is_expected, "{error:?}");
    }
}

fn perform(store: &Store, place: &Place, known: &mut Vec<(Kind, ItemId)>, step: &Step) {
    let call = unlimited();
    let pick = |known: &[(Kind, ItemId)], item: &Index| (!known.is_empty()).then(|| *item.get(known));
    match step {
        Step::Add { kind, text, project, tags: bits, valid, copies } => {
            for copy in 0..*copies {
                let text = if copy == 0 { TEXTS[*text].to_owned() } else { format!("{}\ncopy {copy}", TEXTS[*text]) };
                let draft = match kind {
                    0 => rule(&text),
                    1 => doc(&text),
                    _ => reference("src/main.rs:10", &text),
                };
                let draft = with(draft, |fields| {
                    fields.project = Some(PROJECTS[*project].to_owned());
                    fields.tags = tags(*bits);
                    [fields.valid_from, fields.valid_until, fields.expires_at] = validity(*valid);
                });
                let kind = support::kind_of(&draft);
                let added = add(store, draft);
                if added.created {
                    known.push((kind, added.id));
                }
            }
        }
        Step::SetText { item, text } => {
            let Some((kind, id)) = pick(known, item) else { return };
            let text = Field::Set(TEXTS[*text].to_owned());
            let patch = match kind {
                Kind::Ref => Patch { note: text, ..Patch::default() },
                _ => Patch { text, ..Patch::default() },
            };
            allow(store.update(kind, id, &patch, None, None, &call));
        }
        Step::SetFields { item, project, tags: bits, valid } => {
            let Some((kind, id)) = pick(known, item) else { return };
            let time = |time: Option<Timestamp>| time.map_or(Field::Unset, Field::Set);
            let [valid_from, valid_until, expires_at] = validity(*valid).map(time);
            let patch = Patch {
                project: Field::Set(PROJECTS[*project].to_owned()),
                tags: Field::Set(tags(*bits)),
                valid_from,
                valid_until,
                expires_at,
                ..Patch::default()
            };
            allow(store.update(kind, id, &patch, None, None, &call));
        }
        Step::Delete { item } => {
            let Some((kind, id)) = pick(known, item) else { return };
            allow(store.delete(kind, id, None, &call));
        }
        Step::Restore { item } => {
            let Some((kind, id)) = pick(known, item) else { return };
            allow(store.restore(kind, id, &call));
        }
        Step::Revert { item, version } => {
            let Some((kind, id)) = pick(known, item) else { return };
            let versions = store.history(kind, id, &call).unwrap();
            allow(store.revert(kind, id, version.get(&versions).item.version, None, &call));
        }
        Step::Put { item, seed } => {
            let Some((_, id)) = pick(known, item) else { return };
            let Ok(held) = store.embeddings(&[id], &call) else { return };
            let Some(chunk) = held.chunks.get(usize::from(*seed) % held.chunks.len().max(1)) else { return };
            store.put_embeddings(&[*chunk], &support::vectors(&made_up(*seed)), &call).unwrap();
        }
        Step::PutMissing { seed } => {
            let missing = store.missing_embeddings(3, &call).unwrap();
            let chunks: Vec<u32> = missing.iter().map(|(chunk, _)| *chunk).collect();
            let vectors: Vec<f32> = chunks.iter().flat_map(|_| made_up(*seed)).collect();
            match store.put_embeddings(&chunks, &support::vectors(&vectors), &call) {
                // The handle without an embedder cannot make the space.
                Err(error) if error.code() == ErrorCode::InvalidInput => {}
                result => assert_eq!(result.unwrap(), chunks.len()),
            }
        }
        Step::Rename { project, name } => {
            allow(store.rename_project(PROJECTS[*project], ["web", "other", "beta"][usize::from(*name)], &call));
        }
        Step::Move { project, parent } => {
            allow(store.move_project(PROJECTS[*project], PROJECTS[*parent], &call));
        }
        Step::Wait { micros } => place.clock.advance_micros(i64::from(*micros)),
        Step::Purge { .. } | Step::DeleteMany { .. } | Step::Sweep { .. } => remove(store, place, known, step),
    }
}

/// The steps that remove many items, or remove them for good.
fn remove(store: &Store, place: &Place, known: &mut Vec<(Kind, ItemId)>, step: &Step) {
    let call = unlimited();
    match step {
        Step::Purge { item, others } => {
            if known.is_empty() {
                return;
            }
            let (kind, id) = *item.get(known);
            let alike = known.iter().filter(|(of, other)| *of == kind && *other != id).map(|(_, id)| *id);
            let ids: Vec<ItemId> = std::iter::once(id).chain(alike.take(usize::from(*others))).collect();
            assert_eq!(store.purge(kind, &ids, &call).unwrap().len(), ids.len());
            known.retain(|(_, known)| !ids.contains(known));
        }
        Step::DeleteMany { project, tag } => {
            let scope = Some(Scope::Subtree(PROJECTS[*project].to_owned()));
            let filter = Filter { scope, tags: vec![TAGS[*tag].to_owned()], ..Filter::default() };
            for kind in Kind::ALL {
                let would = store.delete_many(*kind, &filter, None, true, &call).unwrap();
                let did = store.delete_many(*kind, &filter, Some(would.ids.len() as u64), false, &call).unwrap();
                assert_eq!((&did.ids, would.dry_run, did.dry_run), (&would.ids, true, false));
                assert_eq!(store.count(*kind, &filter, &call).unwrap(), 0);
            }
        }
        Step::Sweep { closes_windows } => {
            if *closes_windows {
                place.clock.advance_micros(WINDOW_MICROS);
            }
            let before = store.stats(&call).unwrap().totals;
            let swept = store.sweep(&call).unwrap();
            let after = store.stats(&call).unwrap().totals;
            let items = |totals: &Totals| totals.rules + totals.docs + totals.refs + totals.deleted;
            assert_eq!(items(&before) - items(&after), swept.expired + swept.deleted);
            known.retain(|(kind, id)| store.history(*kind, *id, &call).is_ok());
            assert_eq!(known.len() as u64, items(&after));
            if *closes_windows {
                place.clock.advance_micros(-WINDOW_MICROS);
            }
        }
        _ => unreachable!("`perform` does the rest"),
    }
}

/// The searches that are compared after each step.
fn queries() -> Vec<Query> {
    let embedder = WordEmbedder::new();
    let query = |vector: Vec<f32>, kinds: &[Kind], scope: Scope, tags: &[&str], k: usize| Query {
        subject: Subject::Vector(vector),
        kinds: kinds.to_vec(),
        scope: Some(scope),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        k,
    };
    vec![
        query(embedder.vector("the lazy fox sleeps under it"), &[], Scope::Everywhere, &[], 1000),
        query(embedder.vector("write tests, commit code"), &[], Scope::Project("acme/web".to_owned()), &[], 4),
        query(made_up(3), &[Kind::Rule, Kind::Ref], Scope::Subtree("acme".to_owned()), &[], 1000),
        query(made_up(7), &[Kind::Doc], Scope::Everywhere, &["red"], 3),
        query(made_up(9), &[], Scope::Project(String::new()), &["red", "blue"], 1000),
    ]
}

fn is_wanted(item: &Item, query: &Query, now: Timestamp) -> bool {
    let fields = &item.fields;
    let is_in = |path: &str| with_ancestors(path).contains(&fields.project.as_str());
    let in_scope = match query.scope.as_ref().unwrap() {
        Scope::Everywhere => true,
        Scope::Project(path) => is_in(path),
        Scope::Subtree(path) => is_in(path) || fields.project.starts_with(&format!("{path}/")),
    };
    in_scope
        && (query.kinds.is_empty() || query.kinds.contains(&item.kind()))
        && query.tags.iter().all(|tag| fields.tags.contains(tag))
        && fields.valid_from.is_none_or(|from| from <= now)
        && fields.valid_until.is_none_or(|until| now < until)
        && fields.expires_at.is_none_or(|expiry| now < expiry)
}

fn cosine(one: &[f32], other: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(one, other) / (dot(one, one) * dot(other, other)).sqrt()
}

/// What the tables hold: live items, and the vectors of their living chunks.
struct Tables {
    items: Vec<Item>,
    vectors: HashMap<ItemId, Vec<(u32, Vec<f32>)>>,
}

impl Tables {
    fn read(store: &Store) -> Self {
        let everything = Filter { scope: Some(Scope::Everywhere), ..Filter::default() };
        let items: Vec<Item> = Kind::ALL.iter().flat_map(|kind| all_of(store, *kind, &everything)).collect();
        let ids: Vec<ItemId> = items.iter().map(|item| item.id).collect();
        let held = store.embeddings(&ids, &unlimited()).unwrap();
        let mut vectors: HashMap<ItemId, Vec<(u32, Vec<f32>)>> = HashMap::new();
        let rows = held.vectors.chunks_exact(held.dimension.max(1));
        for ((chunk, item), vector) in held.chunks.iter().zip(&held.items).zip(rows) {
            vectors.entry(ids[*item as usize]).or_default().push((*chunk, vector.to_vec()));
        }
        Self { items, vectors }
    }

    /// The cosines of an item's chunks.
    fn scores(&self, id: ItemId, query: &[f32]) -> Vec<(u32, f64)> {
        let vectors = self.vectors.get(&id).map_or(&[][..], Vec::as_slice);
        vectors.iter().map(|(chunk, vector)| (*chunk, cosine(query, vector))).collect()
    }

    fn assert_answers(&self, answer: &SearchAnswer, query: &Query, now: Timestamp) {
        let Subject::Vector(vector) = &query.subject else { panic!("a vector is searched for") };
        let wanted: Vec<&Item> = self.items.iter().filter(|item| is_wanted(item, query, now)).collect();
        let mut expected: Vec<(f64, ItemId)> = wanted
            .iter()
            .filter_map(|item| {
                let scores = self.scores(item.id, vector);
                Some((scores.iter().map(|(_, score)| *score).max_by(f64::total_cmp)?, item.id))
            })
            .collect();
        expected.sort_by(|one, other| other.0.total_cmp(&one.0));
        expected.truncate(query.k);
        assert_eq!(answer.hits.len(), expected.len(), "{query:?}: {:?} for {expected:?}", answer.hits);
        for (hit, (score, _)) in answer.hits.iter().zip(&expected) {
            assert!((f64::from(hit.score) - score).abs() < 1e-5, "{query:?}: {:?} for {expected:?}", answer.hits);
            let item = wanted.iter().find(|item| item.id == hit.id).expect("a hit that the filter allows");
            let (_, of_chunk) = *self
                .scores(hit.id, vector)
                .iter()
                .find(|(chunk, _)| *chunk == hit.chunk)
                .expect("a living chunk of the item");
            assert!((of_chunk - score).abs() < 1e-5, "the chunk of the hit is not the best");
            assert_eq!(
                (hit.version, &hit.project, &hit.tags),
                (item.version, &item.fields.project, &item.fields.tags),
                "the hit is shown as the item is"
            );
        }
        let mut ids: Vec<ItemId> = answer.hits.iter().map(|hit| hit.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), answer.hits.len(), "an item is found once");
    }
}

/// Compares the answers of some handles with the tables, and with each other to the last bit.
fn compare(handles: &[&Store], place: &Place) {
    let Some(first) = handles.first() else { return };
    let tables = Tables::read(first);
    let now = recollect_model::Clock::now(&*place.clock);
    for query in queries() {
        let answers: Vec<_> = handles
            .iter()
            .filter_map(|store| match store.search(&query, &unlimited()) {
                // No space yet, and this handle has none in mind.
                Err(error) if error.code() == ErrorCode::Unsupported => None,
                answer => Some(answer.unwrap()),
            })
            .collect();
        for answer in &answers {
            tables.assert_answers(answer, &query, now);
            assert_eq!(answer.seq, support::seq(first));
            let found: Vec<_> = answer.hits.iter().map(|hit| (hit.id, hit.chunk, hit.score.to_bits())).collect();
            let other: Vec<_> = answers[0].hits.iter().map(|hit| (hit.id, hit.chunk, hit.score.to_bits())).collect();
            assert_eq!(found, other, "two handles answer differently");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_handle_answers_as_the_tables_do(
        steps in prop::collection::vec((step(), 0..3_usize, 0..8_u8), 1..40),
    ) {
        let place = Place::with_chunks_of(32);
        let handles = [place.open(), place.open(), place.open_without_embedder()];
        let mut known = Vec::new();
        for (step, actor, lookers) in &steps {
            perform(&handles[*actor], &place, &mut known, step);
            // Who does not look falls behind, and has more to catch up with the next time.
            let lookers: Vec<&Store> =
                handles.iter().enumerate().filter(|(bit, _)| lookers & (1 << bit) != 0).map(|(_, store)| store).collect();
            compare(&lookers, &place);
        }
        let fresh = place.open();
        compare(&[&handles[0], &handles[1], &handles[2], &fresh], &place);
        assert_sound(&fresh);
    }
}

#[test]
fn a_large_batch_is_found_by_a_handle_that_followed_before() {
    let place = Place::new();
    let (writer, follower) = (place.open(), place.open());
    add(&writer, rule("the first rule of all"));
    compare(&[&writer, &follower], &place);
    let drafts: Vec<_> = (0..1500).map(|number| rule(&format!("rule {number} about subject {}", number % 7))).collect();
    let added = writer.add(Kind::Rule, drafts, None, &unlimited()).unwrap();
    compare(&[&writer, &follower], &place);
    writer.delete(Kind::Rule, added[700].id, None, &unlimited()).unwrap();
    compare(&[&follower, &writer, &place.open()], &place);
}

#[test]
fn a_search_beside_a_writer_sees_whole_commits() {
    const COMMITS: u64 = 200;
    let place = Place::new();
    let (writer, follower) = (place.open(), place.open());
    add(&writer, rule("the first rule of all"));
    let searched = |store: &Store, least: u64| {
        let query = &queries()[0];
        let mut last = least;
        while last < COMMITS {
            let answer = store.search(query, &unlimited()).unwrap();
            assert!(answer.seq >= last, "what was seen once is seen again");
            assert_eq!(answer.hits.len() as u64, answer.seq, "each commit added one rule");
            last = answer.seq;
        }
    };
    std::thread::scope(|scope| {
        for store in [&writer, &follower, &follower, &follower, &follower] {
            scope.spawn(move || searched(store, 1));
        }
        for number in 2..=COMMITS {
            add(&writer, rule(&format!("rule {number}")));
            assert!(follower.search(&queries()[0], &unlimited()).unwrap().seq >= number, "acknowledged, so seen");
        }
    });
}

#[test]
fn validity_follows_the_clock_forwards_and_backwards() {
    let place = Place::new();
    let store = place.open();
    let valid = |draft, from, until, expires| {
        add(
            &store,
            with(draft, |fields| [fields.valid_from, fields.valid_until, fields.expires_at] = [from, until, expires]),
        )
    };
    let at = |micros| Some(START.plus_micros(micros));
    valid(rule("from ten on"), at(10), None, None);
    valid(rule("until twenty"), None, at(20), None);
    valid(rule("from ten until thirty by expiry"), at(10), at(40), at(30));
    let mut now = 0;
    for (then, expected) in
        [(0, 1), (9, 1), (10, 3), (19, 3), (20, 2), (29, 2), (30, 1), (19, 3), (9, 1), (30, 1), (20, 2)]
    {
        place.clock.advance_micros(then - now);
        now = then;
        let answer = store.search(&queries()[0], &unlimited()).unwrap();
        assert_eq!((answer.hits.len(), answer.matched), (expected, expected as u64), "at {now}");
        compare(&[&store], &place);
    }
}
