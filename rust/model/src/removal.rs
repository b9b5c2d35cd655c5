//! What the calls that remove many items, or remove them for good, answer with.

use crate::id::ItemId;
use crate::time::Timestamp;
use crate::vocabulary::Kind;

/// The result of purging one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purged {
    /// The item, which is known by its id only from now on.
    pub id: ItemId,
    /// What it was.
    pub kind: Kind,
    /// The versions that this call removed, the current one included; none if it was purged before.
    pub versions: u32,
    /// The chunks that this call removed, those of older versions included; none if it was purged before.
    pub chunks: u32,
}

/// The result of deleting the items that match a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedMany {
    /// The items, oldest first.
    pub ids: Vec<ItemId>,
    /// Until when they can be restored.
    pub undo_until: Timestamp,
    /// Whether this only says what would be deleted.
    pub dry_run: bool,
}

/// The result of a sweep: how many items it removed for good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Those that had expired.
    pub expired: u64,
    /// Those that were deleted longer ago than the undo window lasts.
    pub deleted: u64,
}
