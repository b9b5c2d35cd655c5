//! Of a purged item nothing is left in the files of the store, not even before the store is closed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use std::collections::HashSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use recollect_engine::{Locator, Store, Vectors};
use recollect_model::{Call, Draft, DraftContent, DraftFields, ErrorCode, Field, ItemId, Kind, Patch};
use recollect_storage::params;
use support::{DIMENSION, Place, assert_sound, code, set_text, space, unlimited, vectors};

const ITEMS: usize = 2_000;
/// It stands in everything that a purged item has, and nowhere else.
const CANARY: &str = "kanarienvogel";
/// The shortest part of it that is looked for.
const NEEDLE: &[u8] = b"kanarien";

/// Numbers that look random and are the same in every run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn text(&mut self, word: &str) -> String {
        let mut text = format!("# {word} {}\n", self.below(1_000_000));
        let most = if self.below(10) == 0 { 900 } else { 90 };
        for _ in 0..self.below(most) {
            write!(text, "{word} {} ", self.below(1_000_000)).unwrap();
        }
        text
    }
}

fn draft(numbers: &mut Numbers, number: usize, word: &str) -> (Kind, Draft, String) {
    let name = format!("{word}{number}");
    // Keys and tags come in any order, so that the pages of their indexes are split and joined in their middle.
    let at = numbers.below(1_000_000);
    let fields = DraftFields {
        key: Some(format!("key-{at}-{}", format!("{name}-").repeat(1 + number % 12))),
        tags: vec![format!("tag-{at}-{name}")],
        metadata: Some(format!("{{\"of\": \"{name}\"}}")),
        source: Some(format!("source of {name}")),
        project: Some(format!("projects/{}-{name}", at % 100)),
        ..DraftFields::default()
    };
    let whole = numbers.text(word);
    let text = whole.clone();
    let (kind, content) = match number % 3 {
        0 => (
            Kind::Rule,
            DraftContent::Rule {
                text,
                applies_to: vec![format!("src/{name}/*")],
                modes: vec![format!("mode-{name}")],
                always_on: false,
            },
        ),
        1 => (
            Kind::Doc,
            DraftContent::Doc {
                text,
                path: Some(format!("docs/{name}.md")),
                title: Some(format!("Title of {name}")),
                media_type: None,
            },
        ),
        _ => (
            Kind::Ref,
            DraftContent::Ref {
                target: format!("https://example.org/{name}"),
                target_kind: None,
                note: text,
                checked_at: None,
                state: None,
            },
        ),
    };
    (kind, Draft { fields, content }, whole)
}

/// For every chunk that an item of this text has, a vector of which every component is four letters.
fn vectors_of(store: &Store, kind: Kind, text: &str, letters: [u8; 4]) -> Vectors {
    let chunks = if kind == Kind::Doc { store.split(text, "text/markdown").unwrap().len() } else { 1 };
    vectors(&vec![f32::from_le_bytes(letters); DIMENSION * chunks])
}

/// What the file of an open store, its log and its index of the log hold. A child reads them: the locks of this
/// process go when it closes any descriptor of them.
fn files(place: &Path) -> Vec<u8> {
    let names: Vec<_> = fs::read_dir(place.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(names.len() >= 3, "{names:?}");
    let output = Command::new("cat").args(&names).output().unwrap();
    assert!(output.status.success());
    output.stdout
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

fn holds_any(bytes: &[u8], needles: &HashSet<[u8; 16]>) -> bool {
    let mut begins = vec![false; 1 << 16];
    for [a, b, ..] in needles {
        begins[usize::from(u16::from_le_bytes([*a, *b]))] = true;
    }
    bytes
        .windows(16)
        .any(|window| begins[usize::from(u16::from_le_bytes([window[0], window[1]]))] && needles.contains(window))
}

/// A store with history, of which every fifth item has the canary in it; those, with their content hashes.
fn fill(store: &Store) -> Vec<(Kind, ItemId, [u8; 16])> {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut canaries = Vec::new();
    let mut all = Vec::new();
    for number in 0..ITEMS {
        let is_canary = number % 5 == 2;
        let word = if is_canary { CANARY } else { "word" };
        let letters = |word| if word == CANARY { *b"CANA" } else { *b"abcd" };
        let (kind, draft, text) = draft(&mut numbers, number, word);
        let given = vectors_of(store, kind, &text, letters(word));
        let id = store.add(kind, vec![draft], Some(given), &unlimited()).unwrap()[0].id;
        all.push((kind, id, word));
        if is_canary {
            canaries.push((kind, id));
        }
        // An item of before changes, canaries as often as others.
        let (kind, id, word) = all[usize::try_from(numbers.below(all.len() as u64)).unwrap()];
        let text = numbers.text(word);
        let given = vectors_of(store, kind, &text, letters(word));
        let patch = match kind {
            Kind::Ref => Patch { note: Field::Set(text), ..Patch::default() },
            _ => set_text(&text),
        };
        store.update(kind, id, &patch, None, Some(&given), &unlimited()).unwrap();
    }
    for (number, (kind, id)) in canaries.iter().enumerate() {
        if number % 3 == 0 {
            store.delete(*kind, *id, None, &unlimited()).unwrap();
        }
    }
    let snapshot = store.database().read(&unlimited()).unwrap();
    let hash = |id: &ItemId| {
        let sql = "SELECT content_hash FROM items WHERE uid = ?1";
        snapshot.query_one(sql, params![*id.as_bytes()], |row| row.bytes(0)).unwrap().unwrap()
    };
    canaries.into_iter().map(|(kind, id)| (kind, id, hash(&id))).collect()
}

fn open(place: &Place) -> Store {
    place.open_with(|options| options.space = Some(space("given", DIMENSION))).unwrap()
}

#[test]
fn no_file_holds_anything_of_what_was_purged() {
    let place = Place::new();
    let store = open(&place);
    let canaries = fill(&store);
    assert_eq!(canaries.len(), ITEMS / 5);
    let before = files(&place.path());
    let of_vector = b"CANACANACANA";
    assert!(holds(&before, NEEDLE) && holds(&before, of_vector) && holds(&before, &canaries[0].2));

    for kind in Kind::ALL {
        let ids: Vec<ItemId> = canaries.iter().filter(|(of, ..)| of == kind).map(|(_, id, _)| *id).collect();
        let purged = store.purge(*kind, &ids, &unlimited()).unwrap();
        assert_eq!(purged.iter().map(|one| one.id).collect::<Vec<_>>(), ids);
        assert!(purged.iter().all(|one| one.kind == *kind && one.versions >= 1 && one.chunks >= 1), "{purged:?}");
    }
    let hashes = canaries.iter().map(|(_, _, hash)| *hash).collect();
    let assert_clean = |bytes: &[u8], when: &str| {
        assert!(!holds(bytes, NEEDLE), "text, {when}");
        assert!(!holds(bytes, of_vector), "a vector, {when}");
        assert!(!holds_any(bytes, &hashes), "the hash of a content, {when}");
    };
    assert_clean(&files(&place.path()), "when purge returns");
    assert_sound(&store);
    for (kind, id, _) in &canaries {
        assert_eq!(code(store.history(*kind, *id, &unlimited())), ErrorCode::NotFound);
    }
    store.close(&unlimited()).unwrap();
    assert_clean(&files(&place.path()), "after the store is closed");
    assert_sound(&open(&place));
}

#[test]
fn a_reader_that_keeps_the_log_is_told_and_purging_again_finishes() {
    let place = Place::new();
    let (store, other) = (open(&place), open(&place));
    let (kind, draft, _) = draft(&mut Numbers(1), 0, CANARY);
    let id = store.add(kind, vec![draft], None, &unlimited()).unwrap()[0].id;
    let pinned = other.database().read(&unlimited()).unwrap();
    let call = Call::unlimited().with_timeout(Duration::from_millis(300));
    let error = store.purge(kind, &[id], &call).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Locked, "{error:?}");
    assert!(error.message().contains("gone") && error.hint().contains("again"), "{error:?} {}", error.hint());
    assert_eq!(code(store.get(None, &Locator::Id(id), &unlimited())), ErrorCode::NotFound);
    assert!(holds(&files(&place.path()), NEEDLE), "that is what was told");
    drop(pinned);
    let purged = store.purge(kind, &[id], &unlimited()).unwrap();
    assert_eq!((purged[0].id, purged[0].versions, purged[0].chunks), (id, 0, 0));
    assert!(!holds(&files(&place.path()), NEEDLE));
}
