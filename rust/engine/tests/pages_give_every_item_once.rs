//! Going through a list page by page gives every item once, in order, whatever the order and the size of the pages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use proptest::prelude::*;
use recollect_engine::{Paging, Store};
use recollect_model::{Draft, ErrorCode, Field, Filter, Item, Kind, Order, Page, Patch, Result, Scope};
use support::{Place, add, code, doc, in_project, keyed, reference, rule, unlimited, with};

const ORDERS: [Order; 4] = [Order::Created, Order::Updated, Order::Priority, Order::Key];

fn page(store: &Store, kind: Kind, order: Order, descending: bool, limit: usize, cursor: Option<&str>) -> Result<Page> {
    store.list(kind, &Filter::default(), &Paging { order, descending, limit, cursor }, &unlimited())
}

fn pages(store: &Store, filter: &Filter, order: Order, descending: bool, limit: usize) -> Vec<Item> {
    let mut items = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let paging = Paging { order, descending, limit, cursor: cursor.as_deref() };
        let page = store.list(Kind::Rule, filter, &paging, &unlimited()).unwrap();
        assert!(page.items.len() <= limit);
        assert!(page.next_cursor.is_none() || page.items.len() == limit, "a page that is not full is the last");
        items.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return items;
        }
    }
}

/// The items as a list in that order has them; those that are equal in it by age.
fn sorted(items: &[Item], order: Order, descending: bool) -> Vec<Item> {
    let mut items = items.to_vec();
    match order {
        Order::Created => {}
        Order::Updated => items.sort_by_key(|item| item.updated_at),
        Order::Priority => items.sort_by_key(|item| item.fields.priority),
        Order::Key => items.sort_by_key(|item| item.fields.key.clone().unwrap_or_default()),
    }
    if descending {
        items.reverse();
    }
    items
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_item_once(
        drafts in prop::collection::vec((0..3_i64, prop::option::of("[a-b]{1,2}|é|Z"), 0..3_usize, any::<bool>()), 0..24),
        updated in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        limit in 1..9_usize,
    ) {
        let place = Place::new();
        let store = place.open();
        for (number, (priority, key, project, is_late)) in drafts.into_iter().enumerate() {
            place.clock.advance_micros(i64::from(is_late));
            let project = ["", "acme", "acme/web"][project];
            let draft = with(in_project(rule(&format!("rule {number}")), project), |fields| {
                fields.priority = priority;
                fields.key = key.map(|key| format!("{key}{}", number % 3));
            });
            // A key that is taken in its project is not what is tested here.
            drop(support::try_add(&store, draft));
        }
        let created = support::all(&store, Kind::Rule);
        for (round, item) in updated.iter().enumerate().filter(|_| !created.is_empty()) {
            place.clock.advance_micros(1);
            let patch = Patch { source: Field::Set(format!("{round}")), ..Patch::default() };
            store.update(Kind::Rule, item.get(&created).id, &patch, None, None, &unlimited()).unwrap();
        }
        let filters = [
            Filter::default(),
            Filter { scope: Some(Scope::Subtree("acme".to_owned())), ..Filter::default() },
            Filter { key_prefix: Some("a".to_owned()), ..Filter::default() },
        ];
        for filter in filters {
            let items = support::all_of(&store, Kind::Rule, &filter);
            prop_assert_eq!(store.count(Kind::Rule, &filter, &unlimited()).unwrap(), items.len() as u64);
            for order in ORDERS {
                for descending in [false, true] {
                    let found = pages(&store, &filter, order, descending, limit);
                    prop_assert_eq!(&found, &sorted(&items, order, descending));
                }
            }
        }
    }
}

#[test]
fn filters_choose_what_they_say() {
    let place = Place::new();
    let store = place.open();
    store.create_channel("board", &unlimited()).unwrap();
    let tagged = |draft: Draft, tags: &[&str]| {
        with(draft, |fields| fields.tags = tags.iter().map(|tag| (*tag).to_owned()).collect())
    };
    add(&store, tagged(rule("red"), &["red"]));
    add(&store, tagged(rule("both"), &["red", "blue"]));
    add(&store, with(rule("channel"), |fields| fields.channel = Some("board".to_owned())));
    add(&store, with(rule("tier"), |fields| fields.tier = Some("public".to_owned())));
    add(&store, with(rule("source"), |fields| fields.source = Some("a%".to_owned())));
    add(&store, with(rule("trust"), |fields| fields.trust = Some("untrusted".to_owned())));
    add(&store, in_project(rule("root of acme"), "acme"));
    add(&store, in_project(rule("below acme"), "acme/web"));
    add(&store, in_project(rule("beside acme"), "acme-two"));
    add(&store, keyed(rule("percent"), "a%b"));
    add(&store, keyed(rule("other"), "aXb"));
    let texts = |filter: Filter| -> Vec<String> {
        let found = support::all_of(&store, Kind::Rule, &filter);
        assert_eq!(store.count(Kind::Rule, &filter, &unlimited()).unwrap(), found.len() as u64);
        found.iter().map(|item| support::text_of(item).to_owned()).collect()
    };
    let named = |name: &str| Some(name.to_owned());
    let tags = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
    assert_eq!(texts(Filter { tags: tags(&["red"]), ..Filter::default() }), ["red", "both"]);
    assert_eq!(texts(Filter { tags: tags(&["red", "blue"]), ..Filter::default() }), ["both"]);
    assert_eq!(texts(Filter { tags: tags(&["red", "unknown"]), ..Filter::default() }), Vec::<String>::new());
    assert_eq!(texts(Filter { channel: named("board"), ..Filter::default() }), ["channel"]);
    assert_eq!(texts(Filter { tier: named("public"), ..Filter::default() }), ["tier"]);
    assert_eq!(texts(Filter { source: named("a%"), ..Filter::default() }), ["source"]);
    assert_eq!(texts(Filter { trust: Some(recollect_model::Trust::Untrusted), ..Filter::default() }), ["trust"]);
    assert_eq!(texts(Filter { key_prefix: named("a%"), ..Filter::default() }), ["percent"]);
    let scope = |scope: &str| Filter { scope: Some(Scope::parse(scope).unwrap()), ..Filter::default() };
    assert_eq!(texts(scope("acme")), ["root of acme"]);
    assert_eq!(texts(scope("acme/*")), ["root of acme", "below acme"]);
    assert_eq!(texts(scope("*")).len(), 11);
    assert_eq!(texts(scope("nowhere")), Vec::<String>::new());
    for always_on in [true, false] {
        let filter = Filter { always_on: Some(always_on), ..Filter::default() };
        assert_eq!(texts(filter.clone()).len(), if always_on { 0 } else { 11 });
        assert_eq!(code(store.count(Kind::Doc, &filter, &unlimited())), ErrorCode::InvalidInput);
    }
    add(&store, reference("src/main.rs:10", "where it begins"));
    let prefix = |prefix: &str| Filter { path_prefix: Some(prefix.to_owned()), ..Filter::default() };
    assert_eq!(store.count(Kind::Ref, &prefix("src/"), &unlimited()).unwrap(), 1);
    assert_eq!(store.count(Kind::Ref, &prefix("src/_"), &unlimited()).unwrap(), 0);
    assert_eq!(code(store.count(Kind::Rule, &prefix("src/"), &unlimited())), ErrorCode::InvalidInput);
}

#[test]
fn a_cursor_of_another_list_is_refused() {
    let (place, other_place) = (Place::new(), Place::new());
    let (store, other_store) = (place.open(), other_place.open());
    for store in [&store, &other_store] {
        for number in 0..3 {
            add(store, keyed(rule(&format!("rule {number}")), &format!("key{number}")));
            add(store, doc(&format!("doc {number}")));
        }
    }
    for order in ORDERS {
        let cursor = page(&store, Kind::Rule, order, false, 1, None).unwrap().next_cursor.unwrap();
        assert_eq!(page(&store, Kind::Rule, order, false, 5, Some(&cursor)).unwrap().items.len(), 2);
        let refuse = |store: &Store, kind: Kind, order: Order, descending: bool, cursor: &str| {
            let result = page(store, kind, order, descending, 5, Some(cursor));
            assert_eq!(code(result), ErrorCode::InvalidInput, "{cursor}");
        };
        refuse(&other_store, Kind::Rule, order, false, &cursor);
        refuse(&store, Kind::Doc, order, false, &cursor);
        refuse(&store, Kind::Rule, order, true, &cursor);
        for other in ORDERS.into_iter().filter(|other| *other != order) {
            refuse(&store, Kind::Rule, other, false, &cursor);
        }
        for place in 0..cursor.len() {
            let mut changed = cursor.clone().into_bytes();
            changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
            refuse(&store, Kind::Rule, order, false, std::str::from_utf8(&changed).unwrap());
            refuse(&store, Kind::Rule, order, false, &cursor[..place]);
        }
        let long = "00".repeat(10_000);
        for nonsense in ["zz", "é", "💥💥", "+1", long.as_str(), "0000000000000000"] {
            refuse(&store, Kind::Rule, order, false, nonsense);
        }
    }
    for limit in [0, 10_001, usize::MAX] {
        assert_eq!(code(page(&store, Kind::Rule, Order::Created, false, limit, None)), ErrorCode::InvalidInput);
    }
}
