//! The masks that were asked of one state of the index.

use std::sync::{Arc, Mutex, PoisonError};

use recollect_model::{Kind, Timestamp};
use recollect_vector::OwnerMask;

/// So many masks are kept: an agent asks again and again within the same few scopes.
const KEPT: usize = 16;

/// What a mask asks of an item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Conditions {
    /// Empty means any.
    pub kinds: Vec<Kind>,
    /// The ids of the projects, sorted; `None` means any.
    pub projects: Option<Vec<u32>>,
    /// The ids of the tags, all of which it must have.
    pub tags: Vec<u32>,
}

/// The items that satisfy some conditions, as long as no item's validity begins or ends.
#[derive(Debug)]
pub(crate) struct Mask {
    /// The items.
    pub owners: OwnerMask,
    /// The mask holds from then on,
    pub since: Timestamp,
    /// and until then, exclusively.
    pub until: Timestamp,
}

/// The masks of one state, the one used last first. Another state begins with none.
#[derive(Debug, Default)]
pub(crate) struct Masks(Mutex<Vec<(Conditions, Arc<Mask>)>>);

impl Clone for Masks {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Masks {
    /// The mask of the conditions, made if it is not there or holds no longer.
    pub fn get(&self, conditions: &Conditions, now: Timestamp, make: impl FnOnce() -> Mask) -> Arc<Mask> {
        if let Some(mask) = self.find(conditions, now) {
            return mask;
        }
        // Made without the lock: others may search meanwhile, and at worst the same mask is made twice.
        let mask = Arc::new(make());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(known, _)| known != conditions);
        kept.insert(0, (conditions.clone(), Arc::clone(&mask)));
        kept.truncate(KEPT);
        mask
    }

    fn find(&self, conditions: &Conditions, now: Timestamp) -> Option<Arc<Mask>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|(known, _)| known == conditions)?;
        kept.get_mut(..=place)?.rotate_right(1);
        let (_, mask) = kept.first()?;
        (mask.since <= now && now < mask.until).then(|| Arc::clone(mask))
    }
}
