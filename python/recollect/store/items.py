"""What rules, docs and refs can do alike."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar, cast

from recollect._core import CancelToken
from recollect._core import Store as CoreStore
from recollect.arrays import np, npt
from recollect.exceptions import InvalidInputError
from recollect.records import Added, Deleted, DeletedMany, Doc, Kind, Page, Purged, Ref, Rule, Version
from recollect.store.values import LEAVE, Timeout, Vectors, seconds, vector_rows

__all__ = ["Items"]

ItemT = TypeVar("ItemT", Rule, Doc, Ref)


# Long enough that the cost of a call disappears, short enough that a page of documents stays in bounds.
_PAGE_ITEMS = 200


class Items(Generic[ItemT]):
    """The items of one kind in a store: the shape that `store.rules`, `store.docs` and `store.refs` share.

    Every method takes `timeout` (seconds or a `timedelta`; None is no limit but the store's on each wait for other
    writers and for a free reader) and `cancel` (a `CancelToken`), and may raise `DeadlineExceededError`,
    `CancelledError`, `LockedError` (writes only) and `ClosedError`. A call that ends so has written nothing; a purge
    alone may have removed the items and not yet their traces, and says so.
    """

    kind: ClassVar[Kind]

    def __init__(self, core: CoreStore) -> None:
        self._core = core

    def get(
        self,
        id: str | None = None,
        *,
        key: str | None = None,
        project: str | None = None,
        timeout: Timeout = None,
        cancel: CancelToken | None = None,
    ) -> ItemT:
        """Returns one live item, by its id or by its key.

        Args:
            id: The id, as `add` returned it.
            key: The key instead. Of several items with that key, the one of the nearest project is meant.
            project: With a key: the project to look in, and then in its ancestors. None is the store's default project.
            timeout: How long the call may take.
            cancel: Ends the call from elsewhere.

        Raises:
            NotFoundError: There is no such item.
            InvalidInputError: The id is malformed, or both or neither of id and key were given.
        """
        item = self._core.get(self.kind, id, key, project, seconds(timeout), cancel)
        return cast("ItemT", item)

    def delete(
        self,
        id: str,
        *,
        version: int | None = None,
        timeout: Timeout = None,
        cancel: CancelToken | None = None,
    ) -> Deleted:
        """Deletes an item. It can be restored until the time that the answer names.

        Args:
            id: The item.
            version: If given, the item is deleted only if this is its version.
            timeout: How long the call may take.
            cancel: Ends the call from elsewhere.

        Raises:
            NotFoundError: There is no such live item.
            ConflictError: The item has another version.
        """
        return self._core.delete(self.kind, id, version, seconds(timeout), cancel)

    def restore(
        self,
        id: str,
        *,
        timeout: Timeout = None,
        cancel: CancelToken | None = None,
    ) -> ItemT:
        """Brings a deleted item back, with its vectors.

        Raises:
            NotFoundError: There is no such item, or it is gone for good.
            ConflictError: The item is not deleted, was deleted too long ago, or has expired; or its key was given to
                another item meanwhile.
        """
        return cast("ItemT", self._core.restore(self.kind, id, seconds(timeout), cancel))

    def purge(
        self,
        id: str,
        *,
        timeout: Timeout = None,
        cancel: CancelToken | None = None,
    ) -> Purged:
        """Removes an item for good, live or deleted: with its history, its vectors and its tags, and from the file.

        When the call returns, nothing of the content is left in the database file and its write-ahead log; backups and
        copies of the file keep what they hold. The change log keeps that there was an item of that id. Purging an item
        again is allowed, and erases what an earlier call had to leave. Every call reads the whole file once: to purge
        many items, use `purge_many`.

        Args:
            id: The item.
            timeout: How long the call may take.
            cancel: Ends the call from elsewhere.

        Raises:
            NotFoundError: There never was such an item.
            LockedError: A reader kept the write-ahead log in use, or another writer the store. Where the message says
                so, the item is gone for every reader, and only its traces in the files are left: purge it again.
            DeadlineExceededError: The time ran out; where the message says so, as above.
        """
        return self.purge_many((id,), timeout=timeout, cancel=cancel)[0]

    def purge_many(
        self,
        ids: Sequence[str],
        *,
        timeout: Timeout = None,
        cancel: CancelToken | None = None,
    ) -> tuple[Purged, ...]:
        """Removes items for good, in one transaction: all of them or, after a `NotFoundError`, none; see `purge`.

        Args:
            ids: The items, all of this kind.
            timeout: How long the call may take.
            cancel: Ends the call from elsewhere.

        Raises:
            NotFoundError: One of them never was; the message says which.
            LockedError: As in `purge`.
            DeadlineExceededError: As in `purge`.
        """
        return self._core.purge(self.kind, ids, seconds(timeout), cancel)

    def history(
        self,
        id: str,
        *,
        timeout: Timeout = None,
        cancel: CancelToken | None = None,
    ) -> tuple[Version[ItemT], ...]:
        """Returns every version of an item, oldest first; also of a deleted one.

        Raises:
            NotFoundError: There is no such item.
        """
        versions = self._core.history(self.kind, id, seconds(timeout), cancel)
        return cast("tuple[Version[ItemT], ...]", versions)

    def revert(
        self,
        id: str,
        to: int,
        *,
        version: int | None = None,
        timeout: Timeout = None,
        cancel: CancelToken | None = None,
    ) -> ItemT:
        """Gives an item the fields and content of one of its older versions, as a new version.

        Where that version would have expired by now, the item keeps its present `expires_at`.

        Args:
            id: The item.
            to: The older version.
            version: If given, the item is reverted only if this is its version now.
            timeout: How long the call may take.
            cancel: Ends the call from elsewhere.

        Raises:
            NotFoundError: There is no such live item, or no such version of it.
            ConflictError: The item has another version, or the older key belongs to another item now.
        """
        return cast("ItemT", self._core.revert(self.kind, id, to, version, seconds(timeout), cancel))

    def _add(
        self,
        draft: Mapping[str, object],
        rows: "npt.NDArray[np.float32] | None",
        timeout: Timeout,
        cancel: CancelToken | None,
    ) -> Added:
        return self._core.add_many(self.kind, (draft,), rows, seconds(timeout), cancel)[0]

    def _add_many(
        self,
        items: Iterable[str | Mapping[str, object]],
        vectors: Vectors | None,
        timeout: Timeout,
        cancel: CancelToken | None,
    ) -> tuple[Added, ...]:
        if isinstance(items, (str, bytes, Mapping)):
            raise InvalidInputError(
                "add_many takes several items, and this is a single one", "pass a list of items, or use add"
            )
        if not isinstance(items, Iterable):
            raise InvalidInputError(
                f"add_many takes several items, not a {type(items).__name__}", "pass a list of items"
            )
        try:
            drafts = [{"text": item} if isinstance(item, str) else item for item in items]
        except Exception as error:
            raise InvalidInputError(
                f"the items cannot be read: {type(error).__name__}: {error}",
                "nothing was added; see the error below it",
            ) from error
        return self._core.add_many(self.kind, drafts, vector_rows(vectors), seconds(timeout), cancel)

    def _list(
        self,
        filters: Mapping[str, Any],
        *,
        order: str,
        descending: bool,
        limit: int,
        cursor: str | None,
        timeout: Timeout,
        cancel: CancelToken | None,
    ) -> Page[ItemT]:
        page = self._core.list(self.kind, filters, order, descending, limit, cursor, seconds(timeout), cancel)
        return cast("Page[ItemT]", page)

    def _iterate(
        self,
        filters: Mapping[str, Any],
        *,
        order: str,
        descending: bool,
        timeout: Timeout,
        cancel: CancelToken | None,
    ) -> Iterator[ItemT]:
        cursor: str | None = None
        while True:
            page = self._list(
                filters,
                order=order,
                descending=descending,
                limit=_PAGE_ITEMS,
                cursor=cursor,
                timeout=timeout,
                cancel=cancel,
            )
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def _delete_many(
        self,
        filters: Mapping[str, Any],
        *,
        expected: int | None,
        dry_run: bool,
        timeout: Timeout,
        cancel: CancelToken | None,
    ) -> DeletedMany:
        return self._core.delete_many(self.kind, filters, expected, dry_run, seconds(timeout), cancel)

    def _update(
        self,
        id: str,
        version: int | None,
        fields: Mapping[str, object],
        rows: "npt.NDArray[np.float32] | None",
        timeout: Timeout,
        cancel: CancelToken | None,
    ) -> ItemT:
        patch = {name: value for name, value in fields.items() if value is not LEAVE}
        item = self._core.update(self.kind, id, version, patch, rows, seconds(timeout), cancel)
        return cast("ItemT", item)

    def __repr__(self) -> str:
        return f"<{self.kind}s of {self._core.path or ':memory:'}>"
