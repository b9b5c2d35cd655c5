//! A search is exact: it gives what scoring every allowed row by itself and sorting would give, on every kernel.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::collections::HashSet;
use std::time::Duration;

use proptest::prelude::*;
use recollect_model::{Call, CancelToken, ErrorCode};
use recollect_vector::{Hit, Kernel, OwnerMask, Table, normalise, top_k, top_owners};

fn unit(vector: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; vector.len()];
    normalise(vector, &mut out).unwrap();
    out
}

/// Every live and allowed row in the order of an answer.
fn ranking(table: &Table, query: &[f32], ids: impl Iterator<Item = u32>, allow: &OwnerMask) -> Vec<Hit> {
    let mut hits: Vec<Hit> = ids
        .filter_map(|id| {
            let owner = table.owner(id)?;
            let score = table.kernel().dot(query, table.get(id)?).clamp(-1.0, 1.0);
            allow.contains(owner).then_some(Hit { score, id, owner })
        })
        .collect();
    hits.sort_by(|a, b| b.score.partial_cmp(&a.score).unwrap().then(a.id.cmp(&b.id)));
    hits
}

fn first_of_each_owner(ranking: &[Hit]) -> Vec<Hit> {
    let mut seen = HashSet::new();
    ranking.iter().filter(|hit| seen.insert(hit.owner)).copied().collect()
}

fn first(hits: &[Hit], k: usize) -> Vec<Hit> {
    hits.iter().take(k).copied().collect()
}

#[derive(Debug, Clone)]
struct Case {
    dimension: usize,
    /// Owner, vector and whether the row is removed again.
    rows: Vec<(u32, Vec<f32>, bool)>,
    query: Vec<f32>,
    allowed: Vec<u32>,
    k: usize,
}

/// Few distinct components make many equal vectors, and so many equal scores.
fn component() -> impl Strategy<Value = f32> {
    prop_oneof![4 => (-2_i8..=2).prop_map(f32::from), 1 => -1.0_f32..1.0]
}

fn case() -> impl Strategy<Value = Case> {
    (prop_oneof![Just(2_usize), Just(3), Just(16), Just(33), Just(1030)], 1_u32..40).prop_flat_map(
        |(dimension, owners)| {
            let non_zero = |vector: &Vec<f32>| vector.iter().any(|component| *component != 0.0);
            let vector = || proptest::collection::vec(component(), dimension).prop_filter("a direction", non_zero);
            let most = if dimension > 1000 { 130 } else { 700 };
            let row = (0..owners, vector(), proptest::bool::weighted(0.2));
            (
                proptest::collection::vec(row, 0..most),
                vector(),
                proptest::collection::vec(0..owners, 0..60),
                prop_oneof![4 => 1_usize..20, 1 => 20_usize..800, 1 => Just(usize::MAX)],
            )
                .prop_map(move |(rows, query, allowed, k)| Case { dimension, rows, query, allowed, k })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn test_search_equals_the_sorted_scan(case in case(), all: bool) {
        let allow = if all { OwnerMask::full(40) } else { case.allowed.iter().copied().collect() };
        let query = unit(&case.query);
        for kernel in Kernel::available() {
            let mut table = Table::with_kernel(case.dimension, kernel).unwrap();
            let ids = || (0_u32..).map(|index| index * 2 + 1).take(case.rows.len());
            for (id, (owner, vector, is_removed)) in ids().zip(&case.rows) {
                table.push(id, *owner, vector).unwrap();
                if *is_removed {
                    table.remove(id);
                }
            }
            let expected = ranking(&table, &query, ids(), &allow);
            let call = Call::unlimited();
            let hits = top_k(&table, &query, case.k, &allow, &call).unwrap();
            prop_assert_eq!(hits, first(&expected, case.k), "{}", kernel.name());
            let hits = top_owners(&table, &query, case.k, &allow, &call).unwrap();
            prop_assert_eq!(hits, first(&first_of_each_owner(&expected), case.k), "{}", kernel.name());
        }
    }

    /// What a principal may not see must not be told by a score either.
    #[test]
    fn test_a_score_does_not_depend_on_what_is_hidden(case in case(), hidden in 0_u32..40) {
        let query = unit(&case.query);
        let (mut whole, mut visible) = (Table::new(case.dimension).unwrap(), Table::new(case.dimension).unwrap());
        let mut allow = OwnerMask::full(40);
        allow.remove(hidden);
        for (id, (owner, vector, _)) in (0_u32..).zip(&case.rows) {
            whole.push(id, *owner, vector).unwrap();
            if *owner != hidden {
                visible.push(id, *owner, vector).unwrap();
            }
        }
        let call = Call::unlimited();
        let masked = top_owners(&whole, &query, case.k, &allow, &call).unwrap();
        let alone = top_owners(&visible, &query, case.k, &OwnerMask::full(40), &call).unwrap();
        prop_assert_eq!(masked, alone);
    }
}

fn table_of(rows: &[(u32, u32, [f32; 2])]) -> Table {
    let mut table = Table::new(2).unwrap();
    for (id, owner, vector) in rows {
        table.push(*id, *owner, vector).unwrap();
    }
    table
}

#[test]
fn test_equal_scores_rank_by_id() {
    let table = table_of(&[(4, 1, [1.0, 0.0]), (6, 2, [2.0, 0.0]), (7, 3, [1e30, 0.0]), (9, 0, [0.0, 1.0])]);
    let hits = top_k(&table, &[1.0, 0.0], 2, &OwnerMask::full(4), &Call::unlimited()).unwrap();
    assert_eq!(hits, [Hit { score: 1.0, id: 4, owner: 1 }, Hit { score: 1.0, id: 6, owner: 2 }]);
    let hits = top_k(&table, &[0.0, -1.0], 4, &OwnerMask::full(4), &Call::unlimited()).unwrap();
    assert_eq!(hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [4, 6, 7, 9]);
}

/// Equal vectors of whatever dimension: rounding takes some of their products past one.
#[test]
fn test_a_cosine_is_at_most_one() {
    for kernel in Kernel::available() {
        let mut past_one = 0;
        for dimension in 2_u16..200 {
            let query = unit(&(0..dimension).map(|index| f32::from(index % 11) - 4.3).collect::<Vec<_>>());
            past_one += usize::from(kernel.dot(&query, &query) > 1.0);
            let mut table = Table::with_kernel(query.len(), kernel).unwrap();
            table.push(0, 0, &query).unwrap();
            let [hit] = top_k(&table, &query, 1, &OwnerMask::full(1), &Call::unlimited()).unwrap()[..] else {
                panic!()
            };
            assert!((1.0 - 1e-6..=1.0).contains(&hit.score), "{} at {dimension}: {}", kernel.name(), hit.score);
        }
        assert!(past_one > 0, "the cap of {} was not put to the test", kernel.name());
    }
}

#[test]
fn test_an_owner_with_many_good_rows_takes_one_place() {
    let table = table_of(&[(0, 5, [1.0, 0.3]), (1, 5, [1.0, 0.0]), (2, 5, [1.0, 0.1]), (3, 6, [0.0, 1.0])]);
    let hits = top_owners(&table, &[1.0, 0.0], 2, &OwnerMask::full(7), &Call::unlimited()).unwrap();
    assert_eq!(hits.iter().map(|hit| (hit.id, hit.owner)).collect::<Vec<_>>(), [(1, 5), (3, 6)]);
}

#[test]
fn test_nothing_to_rank_gives_no_hits() {
    let (empty, table, call) = (Table::new(2).unwrap(), table_of(&[(0, 0, [1.0, 0.0])]), Call::unlimited());
    for (table, k, allow) in
        [(&empty, 5, OwnerMask::full(9)), (&table, 0, OwnerMask::full(9)), (&table, 5, OwnerMask::new())]
    {
        assert_eq!(top_k(table, &[1.0, 0.0], k, &allow, &call).unwrap(), []);
        assert_eq!(top_owners(table, &[1.0, 0.0], k, &allow, &call).unwrap(), []);
    }
}

#[test]
fn test_bad_queries_are_refused_even_of_an_empty_table() {
    let bad: [&[f32]; 7] =
        [&[1.0], &[1.0, 0.0, 0.0], &[], &[f32::NAN, 0.0], &[f32::INFINITY, 0.0], &[0.0, 0.0], &[2.0, 0.0]];
    for table in [Table::new(2).unwrap(), table_of(&[(0, 0, [1.0, 0.0])])] {
        for query in bad {
            let refused = top_k(&table, query, 1, &OwnerMask::full(1), &Call::unlimited()).unwrap_err();
            assert_eq!(refused.code(), ErrorCode::InvalidInput, "{query:?}");
        }
    }
}

#[test]
fn test_a_call_that_is_over_ends_the_search() {
    let table = table_of(&[(0, 0, [1.0, 0.0])]);
    let search = |call: &Call| top_owners(&table, &[1.0, 0.0], 1, &OwnerMask::full(1), call);
    assert_eq!(search(&Call::unlimited().with_timeout(Duration::ZERO)).unwrap_err().code(), ErrorCode::Timeout);
    let cancel = CancelToken::default();
    let call = Call::unlimited().with_cancel(cancel.clone()).with_timeout(Duration::from_mins(10));
    assert_eq!(search(&call).unwrap().len(), 1);
    cancel.cancel();
    assert_eq!(search(&call).unwrap_err().code(), ErrorCode::Cancelled);
}

/// Ends the deadline of a running search as soon as the search looks at it often enough.
#[test]
fn test_a_deadline_passes_within_the_search() {
    let mut table = Table::new(256).unwrap();
    let mut vector = vec![0.0; 256];
    for id in 0_u32..40_000 {
        vector[(id % 256) as usize] += 1.0;
        table.push(id, id, &vector).unwrap();
    }
    let (query, allow) = (unit(&vector), OwnerMask::full(40_000));
    let call = Call::unlimited().with_timeout(Duration::from_micros(50));
    let refused = top_k(&table, &query, 1, &allow, &call).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Timeout);
}
