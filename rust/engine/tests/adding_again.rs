//! Equal content is added once; a key belongs to one item per kind, project and access class.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use recollect_model::{AddWarning, Draft, ErrorCode, Field, Kind, Patch};
use support::{
    Place, add, assert_sound, code, doc, get, in_project, keyed, reference, rule, seq, set_text, try_add, unlimited,
    with,
};

#[test]
fn equal_content_gives_the_item_that_is_there() {
    let place = Place::new();
    let store = place.open();
    for draft in [rule("write tests first"), doc("# Tests\n\nwrite them first"), reference("src/lib.rs", "the facade")]
    {
        let first = add(&store, draft.clone());
        assert!(first.created);
        let before = seq(&store);
        for handle in [&store, &place.open()] {
            let again = add(handle, draft.clone());
            assert!(!again.created);
            assert_eq!((again.id, again.version), (first.id, 1));
            assert_eq!(again.warnings, vec![]);
        }
        assert_eq!(seq(&store), before, "nothing was committed");
    }
}

#[test]
fn fields_that_differ_are_named_and_kept() {
    let place = Place::new();
    let store = place.open();
    let first = add(&store, with(rule("write tests first"), |fields| fields.priority = 3));
    let again = add(
        &store,
        with(rule("write tests first"), |fields| {
            fields.tags = vec!["new".to_owned()];
            fields.source = Some("elsewhere".to_owned());
        }),
    );
    assert!(!again.created);
    assert_eq!(again.warnings, [AddWarning::FieldsKept { fields: vec!["tags", "priority", "source"] }]);
    let item = get(&store, first.id);
    assert_eq!((item.fields.priority, item.fields.tags, item.fields.source), (3, vec![], None));
}

#[test]
fn content_that_differs_in_anything_is_another_item() {
    let place = Place::new();
    let store = place.open();
    let first = add(&store, rule("write tests first"));
    let globbed = Draft {
        content: recollect_model::DraftContent::Rule {
            text: "write tests first".to_owned(),
            applies_to: vec!["*.rs".to_owned()],
            modes: Vec::new(),
            always_on: false,
        },
        ..rule("")
    };
    for other in [
        rule("write tests first "),
        globbed,
        in_project(rule("write tests first"), "acme"),
        with(rule("write tests first"), |fields| fields.tier = Some("public".to_owned())),
        doc("write tests first"),
    ] {
        let added = add(&store, other);
        assert!(added.created);
        assert_ne!(added.id, first.id);
    }
}

#[test]
fn equal_items_of_one_batch_are_one_item() {
    let place = Place::new();
    let store = place.open();
    let batch = vec![rule("one rule of the batch"), rule("two rules of the batch"), rule("one rule of the batch")];
    let added = store.add(Kind::Rule, batch, None, &unlimited()).unwrap();
    assert_eq!(added.iter().map(|one| one.created).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(added[0].id, added[2].id);
    assert_eq!(seq(&store), 1);
    assert_sound(&store);
}

#[test]
fn a_key_that_is_taken_by_other_content_is_refused() {
    let place = Place::new();
    let store = place.open();
    let first = add(&store, keyed(rule("write tests first"), "tests"));
    assert!(!add(&store, keyed(rule("write tests first"), "tests")).created);
    let before = seq(&store);
    let refused = try_add(&store, keyed(rule("write no tests"), "tests")).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::AlreadyExists);
    assert!(refused.message().contains("\"tests\"") && refused.message().contains(&first.id.to_string()), "{refused}");
    assert_eq!(seq(&store), before);

    let other = add(&store, keyed(rule("write no tests at all"), "other"));
    let patch = Patch { key: Field::Set("tests".to_owned()), ..Patch::default() };
    assert_eq!(code(store.update(Kind::Rule, other.id, &patch, None, None, &unlimited())), ErrorCode::AlreadyExists);
    assert_eq!(get(&store, other.id).version, 1);
    assert_sound(&store);
}

#[test]
fn the_same_key_is_free_in_another_place() {
    let place = Place::new();
    let store = place.open();
    store.create_channel("board", &unlimited()).unwrap();
    let first = add(&store, keyed(rule("write tests first"), "tests"));
    for (number, other) in [
        in_project(rule("in another project"), "acme"),
        with(rule("in a channel"), |fields| fields.channel = Some("board".to_owned())),
        with(rule("of another tier"), |fields| fields.tier = Some("restricted".to_owned())),
        with(rule("of a tier in a channel"), |fields| {
            fields.tier = Some("restricted".to_owned());
            fields.channel = Some("board".to_owned());
        }),
        doc("of another kind"),
        reference("src/lib.rs", "of yet another kind"),
    ]
    .into_iter()
    .enumerate()
    {
        let added = add(&store, keyed(other, "tests"));
        assert!(added.created && added.id != first.id, "{number}");
    }
    assert_sound(&store);
}

#[test]
fn a_deleted_item_gives_its_key_and_its_content_free() {
    let place = Place::new();
    let store = place.open();
    let first = add(&store, keyed(rule("write tests first"), "tests"));
    store.delete(Kind::Rule, first.id, None, &unlimited()).unwrap();
    let second = add(&store, keyed(rule("write no tests"), "tests"));
    let third = add(&store, rule("write tests first"));
    assert!(second.created && third.created && third.id != first.id);

    let before = (seq(&store), store.history(Kind::Rule, first.id, &unlimited()).unwrap());
    assert_eq!(code(store.restore(Kind::Rule, first.id, &unlimited())), ErrorCode::AlreadyExists);
    assert_eq!((seq(&store), store.history(Kind::Rule, first.id, &unlimited()).unwrap()), before);
    assert_eq!(support::all(&store, Kind::Rule).len(), 2);

    store
        .update(Kind::Rule, second.id, &Patch { key: Field::Unset, ..Patch::default() }, None, None, &unlimited())
        .unwrap();
    let restored = store.restore(Kind::Rule, first.id, &unlimited()).unwrap();
    assert_eq!((restored.fields.key.as_deref(), restored.version), (Some("tests"), 3));
    assert_sound(&store);
}

#[test]
fn a_revert_to_a_key_that_is_taken_changes_nothing() {
    let place = Place::new();
    let store = place.open();
    let first = add(&store, keyed(rule("write tests first"), "tests"));
    store
        .update(Kind::Rule, first.id, &Patch { key: Field::Unset, ..Patch::default() }, None, None, &unlimited())
        .unwrap();
    add(&store, keyed(rule("write no tests"), "tests"));
    let before = seq(&store);
    assert_eq!(code(store.revert(Kind::Rule, first.id, 1, None, &unlimited())), ErrorCode::AlreadyExists);
    assert_eq!((seq(&store), get(&store, first.id).version), (before, 2));
}

#[test]
fn an_update_to_equal_content_is_no_addition() {
    let place = Place::new();
    let store = place.open();
    let first = add(&store, rule("write tests first"));
    let second = add(&store, rule("write no tests"));
    store.update(Kind::Rule, second.id, &set_text("write tests first"), None, None, &unlimited()).unwrap();
    let again = add(&store, rule("write tests first"));
    assert_eq!((again.created, again.id), (false, first.id), "the oldest of equal items is given");
}

#[test]
fn the_nearest_project_and_then_the_most_restricted_item_has_the_key() {
    let place = Place::new();
    let store = place.open();
    let at = |project: &str, tier: &str, text: &str| {
        let draft = with(in_project(rule(text), project), |fields| fields.tier = Some(tier.to_owned()));
        add(&store, keyed(draft, "tests")).id
    };
    let (root, parent) = (at("", "restricted", "of the root"), at("acme", "public", "of the parent"));
    let restricted = at("acme/web", "confidential", "confidential");
    at("acme/web", "public", "public");
    let get = |project: &str| {
        let locator = recollect_engine::Locator::Key { key: "tests".to_owned(), project: Some(project.to_owned()) };
        store.get(Some(Kind::Rule), &locator, &unlimited()).unwrap().id
    };
    assert_eq!([get("acme/web/ui"), get("acme/web"), get("acme"), get("beta")], [restricted, restricted, parent, root]);
}
