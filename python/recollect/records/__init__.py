"""What recollect answers with: frozen, slotted dataclasses, built by the compiled core field by field."""

from recollect.records.answers import (
    Added,
    AddWarning,
    Change,
    Deleted,
    DeletedMany,
    Page,
    Piece,
    Project,
    Purged,
    Swept,
    Version,
)
from recollect.records.items import Doc, Item, Ref, Rule
from recollect.records.search import Hit, SearchResult
from recollect.records.status import (
    Checkpoint,
    CheckpointStats,
    CheckReport,
    GuardStats,
    IndexStats,
    ReaderStats,
    Space,
    StoreStats,
)
from recollect.records.vocabulary import Kind, Operation, Order, RefState, TargetKind, Trust, WarningCode

__all__ = [
    "AddWarning",
    "Added",
    "Change",
    "CheckReport",
    "Checkpoint",
    "CheckpointStats",
    "Deleted",
    "DeletedMany",
    "Doc",
    "GuardStats",
    "Hit",
    "IndexStats",
    "Item",
    "Kind",
    "Operation",
    "Order",
    "Page",
    "Piece",
    "Project",
    "Purged",
    "ReaderStats",
    "Ref",
    "RefState",
    "Rule",
    "SearchResult",
    "Space",
    "StoreStats",
    "Swept",
    "TargetKind",
    "Trust",
    "Version",
    "WarningCode",
]
