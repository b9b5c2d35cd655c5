//! A call that is cancelled, or runs out of time, leaves the store as it was, and the store goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use recollect_engine::{Embedder, Store};
use recollect_model::{Call, CancelToken, ErrorCode, Interrupt, Kind, Query, Result, Space, Subject};
use support::{DIMENSION, Place, WordEmbedder, add, assert_sound, code, get, rule, seq, set_text, unlimited};

/// An embedder that does something else before it embeds, and does not look at the limits of the call itself.
struct Distracted {
    words: WordEmbedder,
    is_on: AtomicBool,
    distraction: Box<dyn Fn() + Send + Sync>,
}

impl Embedder for Distracted {
    fn space(&self) -> &Space {
        self.words.space()
    }

    fn embed_documents(&self, texts: &[&str], call: &Call) -> Result<Vec<f32>> {
        if self.is_on.load(Ordering::SeqCst) {
            (self.distraction)();
        }
        self.words.embed_documents(texts, call)
    }

    fn embed_queries(&self, texts: &[&str], call: &Call) -> Result<Vec<f32>> {
        self.embed_documents(texts, call)
    }
}

/// A store with an item in it, whose embedder from then on does what `distraction` says.
fn distracted(place: &Place, distraction: impl Fn() + Send + Sync + 'static) -> Store {
    let embedder = Arc::new(Distracted {
        words: WordEmbedder::new(),
        is_on: AtomicBool::new(false),
        distraction: Box::new(distraction),
    });
    let given = Arc::clone(&embedder);
    let store = place.open_with(|options| options.embedder = Some(given)).unwrap();
    add(&store, rule("the first rule"));
    embedder.is_on.store(true, Ordering::SeqCst);
    store
}

/// Whatever calls the embedder fails as expected and changes nothing; without limits the store goes on.
fn check(store: &Store, call: impl Fn() -> Call, expected: ErrorCode) {
    let id = support::all(store, Kind::Rule)[0].id;
    let batch: Vec<_> = (0..300).map(|number| rule(&format!("rule {number} of many"))).collect();
    assert_eq!(code(store.add(Kind::Rule, batch, None, &call())), expected);
    assert_eq!(code(store.update(Kind::Rule, id, &set_text("another text"), None, None, &call())), expected);
    let query = |subject| Query { subject, kinds: Vec::new(), scope: None, tags: Vec::new(), k: 3 };
    assert_eq!(code(store.search(&query(Subject::Text("the first rule".to_owned())), &call())), expected);
    assert_eq!(seq(store), 1);
    assert_eq!(support::text_of(&get(store, id)), "the first rule");
    assert_sound(store);
    add(store, rule("a rule that comes after"));
    assert_eq!(store.search(&query(Subject::Text("rule".to_owned())), &unlimited()).unwrap().hits.len(), 2);
}

#[test]
fn a_slow_embedder_runs_out_of_time() {
    let place = Place::new();
    let store = distracted(&place, || thread::sleep(Duration::from_millis(60)));
    let began = Instant::now();
    check(&store, || unlimited().with_timeout(Duration::from_millis(30)), ErrorCode::Timeout);
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_cancel_during_the_embedding_stops_the_call() {
    let place = Place::new();
    let cancel = CancelToken::default();
    let inner = cancel.clone();
    let store = distracted(&place, move || inner.cancel());
    check(&store, || unlimited().with_cancel(cancel.clone()), ErrorCode::Cancelled);
}

struct AtOnce;

impl Interrupt for AtOnce {
    fn is_interrupted(&self) -> bool {
        true
    }
}

#[test]
fn an_interrupt_stops_the_call() {
    let place = Place::new();
    let store = distracted(&place, || {});
    check(&store, || unlimited().with_interrupt(Arc::new(AtOnce)), ErrorCode::Cancelled);
}

#[test]
fn a_call_that_is_over_before_it_begins_does_nothing() {
    let place = Place::new();
    let store = place.open();
    let id = add(&store, rule("the first rule")).id;
    let chunk = store.embeddings(&[id], &unlimited()).unwrap().chunks[0];
    let cancel = CancelToken::default();
    cancel.cancel();
    let calls = [
        (unlimited().with_cancel(cancel), vec![ErrorCode::Cancelled]),
        // A wait for the guard that ends with the call's time says so in its own words.
        (unlimited().with_timeout(Duration::ZERO), vec![ErrorCode::Timeout, ErrorCode::Locked]),
    ];
    for (call, expected) in calls {
        let codes = [
            code(store.add(Kind::Rule, vec![rule("another rule")], None, &call)),
            code(store.update(Kind::Rule, id, &set_text("another text"), None, None, &call)),
            code(store.delete(Kind::Rule, id, None, &call)),
            code(store.revert(Kind::Rule, id, 1, None, &call)),
            code(store.put_embeddings(&[chunk], &support::vectors(&[1.0; DIMENSION]), &call)),
            code(store.delete_project("", true, &call)),
            code(store.create_channel("board", &call)),
        ];
        assert!(codes.iter().all(|code| expected.contains(code)), "{codes:?}");
    }
    assert_eq!(seq(&store), 1);
    assert_eq!(store.channels(&unlimited()).unwrap(), Vec::<String>::new());
    assert_eq!(get(&store, id).version, 1);
    store.delete(Kind::Rule, id, None, &unlimited()).unwrap();
}
