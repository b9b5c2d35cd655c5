//! A table gives back what was put in, and its clones are values of their own.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use recollect_model::ErrorCode;
use recollect_vector::{MAX_DIMENSION, Table, normalise};

fn vector(dimension: usize, id: u32) -> Vec<f32> {
    (0..dimension).map(|index| f32::from(u16::try_from((id as usize * 31 + index * 7) % 101).unwrap()) - 50.0).collect()
}

fn unit(vector: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; vector.len()];
    normalise(vector, &mut out).unwrap();
    out
}

#[test]
fn test_rows_of_many_blocks_come_back_by_id() {
    for dimension in [2, 16, 17, 256, 1025, MAX_DIMENSION] {
        let mut table = Table::new(dimension).unwrap();
        let count = if dimension > 1000 { 100 } else { 1200 };
        for id in 0..count {
            table.push(id * 3 + 5, id % 7, &vector(dimension, id)).unwrap();
        }
        assert_eq!((table.len(), table.live(), table.dimension()), (count as usize, count as usize, dimension));
        for id in 0..count {
            assert_eq!(table.get(id * 3 + 5).unwrap(), unit(&vector(dimension, id)), "{dimension}: {id}");
            assert_eq!(table.owner(id * 3 + 5), Some(id % 7));
            assert_eq!(table.get(id * 3 + 4), None);
        }
        assert_eq!(table.get(count * 3 + 5), None);
        assert_eq!(table.get(u32::MAX), None);
        assert!(table.bytes() >= count as usize * dimension * 4);
    }
}

#[test]
fn test_refused_rows_leave_the_table_as_it_was() {
    let mut table = Table::new(3).unwrap();
    table.push(10, 1, &[1.0, 2.0, 3.0]).unwrap();
    let cases: [(u32, &[f32], ErrorCode); 7] = [
        (11, &[1.0, 2.0], ErrorCode::InvalidInput),
        (11, &[1.0, 2.0, 3.0, 4.0], ErrorCode::InvalidInput),
        (11, &[0.0, 0.0, 0.0], ErrorCode::InvalidInput),
        (11, &[0.0, f32::NAN, 0.0], ErrorCode::InvalidInput),
        (11, &[0.0, f32::INFINITY, 0.0], ErrorCode::InvalidInput),
        (10, &[1.0, 2.0, 3.0], ErrorCode::Internal),
        (9, &[1.0, 2.0, 3.0], ErrorCode::Internal),
    ];
    for (id, vector, code) in cases {
        assert_eq!(table.push(id, 1, vector).unwrap_err().code(), code, "{id} {vector:?}");
        assert_eq!((table.len(), table.live(), table.get(11)), (1, 1, None));
    }
    table.push(11, 1, &[1.0, 2.0, 3.0]).unwrap();
}

#[test]
fn test_dimensions_outside_the_limits_are_refused() {
    for dimension in [0, 1, MAX_DIMENSION + 1, usize::MAX] {
        assert_eq!(Table::new(dimension).unwrap_err().code(), ErrorCode::InvalidInput);
    }
}

#[test]
fn test_sum_covers_every_row() {
    let mut table = Table::new(5).unwrap();
    assert!(table.sum().abs() < f32::MIN_POSITIVE);
    for id in 0..1000 {
        table.push(id, id, &[1.0, 0.0, 0.0, 0.0, 0.0]).unwrap();
    }
    assert!((table.sum() - 1000.0).abs() < 0.5);
}

#[derive(Debug, Clone)]
enum Step {
    Push,
    Remove(u32),
    Restore(u32),
    Clone,
    Swap,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Push),
        2 => (0_u32..80).prop_map(Step::Remove),
        1 => (0_u32..80).prop_map(Step::Restore),
        1 => Just(Step::Clone),
        1 => Just(Step::Swap),
    ]
}

/// What a table should hold: by id, the vector and whether it is live.
type Expected = BTreeMap<u32, (Vec<f32>, bool)>;

fn assert_equal(table: &Table, expected: &Expected) -> Result<(), TestCaseError> {
    prop_assert_eq!(table.len(), expected.len());
    prop_assert_eq!(table.live(), expected.values().filter(|(_, is_live)| *is_live).count());
    for (id, (vector, is_live)) in expected {
        prop_assert_eq!(table.get(*id), is_live.then_some(vector.as_slice()));
        prop_assert_eq!(table.owner(*id), is_live.then_some(id / 2));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// 4,096 components make blocks of sixteen rows, so that the steps pass several of them.
    #[test]
    fn test_clones_do_not_see_each_other(steps in proptest::collection::vec(step(), 0..120), small: bool) {
        let dimension = if small { 3 } else { MAX_DIMENSION };
        let (mut table, mut expected) = (Table::new(dimension).unwrap(), Expected::new());
        let (mut other, mut other_expected) = (table.clone(), expected.clone());
        for (number, step) in (0_u32..).zip(steps) {
            match step {
                Step::Push => {
                    let id = expected.last_key_value().map_or(0, |(last, _)| last + 1 + number % 2);
                    let vector = vector(dimension, id + number);
                    table.push(id, id / 2, &vector).unwrap();
                    expected.insert(id, (unit(&vector), true));
                }
                Step::Remove(id) => {
                    let is_live = expected.get_mut(&id).is_some_and(|(_, live)| std::mem::replace(live, false));
                    prop_assert_eq!(table.remove(id), is_live);
                }
                Step::Restore(id) => {
                    let was_removed = expected.get_mut(&id).is_some_and(|(_, live)| !std::mem::replace(live, true));
                    prop_assert_eq!(table.restore(id), was_removed);
                }
                Step::Clone => (other, other_expected) = (table.clone(), expected.clone()),
                Step::Swap => {
                    std::mem::swap(&mut table, &mut other);
                    std::mem::swap(&mut expected, &mut other_expected);
                }
            }
        }
        assert_equal(&table, &expected)?;
        assert_equal(&other, &other_expected)?;
    }
}
