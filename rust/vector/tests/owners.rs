//! An owner mask is a set.

use std::collections::BTreeSet;

use proptest::prelude::*;
use recollect_vector::OwnerMask;

#[test]
fn test_full_holds_exactly_the_owners_below_the_count() {
    for count in [0, 1, 63, 64, 65, 128, 1000] {
        let mask = OwnerMask::full(count);
        assert_eq!(mask.len(), count as usize);
        assert_eq!(mask.is_empty(), count == 0);
        assert!((0..count).all(|owner| mask.contains(owner)));
        assert!((count..count + 130).all(|owner| !mask.contains(owner)));
        assert!(!mask.contains(u32::MAX));
    }
}

proptest! {
    #[test]
    fn test_mask_behaves_as_a_set(steps in proptest::collection::vec((any::<bool>(), 0_u32..500), 0..300)) {
        let (mut mask, mut set) = (OwnerMask::new(), BTreeSet::new());
        for (is_insert, owner) in steps {
            if is_insert {
                prop_assert_eq!(mask.insert(owner), set.insert(owner));
            } else {
                prop_assert_eq!(mask.remove(owner), set.remove(&owner));
            }
            prop_assert_eq!(mask.len(), set.len());
        }
        prop_assert!(mask.iter().eq(set.iter().copied()));
        prop_assert!((0..600).all(|owner| mask.contains(owner) == set.contains(&owner)));
        prop_assert!(set.iter().copied().collect::<OwnerMask>().iter().eq(set.iter().copied()));
    }
}
