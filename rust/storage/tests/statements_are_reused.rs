//! A statement that is used again takes its new values, also while it is running, and the number kept is bounded.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use recollect_storage::params;
use support::{Place, insert, make_table, stored, unlimited};

#[test]
fn one_two_three_stores_one_two_three() {
    let place = Place::new();
    let store = place.open();
    make_table(&store);
    store.write(&unlimited(), |transaction| (1..=3).try_for_each(|n| insert(transaction, n).map(|_| ()))).unwrap();
    store.write(&unlimited(), |transaction| insert(transaction, 4)).unwrap();
    assert_eq!(stored(&store), [1, 2, 3, 4]);
}

#[test]
fn a_query_may_run_inside_itself() {
    let place = Place::new();
    let store = place.open();
    make_table(&store);
    store.write(&unlimited(), |transaction| (1..=3).try_for_each(|n| insert(transaction, n).map(|_| ()))).unwrap();
    let snapshot = store.read(&unlimited()).unwrap();
    let above = "SELECT n FROM numbers WHERE n > ?1 ORDER BY n";
    let mut pairs = Vec::new();
    snapshot
        .for_each(above, params![0], |outer| {
            let outer = outer.integer(0)?;
            snapshot.for_each(above, params![outer], |inner| {
                pairs.push((outer, inner.integer(0)?));
                Ok(())
            })
        })
        .unwrap();
    assert_eq!(pairs, [(1, 2), (1, 3), (2, 3)]);
}

#[test]
fn a_statement_left_early_starts_anew() {
    let place = Place::new();
    let store = place.open();
    let snapshot = store.read(&unlimited()).unwrap();
    let query = "SELECT value FROM (SELECT ?1 AS value UNION ALL SELECT ?1 + 1)";
    for n in 0..3_i64 {
        assert_eq!(snapshot.query_one(query, params![n], |row| row.integer(0)).unwrap(), Some(n));
    }
    assert_eq!(snapshot.query(query, params![9], |row| row.integer(0)).unwrap(), [9, 10]);
}

#[test]
fn many_different_statements_all_answer() {
    let place = Place::new();
    let store = place.open();
    let snapshot = store.read(&unlimited()).unwrap();
    for _ in 0..2 {
        for n in 0..400_i64 {
            let found = snapshot.query_one_dynamic(&format!("SELECT {n} + ?1"), params![1], |row| row.integer(0));
            assert_eq!(found.unwrap(), Some(n + 1));
        }
    }
}
