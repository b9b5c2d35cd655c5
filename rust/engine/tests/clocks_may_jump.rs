//! A clock that goes back, leaps ahead or stands at the end of time breaks nothing: the order of what happened is that
//! of the numbers of commits, never that of times.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use proptest::prelude::*;
use recollect_engine::Paging;
use recollect_model::{ErrorCode, Filter, Kind, Order, Scope, Timestamp};
use support::{Place, START, add, assert_sound, code, found, get, rule, set_text, text_of, unlimited, with};

const DAY: i64 = 86_400_000_000;
const WINDOW_MICROS: i64 = 30 * DAY;

fn set(place: &Place, time: Timestamp) {
    let now = recollect_model::Clock::now(&*place.clock);
    place.clock.advance_micros(time.0 - now.0);
}

#[test]
fn versions_are_in_the_order_in_which_they_were_made() {
    let place = Place::new();
    let store = place.open();
    let id = add(&store, rule("text 0")).id;
    let jumps = [-DAY, 400 * DAY, -800 * DAY, 0, DAY];
    for (number, micros) in (1..).zip(jumps) {
        place.clock.advance_micros(micros);
        store.update(Kind::Rule, id, &set_text(&format!("text {number}")), None, None, &unlimited()).unwrap();
    }
    let versions = store.history(Kind::Rule, id, &unlimited()).unwrap();
    let texts: Vec<_> = versions.iter().map(|version| text_of(&version.item).to_owned()).collect();
    assert_eq!(texts, ["text 0", "text 1", "text 2", "text 3", "text 4", "text 5"]);
    assert!(versions.windows(2).all(|two| two[0].seq < two[1].seq && two[0].item.version < two[1].item.version));
    assert_eq!(get(&store, id).created_at, START);
    assert_eq!(text_of(&store.revert(Kind::Rule, id, 2, None, &unlimited()).unwrap()), "text 1");
    assert_eq!(found(&store, "text", Scope::Everywhere), [id]);
    assert_sound(&store);
}

#[test]
fn what_was_deleted_in_a_future_that_was_none_can_be_restored() {
    let place = Place::new();
    let store = place.open();
    let id = add(&store, rule("a rule that comes back")).id;
    place.clock.advance_micros(1_000 * DAY);
    let deleted = store.delete(Kind::Rule, id, None, &unlimited()).unwrap();
    assert_eq!(deleted.undo_until, START.plus_micros(1_000 * DAY + WINDOW_MICROS));
    place.clock.advance_micros(-1_000 * DAY);
    let filter = Filter { deleted: true, ..Filter::default() };
    assert_eq!(store.count(Kind::Rule, &filter, &unlimited()).unwrap(), 1);
    assert_eq!(store.sweep(&unlimited()).unwrap(), recollect_model::Swept::default());
    assert_eq!(store.restore(Kind::Rule, id, &unlimited()).unwrap().version, 3);

    // The other way round: a leap ahead closes the window, going back opens it again.
    store.delete(Kind::Rule, id, None, &unlimited()).unwrap();
    place.clock.advance_micros(WINDOW_MICROS + 1);
    assert_eq!(code(store.restore(Kind::Rule, id, &unlimited())), ErrorCode::Conflict);
    place.clock.advance_micros(-1);
    store.restore(Kind::Rule, id, &unlimited()).unwrap();
    assert_sound(&store);
}

#[test]
fn the_ends_of_time_can_be_written_down() {
    for time in [Timestamp::MIN, Timestamp::MAX] {
        let place = Place::new();
        set(&place, time);
        let store = place.open();
        let id = add(&store, rule("a rule of that time")).id;
        store.update(Kind::Rule, id, &set_text("another rule of that time"), None, None, &unlimited()).unwrap();
        let deleted = store.delete(Kind::Rule, id, None, &unlimited()).unwrap();
        assert!(deleted.undo_until <= Timestamp::MAX);
        store.restore(Kind::Rule, id, &unlimited()).unwrap();
        let until = |micros: i64| with(rule(&format!("{micros}")), |f| f.expires_at = Some(time.plus_micros(micros)));
        add(&store, until(-1));
        add(&store, until(1));
        let live = 1 + usize::from(time == Timestamp::MIN);
        assert_eq!(store.sweep(&unlimited()).unwrap().expired, if live == 1 { 2 } else { 1 });
        assert_eq!(found(&store, "rule 1", Scope::Everywhere).len(), live);
        store.purge(Kind::Rule, &[id], &unlimited()).unwrap();
        assert_sound(&store);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_clock_does_every_commit_is_told_in_order_and_pages_hold(
        jumps in prop::collection::vec((-3_000 * DAY..3_000 * DAY, 0..4_u8), 1..25),
    ) {
        let place = Place::new();
        let store = place.open();
        let mut ids = Vec::new();
        for (number, (jump, what)) in jumps.into_iter().enumerate() {
            set(&place, START.plus_micros(jump));
            let call = unlimited();
            let before = support::seq(&store);
            let committed = match (what, ids.last().copied()) {
                (1, Some(id)) => store.update(Kind::Rule, id, &set_text(&format!("u{number}")), None, None, &call).is_ok(),
                (2, Some(id)) => store.delete(Kind::Rule, id, None, &call).is_ok(),
                (3, Some(id)) => store.restore(Kind::Rule, id, &call).is_ok(),
                _ => {
                    ids.push(add(&store, rule(&format!("rule {number}"))).id);
                    true
                }
            };
            prop_assert_eq!(support::seq(&store), before + u64::from(committed));
        }
        let told = store.changes(0, 10_000, &unlimited()).unwrap();
        prop_assert!(told.windows(2).all(|two| two[0].seq < two[1].seq));
        for order in [Order::Created, Order::Updated] {
            let mut listed = Vec::new();
            let mut cursor = None;
            loop {
                let paging = Paging { order, descending: false, limit: 2, cursor: cursor.as_deref() };
                let page = store.list(Kind::Rule, &Filter::default(), &paging, &unlimited()).unwrap();
                listed.extend(page.items.into_iter().map(|item| item.id));
                cursor = page.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            prop_assert_eq!(listed.len() as u64, store.count(Kind::Rule, &Filter::default(), &unlimited()).unwrap());
        }
        assert_sound(&store);
    }
}
