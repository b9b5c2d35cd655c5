//! The path that every processor takes, small enough to run under Miri (`cargo miri test --test portable`).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use recollect_model::Call;
use recollect_vector::{Kernel, OwnerMask, Table, top_k, top_owners};

#[test]
fn test_scalar_search_over_several_blocks() {
    let mut table = Table::with_kernel(1030, Kernel::scalar()).unwrap();
    let mut vector = vec![0.0; 1030];
    for id in 0_u16..70 {
        vector.fill(1.0);
        if let Some(component) = vector.get_mut(usize::from(id)) {
            *component = 1.0 + f32::from(id);
        }
        table.push(u32::from(id), u32::from(id / 2), &vector).unwrap();
    }
    let before = table.clone();
    assert!(table.remove(40));
    let query = table.get(41).unwrap().to_vec();
    let allow = OwnerMask::full(30);
    let hits = top_k(&table, &query, 3, &allow, &Call::unlimited()).unwrap();
    assert_eq!(hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [41, 0, 1]);
    let hits = top_owners(&before, before.get(40).unwrap(), 2, &allow, &Call::unlimited()).unwrap();
    assert_eq!(hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [40, 0]);
    assert!(table.sum() < before.sum() + 1.0);
}
