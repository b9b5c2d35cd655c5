//! Vectors of one space only: whoever comes with another is refused, and whoever comes with none can fill them in later.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use std::sync::Arc;

use recollect_engine::Store;
use recollect_model::{AddWarning, ErrorCode, Kind, Query, Result, Scope, SearchAnswer, Space, Subject};
use support::{
    DIMENSION, Place, WordEmbedder, add, assert_sound, code, doc, rule, seq, set_text, space, try_add, unlimited,
};

fn open_as(place: &Place, space: Space, require_space: bool) -> Result<Store> {
    place.open_with(|options| {
        options.embedder = Some(Arc::new(WordEmbedder::of(space)));
        options.require_space = require_space;
    })
}

fn search(store: &Store, subject: Subject) -> Result<SearchAnswer> {
    let query = Query { subject, kinds: Vec::new(), scope: Some(Scope::Everywhere), tags: Vec::new(), k: 10 };
    store.search(&query, &unlimited())
}

fn text(text: &str) -> Subject {
    Subject::Text(text.to_owned())
}

fn hashed(byte: u8) -> Space {
    Space { weights_hash: Some([byte; 32]), ..space("words", DIMENSION) }
}

fn others() -> Vec<Space> {
    vec![
        space("words", DIMENSION + 1),
        space("other", DIMENSION),
        Space { revision: "2".to_owned(), ..space("words", DIMENSION) },
        hashed(2),
    ]
}

#[test]
fn another_space_is_refused_at_open() {
    let place = Place::new();
    let store = open_as(&place, hashed(1), true).unwrap();
    add(&store, rule("write tests first"));
    for other in others() {
        let error = open_as(&place, other.clone(), true).err().expect("refused");
        assert_eq!(error.code(), ErrorCode::Conflict, "{other:?}");
        let declared = place.open_with(|options| options.space = Some(other.clone()));
        assert_eq!(code(declared), ErrorCode::Conflict, "{other:?}");
    }
    assert_eq!(support::found(&store, "tests", Scope::Everywhere).len(), 1);
    // Where one side does not know the hash of its weights, name, revision and dimension decide.
    assert!(place.open().embeds());
}

#[test]
fn without_the_requirement_it_opens_without_the_embedder() {
    let place = Place::new();
    let store = open_as(&place, hashed(1), true).unwrap();
    let first = add(&store, rule("write tests first"));
    for other in others() {
        let opened = open_as(&place, other, false).unwrap();
        assert!(!opened.embeds());
        assert_eq!(opened.space(&unlimited()).unwrap(), Some(hashed(1)));
        assert_eq!(code(search(&opened, text("tests"))), ErrorCode::Unsupported);
        let vector = WordEmbedder::new().vector("tests");
        assert_eq!(search(&opened, Subject::Vector(vector)).unwrap().hits[0].id, first.id);
    }
}

#[test]
fn a_handle_that_is_too_late_is_refused_at_its_first_use() {
    for other in others() {
        let place = Place::new();
        let (store, late) = (open_as(&place, hashed(1), true).unwrap(), open_as(&place, other, true).unwrap());
        let first = add(&store, rule("write tests first"));
        let before = seq(&store);
        assert_eq!(code(try_add(&late, rule("commit often"))), ErrorCode::Conflict);
        assert_eq!(
            code(late.update(Kind::Rule, first.id, &set_text("x y"), None, None, &unlimited())),
            ErrorCode::Conflict
        );
        assert_eq!(code(search(&late, text("tests"))), ErrorCode::Conflict);
        assert_eq!(seq(&store), before);
        assert_sound(&store);
    }
}

#[test]
fn a_vector_of_another_dimension_is_refused() {
    let place = Place::new();
    let store = place.open();
    for dimension in [1, DIMENSION - 1, DIMENSION + 1] {
        assert_eq!(code(search(&store, Subject::Vector(vec![1.0; dimension]))), ErrorCode::InvalidInput, "empty store");
    }
    let added = add(&store, rule("write tests first"));
    let chunk = store.embeddings(&[added.id], &unlimited()).unwrap().chunks[0];
    for dimension in [0, 1, DIMENSION - 1, DIMENSION + 1, 2 * DIMENSION] {
        let vector = vec![1.0; dimension];
        assert_eq!(code(search(&store, Subject::Vector(vector.clone()))), ErrorCode::InvalidInput);
        assert_eq!(
            code(store.put_embeddings(&[chunk], &support::vectors(&vector), &unlimited())),
            ErrorCode::InvalidInput
        );
    }
    for unfit in [f32::NAN, f32::INFINITY, 0.0] {
        let mut vector = vec![0.0; DIMENSION];
        vector[3] = unfit;
        assert_eq!(code(search(&store, Subject::Vector(vector.clone()))), ErrorCode::InvalidInput);
        assert_eq!(
            code(store.put_embeddings(&[chunk], &support::vectors(&vector), &unlimited())),
            ErrorCode::InvalidInput
        );
    }
    assert_eq!(
        code(store.put_embeddings(&[chunk, 77], &support::vectors(&[1.0; 2 * DIMENSION]), &unlimited())),
        ErrorCode::NotFound
    );
    assert_eq!(seq(&store), 1);
    for k in [0, 10_001, usize::MAX] {
        let subject = Subject::Vector(vec![1.0; DIMENSION]);
        let query = Query { subject, kinds: Vec::new(), scope: None, tags: Vec::new(), k };
        assert_eq!(code(store.search(&query, &unlimited())), ErrorCode::InvalidInput);
    }
}

#[test]
fn a_space_that_cannot_be_is_refused_before_anything_is_made() {
    let place = Place::new();
    let refused = place.open_with(|options| {
        options.embedder = Some(Arc::new(WordEmbedder::new()));
        options.space = Some(space("words", DIMENSION));
    });
    assert_eq!(code(refused), ErrorCode::InvalidInput);
    for unfit in [space("words", 0), space("words", 1), space("words", 4_097), space("", 16), space("a\0b", 16)] {
        assert_eq!(code(open_as(&place, unfit.clone(), true)), ErrorCode::InvalidInput, "{unfit:?}");
        let declared = place.open_with(|options| options.space = Some(unfit.clone()));
        assert_eq!(code(declared), ErrorCode::InvalidInput, "{unfit:?}");
    }
    assert!(!place.path().exists(), "nothing was made");
}

#[test]
fn what_was_added_without_vectors_is_filled_in_later() {
    let place = Place::with_chunks_of(64);
    let store = place.open_without_embedder();
    let (first, second) = (
        "# One\n\nwrite tests first, before anything else, always and everywhere\n\n",
        "# Two\n\ncommit often, and say why in words that others can read\n",
    );
    let document = add(&store, doc(&format!("{first}{second}")));
    let single = add(&store, rule("never commit secrets"));
    assert!(document.created && document.warnings.is_empty());
    assert_eq!(store.embeddings(&[document.id, single.id], &unlimited()).unwrap().chunks, Vec::<u32>::new());
    assert_eq!(code(search(&store, text("tests"))), ErrorCode::Unsupported);
    assert_eq!(code(search(&store, Subject::Vector(vec![1.0; DIMENSION]))), ErrorCode::Unsupported);
    assert_eq!(
        code(store.put_embeddings(&[1], &support::vectors(&[1.0; DIMENSION]), &unlimited())),
        ErrorCode::InvalidInput
    );

    let missing = store.missing_embeddings(10, &unlimited()).unwrap();
    let texts: Vec<&str> = missing.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, [first, second, "never commit secrets"]);
    assert_eq!(store.missing_embeddings(1, &unlimited()).unwrap(), missing[..1]);

    let filler = place.open_with(|options| options.space = Some(space("words", DIMENSION))).unwrap();
    let embedder = WordEmbedder::new();
    let (chunk, words) = &missing[1];
    assert_eq!(filler.put_embeddings(&[*chunk], &support::vectors(&embedder.vector(words)), &unlimited()).unwrap(), 1);
    assert_eq!(filler.missing_embeddings(10, &unlimited()).unwrap(), [missing[0].clone(), missing[2].clone()]);
    for (chunk, words) in [&missing[2], &missing[0]] {
        filler.put_embeddings(&[*chunk], &support::vectors(&embedder.vector(words)), &unlimited()).unwrap();
    }
    assert_eq!(filler.missing_embeddings(10, &unlimited()).unwrap(), vec![]);

    for handle in [&store, &filler, &place.open()] {
        let answer = search(handle, Subject::Vector(embedder.vector("never commit secrets"))).unwrap();
        assert_eq!((answer.hits[0].id, answer.hits.len()), (single.id, 2));
        let answer = search(handle, Subject::Vector(embedder.vector(first))).unwrap();
        assert_eq!((answer.hits[0].id, answer.hits[0].snippet.as_str()), (document.id, first));
        assert_eq!((answer.hits[0].start, answer.hits[0].end), (0, first.chars().count() as u64));
    }
    assert_sound(&store);
}

#[test]
fn a_text_without_meaning_is_added_and_said_to_be_unfindable() {
    let place = Place::new();
    let store = place.open();
    let added = add(&store, rule("... !"));
    assert_eq!(added.warnings, [AddWarning::NotEmbedded]);
    assert_eq!(store.missing_embeddings(10, &unlimited()).unwrap().len(), 1);
    assert_eq!(code(search(&store, text("?"))), ErrorCode::InvalidInput);
}

/// What an embedder may get wrong.
struct Faulty(WordEmbedder, fn(Vec<f32>) -> Vec<f32>);

impl recollect_engine::Embedder for Faulty {
    fn space(&self) -> &Space {
        self.0.space()
    }

    fn embed_documents(&self, texts: &[&str], call: &recollect_model::Call) -> Result<Vec<f32>> {
        self.0.embed_documents(texts, call).map(self.1)
    }

    fn embed_queries(&self, texts: &[&str], call: &recollect_model::Call) -> Result<Vec<f32>> {
        self.0.embed_queries(texts, call).map(self.1)
    }
}

#[test]
fn an_embedder_that_errs_is_refused() {
    let place = Place::new();
    let faults: [fn(Vec<f32>) -> Vec<f32>; 4] = [
        |mut vectors| vectors.pop().map_or(vec![], |_| vectors),
        |vectors| [&vectors[..], &[1.0]].concat(),
        |vectors| vectors.into_iter().map(|_| f32::NAN).collect(),
        |vectors| vectors.into_iter().map(|_| f32::INFINITY).collect(),
    ];
    for fault in faults {
        let store =
            place.open_with(|options| options.embedder = Some(Arc::new(Faulty(WordEmbedder::new(), fault)))).unwrap();
        assert_eq!(code(try_add(&store, rule("write tests first"))), ErrorCode::Embedder);
        assert_eq!(code(search(&store, text("tests"))), ErrorCode::Embedder);
        assert_eq!(seq(&store), 0);
    }
}
