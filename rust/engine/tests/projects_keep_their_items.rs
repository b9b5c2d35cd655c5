//! A project that gets another path keeps its items; what cannot be done changes nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use std::collections::HashMap;

use recollect_engine::{Locator, Store};
use recollect_model::{ErrorCode, Field, Filter, ItemId, Kind, Patch, Scope, limits};
use support::{Place, add, assert_sound, code, doc, found, get, in_project, keyed, reference, rule, seq, unlimited};

const PATHS: [&str; 6] = ["", "acme", "acme/web", "acme/web/ui", "acme-two", "beta"];

/// One rule in each project, known to each of some handles.
fn filled(place: &Place) -> (Store, Store, HashMap<&'static str, ItemId>) {
    let (store, other) = (place.open(), place.open());
    let ids = PATHS.iter().map(|path| {
        let draft = in_project(rule(&format!("the rule of {path:?}, which is a project")), path);
        (*path, add(&store, keyed(draft, "rule")).id)
    });
    let ids = ids.collect();
    assert_eq!(search(&other, "acme/web").len(), 3);
    (store, other, ids)
}

/// What a search in a project and its ancestors finds, in the order of creation.
fn search(store: &Store, path: &str) -> Vec<ItemId> {
    let mut ids = found(store, "the rule of a project", Scope::Project(path.to_owned()));
    ids.sort_unstable();
    ids
}

fn paths(store: &Store) -> Vec<String> {
    store.projects(&unlimited()).unwrap().into_iter().map(|project| project.path).collect()
}

#[test]
fn a_renamed_project_takes_along_what_is_below_it() {
    let place = Place::new();
    let (store, other, ids) = filled(&place);
    assert_eq!(store.rename_project("acme", "söhne", &unlimited()).unwrap(), "söhne");
    for handle in [&store, &other, &place.open()] {
        assert_eq!(paths(handle), ["", "acme-two", "beta", "söhne", "söhne/web", "söhne/web/ui"]);
        assert_eq!(search(handle, "söhne/web"), [ids[""], ids["acme"], ids["acme/web"]]);
        assert_eq!(search(handle, "acme/web"), [ids[""]]);
        assert_eq!(get(handle, ids["acme/web/ui"]).fields.project, "söhne/web/ui");
        let locator = Locator::Key { key: "rule".to_owned(), project: Some("söhne/web/ui/deep".to_owned()) };
        assert_eq!(handle.get(Some(Kind::Rule), &locator, &unlimited()).unwrap().id, ids["acme/web/ui"]);
    }
    assert_eq!(get(&store, ids["acme"]).version, 1, "the items themselves did not change");
    assert_eq!(store.rename_project("söhne", "acme", &unlimited()).unwrap(), "acme");
    assert_eq!(search(&other, "acme/web"), [ids[""], ids["acme"], ids["acme/web"]]);
    assert_sound(&store);
}

#[test]
fn a_moved_project_is_found_from_its_new_parent() {
    let place = Place::new();
    let (store, other, ids) = filled(&place);
    assert_eq!(store.move_project("acme/web", "beta", &unlimited()).unwrap(), "beta/web");
    for handle in [&other, &store] {
        assert_eq!(search(handle, "beta/web/ui"), [ids[""], ids["acme/web"], ids["acme/web/ui"], ids["beta"]]);
        assert_eq!(search(handle, "acme/web/ui"), [ids[""], ids["acme"]]);
    }
    assert_eq!(store.move_project("beta/web", "", &unlimited()).unwrap(), "web");
    assert_eq!(search(&other, "web/ui"), [ids[""], ids["acme/web"], ids["acme/web/ui"]]);
    // A parent that was never used is as good as another.
    assert_eq!(store.move_project("web", "new/one", &unlimited()).unwrap(), "new/one/web");
    assert_eq!(search(&other, "new/one/web"), [ids[""], ids["acme/web"]]);
    assert_sound(&store);
}

#[test]
fn what_cannot_be_done_changes_nothing() {
    let place = Place::new();
    let (store, other, _) = filled(&place);
    let deep = "d/".repeat(limits::PROJECT_DEPTH - 3) + "d";
    add(&store, in_project(rule("so deep that little fits below"), &deep));
    let long = format!("{}/{}", "l".repeat(250), "l".repeat(limits::PROJECT - 251 - "/acme/web".len()));
    let (before, projects) = (seq(&store), paths(&store));
    let rename = |path: &str, name: &str, expected| {
        assert_eq!(code(store.rename_project(path, name, &unlimited())), expected, "{path:?} to {name:?}");
    };
    let r#move = |path: &str, parent: &str, expected| {
        assert_eq!(code(store.move_project(path, parent, &unlimited())), expected, "{path:?} to {parent:?}");
    };
    rename("acme", "beta", ErrorCode::AlreadyExists);
    rename("acme", "b/c", ErrorCode::InvalidInput);
    rename("acme", "", ErrorCode::InvalidInput);
    rename("acme/web", "", ErrorCode::InvalidInput);
    rename("acme", " ", ErrorCode::InvalidInput);
    rename("acme", "..", ErrorCode::InvalidInput);
    rename("", "root", ErrorCode::InvalidInput);
    rename("nowhere", "somewhere", ErrorCode::NotFound);
    rename("acme/we", "somewhere", ErrorCode::NotFound);
    r#move("acme", "acme", ErrorCode::InvalidInput);
    r#move("acme", "acme/web", ErrorCode::InvalidInput);
    r#move("acme", "acme/new/one", ErrorCode::InvalidInput);
    r#move("", "acme", ErrorCode::InvalidInput);
    r#move("acme", &deep, ErrorCode::InvalidInput);
    // The project itself fits there, what is below it does not.
    r#move("acme", &long, ErrorCode::InvalidInput);
    r#move("nowhere", "beta", ErrorCode::NotFound);
    r#move("acme", "beta//x", ErrorCode::InvalidInput);
    assert_eq!((seq(&store), paths(&store)), (before, projects.clone()));
    assert_eq!(paths(&other), projects);
    // "acme-two" begins like "acme" and is another project.
    assert_eq!(store.rename_project("acme", "acne", &unlimited()).unwrap(), "acne");
    assert!(paths(&store).contains(&"acme-two".to_owned()));
}

#[test]
fn a_path_that_is_its_own_already_is_no_change() {
    let place = Place::new();
    let (store, ..) = filled(&place);
    let before = seq(&store);
    assert_eq!(store.rename_project("acme/web", "web", &unlimited()).unwrap(), "acme/web");
    assert_eq!(store.move_project("acme/web", "acme", &unlimited()).unwrap(), "acme/web");
    assert_eq!(seq(&store), before);
}

#[test]
fn a_deleted_project_takes_its_own_items_and_with_recursive_all_below() {
    let place = Place::new();
    let (store, other, ids) = filled(&place);
    add(&store, in_project(doc("# A doc\n\nof the project"), "acme/web"));
    add(&store, in_project(reference("src/main.rs", "a ref of the project"), "acme/web/ui"));
    let before = seq(&store);
    assert_eq!(code(store.delete_project("acme", false, &unlimited())), ErrorCode::Conflict);
    assert_eq!(code(store.delete_project("nowhere", true, &unlimited())), ErrorCode::NotFound);
    assert_eq!(code(store.delete_project("acme/", true, &unlimited())), ErrorCode::InvalidInput);
    assert_eq!(
        (seq(&store), paths(&store)),
        (
            before,
            PATHS.map(str::to_owned).iter().fold(Vec::new(), |mut sorted, path| {
                sorted.push(path.clone());
                sorted.sort();
                sorted
            })
        )
    );

    assert_eq!(store.delete_project("acme/web", true, &unlimited()).unwrap(), 4);
    assert_eq!(seq(&store), before + 1, "one commit");
    assert_eq!(paths(&store), ["", "acme", "acme-two", "beta"]);
    assert_eq!(search(&other, "acme/web/ui"), [ids[""], ids["acme"]]);
    // Nothing live is below it any more.
    assert_eq!(store.delete_project("acme", false, &unlimited()).unwrap(), 1);
    store.restore(Kind::Rule, ids["acme/web/ui"], &unlimited()).unwrap();
    assert_eq!(search(&other, "acme/web/ui"), [ids[""], ids["acme/web/ui"]]);
    assert_eq!(store.count(Kind::Rule, &Filter { deleted: true, ..Filter::default() }, &unlimited()).unwrap(), 2);
    assert_sound(&store);
}

#[test]
fn counts_are_those_of_live_items() {
    let place = Place::new();
    let (store, _, ids) = filled(&place);
    add(&store, in_project(doc("# A doc\n\nof the project"), "acme/web"));
    add(&store, in_project(reference("src/main.rs", "a ref of the project"), "acme/web"));
    store.delete(Kind::Rule, ids["beta"], None, &unlimited()).unwrap();
    let projects = store.projects(&unlimited()).unwrap();
    let web = projects.iter().find(|project| project.path == "acme/web").unwrap();
    assert_eq!((web.rules, web.docs, web.refs), (1, 1, 1));
    assert!(projects.iter().all(|project| project.path != "beta"));
}

#[test]
fn a_path_whose_items_moved_away_is_free() {
    let place = Place::new();
    let (store, _, ids) = filled(&place);
    let patch = Patch { project: Field::Set("beta".to_owned()), key: Field::Unset, ..Patch::default() };
    store.update(Kind::Rule, ids["acme-two"], &patch, None, None, &unlimited()).unwrap();
    assert_eq!(store.rename_project("acme", "acme-two", &unlimited()).unwrap(), "acme-two");
    assert_eq!(get(&store, ids["acme/web"]).fields.project, "acme-two/web");
    assert_sound(&store);
}

#[test]
fn a_project_can_take_the_place_of_its_empty_parent() {
    let place = Place::new();
    let store = place.open();
    let id = add(&store, in_project(rule("a rule of the inner project, alone"), "a/a")).id;
    assert_eq!(store.move_project("a/a", "", &unlimited()).unwrap(), "a");
    assert_eq!(get(&store, id).fields.project, "a");
}

#[test]
fn a_revert_stays_in_the_renamed_project() {
    let place = Place::new();
    let (store, _, ids) = filled(&place);
    let id = ids["acme/web"];
    let patch = Patch { text: Field::Set("another text of this very rule".to_owned()), ..Patch::default() };
    store.update(Kind::Rule, id, &patch, None, None, &unlimited()).unwrap();
    store.rename_project("acme", "zenith", &unlimited()).unwrap();
    let item = store.revert(Kind::Rule, id, 1, None, &unlimited()).unwrap();
    assert_eq!(item.fields.project, "zenith/web");
    assert!(!paths(&store).contains(&"acme/web".to_owned()));
}
