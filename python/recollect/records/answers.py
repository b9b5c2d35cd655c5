"""What additions, changes and lists answer with."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar, overload

from recollect.records.items import Item, subject
from recollect.records.record import Record
from recollect.records.rendering import html_table
from recollect.records.vocabulary import Kind, Operation, WarningCode

__all__ = [
    "AddWarning",
    "Added",
    "Change",
    "Deleted",
    "DeletedMany",
    "Page",
    "Piece",
    "Project",
    "Purged",
    "Swept",
    "Version",
]

ItemT_co = TypeVar("ItemT_co", bound=Item, covariant=True)


@dataclass(frozen=True, slots=True)
class AddWarning(Record):
    """Something about an added item that is no error.

    Attributes:
        code: `near_duplicate`: `item` says nearly the same. `fields_kept`: equal content was there already, and
            `fields` keep the item's values. `not_embedded`: no vector was made, so semantic search cannot find the
            item.
        message: The same in words.
        item: The id of the other item, of a near duplicate.
        similarity: The share of word pairs that the two texts have in common, from 0 to 1, of a near duplicate.
        fields: The names of the fields that were kept.
    """

    code: WarningCode
    message: str
    item: str | None
    similarity: float | None
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Added(Record):
    """The result of adding one item.

    Attributes:
        id: The item's id.
        kind: Its kind.
        key: Its key.
        version: Its version.
        created: False if equal content was there already, in which case the id is that item's.
        warnings: What the caller may want to look at.
    """

    id: str
    kind: Kind
    key: str | None
    version: int
    created: bool
    warnings: tuple[AddWarning, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Page(Record, Generic[ItemT_co]):
    """A page of a list; iterable, and as long as its items.

    Attributes:
        items: The items, in the order asked for.
        next_cursor: What to pass as `cursor` for the next page; None on the last.
    """

    items: tuple[ItemT_co, ...]
    next_cursor: str | None

    def __iter__(self) -> Iterator[ItemT_co]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> ItemT_co: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[ItemT_co, ...]: ...
    def __getitem__(self, index: int | slice) -> ItemT_co | tuple[ItemT_co, ...]:
        return self.items[index]

    def __repr__(self) -> str:
        more = "more follow" if self.next_cursor else "the last"
        return f"Page({len(self.items)} items, {more})"

    def _repr_html_(self) -> str:
        columns = ("kind", "text", "key", "project", "tags", "version", "updated_at", "id")
        rows = (
            (item.kind, subject(item), item.key, item.project, item.tags, item.version, item.updated_at, item.id)
            for item in self.items
        )
        return html_table(repr(self), columns, rows)


@dataclass(frozen=True, slots=True)
class Deleted(Record):
    """The result of deleting an item.

    Attributes:
        id: The item.
        version: Its version, one higher than before.
        undo_until: Until when it can be restored.
    """

    id: str
    version: int
    undo_until: datetime


@dataclass(frozen=True, slots=True)
class DeletedMany(Record):
    """The result of deleting the items that a filter means.

    Attributes:
        ids: The items, in the order of their creation.
        undo_until: Until when they can be restored.
        dry_run: Whether they were only looked for, and nothing was deleted.
    """

    ids: tuple[str, ...]
    undo_until: datetime
    dry_run: bool

    @property
    def count(self) -> int:
        """How many items they are."""
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Purged(Record):
    """The result of removing an item for good.

    Attributes:
        id: The item.
        kind: Its kind.
        versions: How many versions of it this call removed; 0 if the item was gone already.
        chunks: How many chunks this call removed, those of older versions included.
    """

    id: str
    kind: Kind
    versions: int
    chunks: int


@dataclass(frozen=True, slots=True)
class Swept(Record):
    """The result of removing what is due.

    Attributes:
        expired: How many items were removed because the time they expire at had passed.
        deleted: How many were removed because they were deleted longer ago than they can be restored.
    """

    expired: int
    deleted: int


@dataclass(frozen=True, slots=True)
class Version(Record, Generic[ItemT_co]):
    """One step of an item's history.

    Attributes:
        operation: What made this version.
        seq: The change that made it.
        item: The item as it was.
    """

    operation: Operation
    seq: int
    item: ItemT_co


@dataclass(frozen=True, slots=True)
class Piece(Record):
    """A part of a text, as it would be split. The pieces of a text join to exactly that text.

    Attributes:
        text: The part.
        heading: The headings above it, widest first.
        start: Where it begins, in characters.
        end: Where it ends.
    """

    text: str
    heading: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Project(Record):
    """One project and how many live items it holds itself.

    Attributes:
        path: Its path; empty is the root.
        rules: The number of its rules.
        docs: The number of its docs.
        refs: The number of its refs.
    """

    path: str
    rules: int
    docs: int
    refs: int


@dataclass(frozen=True, slots=True)
class Change(Record):
    """One entry of the change log.

    Attributes:
        seq: The number of the commit; commits are numbered without gaps.
        ordinal: The place within the commit, from 0.
        item: The id of the item, also of one that is gone; None where a channel or a project changed, or the store was
            repaired.
        kind: The kind of the item.
        operation: What was done.
        at: When.
        by: By whom.
    """

    seq: int
    ordinal: int
    item: str | None
    kind: Kind | None
    operation: Operation
    at: datetime
    by: str
