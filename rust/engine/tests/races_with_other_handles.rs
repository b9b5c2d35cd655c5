//! What another handle does between the reading and the writing of a call is not undone by it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use std::sync::{Arc, Mutex};

use recollect_engine::{Embedder, Store};
use recollect_model::{AddWarning, Call, Draft, DraftContent, DraftFields, Field, Kind, Patch, Result, Scope, Space};
use support::{Place, WordEmbedder, add, assert_sound, found, get, in_project, rule, unlimited};

/// Runs something while documents are embedded, once.
struct Meanwhile {
    inner: WordEmbedder,
    action: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Embedder for Meanwhile {
    fn space(&self) -> &Space {
        self.inner.space()
    }

    fn embed_documents(&self, texts: &[&str], call: &Call) -> Result<Vec<f32>> {
        let action = self.action.lock().unwrap().take();
        if let Some(action) = action {
            action();
        }
        self.inner.embed_documents(texts, call)
    }

    fn embed_queries(&self, texts: &[&str], call: &Call) -> Result<Vec<f32>> {
        self.inner.embed_queries(texts, call)
    }
}

/// A handle that does something on another handle while it embeds.
fn with_action(place: &Place) -> (Store, Arc<Meanwhile>) {
    let embedder = Arc::new(Meanwhile { inner: WordEmbedder::new(), action: Mutex::new(None) });
    let given = Arc::clone(&embedder) as Arc<dyn Embedder>;
    (place.open_with(|options| options.embedder = Some(given)).unwrap(), embedder)
}

#[test]
fn an_update_does_not_undo_a_rename() {
    let place = Place::new();
    let (store, embedder) = with_action(&place);
    let id = add(&store, in_project(rule("the first text of it"), "old/x")).id;
    let other = place.open();
    *embedder.action.lock().unwrap() = Some(Box::new(move || {
        other.rename_project("old/x", "y", &unlimited()).unwrap();
    }));
    let patch = Patch { text: Field::Set("another text for it".to_owned()), ..Patch::default() };
    let item = store.update(Kind::Rule, id, &patch, None, None, &unlimited()).unwrap();
    assert_eq!(item.fields.project, "old/y");
    let paths: Vec<_> = store.projects(&unlimited()).unwrap().into_iter().map(|project| project.path).collect();
    assert_eq!(paths, ["old/y"]);
    assert_sound(&store);
}

#[test]
fn adding_again_gives_an_item_the_vector_it_lacks() {
    let place = Place::new();
    let plain = place.open_without_embedder();
    let id = add(&plain, rule("a rule about rivers")).id;
    let store = place.open();
    assert!(found(&store, "rivers", Scope::Everywhere).is_empty());
    let again = add(&store, rule("a rule about rivers"));
    assert_eq!((again.id, again.created), (id, false));
    assert_eq!(found(&store, "rivers", Scope::Everywhere), [id]);
    assert_sound(&store);
}

#[test]
fn an_item_without_a_vector_is_told_where_there_is_a_space() {
    let place = Place::new();
    let store = place.open();
    add(&store, rule("a rule about rivers"));
    let plain = place.open_without_embedder();
    let added = add(&plain, rule("another one on mountains"));
    assert_eq!(added.warnings, [AddWarning::NotEmbedded]);
}

#[test]
fn adding_a_ref_again_tells_which_fields_it_kept() {
    let place = Place::new();
    let store = place.open();
    let draft = |state: Option<&str>| Draft {
        fields: DraftFields::default(),
        content: DraftContent::Ref {
            target: "https://example.org/page".to_owned(),
            target_kind: None,
            note: "a page".to_owned(),
            checked_at: None,
            state: state.map(str::to_owned),
        },
    };
    let add = |state| store.add(Kind::Ref, vec![draft(state)], None, &unlimited()).unwrap().remove(0);
    add(None);
    assert_eq!(add(None).warnings, []);
    assert_eq!(add(Some("stale")).warnings, [AddWarning::FieldsKept { fields: vec!["state"] }]);
}

#[test]
fn a_title_told_from_the_text_goes_with_the_text() {
    let place = Place::new();
    let store = place.open();
    let draft = |title: Option<&str>, text: &str| Draft {
        fields: DraftFields::default(),
        content: DraftContent::Doc {
            text: text.to_owned(),
            path: None,
            title: title.map(str::to_owned),
            media_type: None,
        },
    };
    let title = |id| match get(&store, id).content {
        recollect_model::Content::Doc(doc) => doc.title,
        _ => None,
    };
    let add = |draft| store.add(Kind::Doc, vec![draft], None, &unlimited()).unwrap().remove(0).id;
    let (told, given) = (add(draft(None, "# Old\n\nfirst words")), add(draft(Some("Mine"), "# Old\n\nother words")));
    let patch = Patch { text: Field::Set("# New\n\nmore words".to_owned()), ..Patch::default() };
    for id in [told, given] {
        store.update(Kind::Doc, id, &patch, None, None, &unlimited()).unwrap();
    }
    assert_eq!((title(told).as_deref(), title(given).as_deref()), (Some("New"), Some("Mine")));
    let unset = Patch { title: Field::Unset, ..Patch::default() };
    store.update(Kind::Doc, given, &unset, None, None, &unlimited()).unwrap();
    assert_eq!(title(given).as_deref(), Some("New"));
}
