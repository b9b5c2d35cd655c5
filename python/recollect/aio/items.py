"""What rules, docs and refs can do alike, for asyncio.

Written by `tools/write_aio.py` from `recollect.store.items`.
"""

from collections.abc import Sequence
from typing import ClassVar, Generic

from recollect.aio.threads import Threads
from recollect.records import Deleted, Kind, Purged, Version
from recollect.store.items import Items, ItemT
from recollect.store.values import Timeout

__all__ = ["AsyncItems"]


class AsyncItems(Generic[ItemT]):
    """The items of one kind in a store: the shape that `store.rules`, `store.docs` and `store.refs` share.

    Every method takes `timeout` (seconds or a `timedelta`, counted from the call on, the wait for a thread included;
    None is no limit but the store's on each wait for other writers and for a free reader), and may raise
    `DeadlineExceededError`, `LockedError` (writes only) and `ClosedError`. A call that ends so has written nothing.
    When the task is cancelled the call is undone before `asyncio.CancelledError` is raised, unless it had ended
    already.
    """

    kind: ClassVar[Kind]

    def __init__(self, items: Items[ItemT], threads: Threads) -> None:
        self._items: Items[ItemT] = items
        self._threads = threads

    async def get(
        self, id: str | None = None, *, key: str | None = None, project: str | None = None, timeout: Timeout = None
    ) -> ItemT:
        """Returns one live item, by its id or by its key.

        Args:
            id: The id, as `add` returned it.
            key: The key instead. Of several items with that key, the one of the nearest project is meant.
            project: With a key: the project to look in, and then in its ancestors. None is the store's default project.
            timeout: How long the call may take, waiting for a free thread included.

        Raises:
            NotFoundError: There is no such item.
            InvalidInputError: The id is malformed, or both or neither of id and key were given.
        """
        return await self._threads.read(
            lambda timeout, cancel: self._items.get(id, key=key, project=project, timeout=timeout, cancel=cancel),
            timeout,
        )

    async def delete(self, id: str, *, version: int | None = None, timeout: Timeout = None) -> Deleted:
        """Deletes an item. It can be restored until the time that the answer names.

        Args:
            id: The item.
            version: If given, the item is deleted only if this is its version.
            timeout: How long the call may take, waiting for a free thread included.

        Raises:
            NotFoundError: There is no such live item.
            ConflictError: The item has another version.
        """
        return await self._threads.write(
            lambda timeout, cancel: self._items.delete(id, version=version, timeout=timeout, cancel=cancel), timeout
        )

    async def restore(self, id: str, *, timeout: Timeout = None) -> ItemT:
        """Brings a deleted item back, with its vectors.

        Raises:
            NotFoundError: There is no such item, or it is gone for good.
            ConflictError: The item is not deleted, was deleted too long ago, or has expired; or its key was given to
                another item meanwhile.
        """
        return await self._threads.write(
            lambda timeout, cancel: self._items.restore(id, timeout=timeout, cancel=cancel), timeout
        )

    async def purge(self, id: str, *, timeout: Timeout = None) -> Purged:
        """Removes an item for good, live or deleted: with its history, its vectors and its tags, and from the file.

        When the call returns, nothing of the content is left in the database file and its write-ahead log; backups and
        copies of the file keep what they hold. The change log keeps that there was an item of that id. Purging an item
        again is allowed, and erases what an earlier call had to leave. Every call reads the whole file once: to purge
        many items, use `purge_many`.

        Args:
            id: The item.
            timeout: How long the call may take, waiting for a free thread included.

        Raises:
            NotFoundError: There never was such an item.
            LockedError: A reader kept the write-ahead log in use, or another writer the store. Where the message says
                so, the item is gone for every reader, and only its traces in the files are left: purge it again.
            DeadlineExceededError: The time ran out; where the message says so, as above.
        """
        return await self._threads.write(
            lambda timeout, cancel: self._items.purge(id, timeout=timeout, cancel=cancel), timeout
        )

    async def purge_many(self, ids: Sequence[str], *, timeout: Timeout = None) -> tuple[Purged, ...]:
        """Removes items for good, in one transaction: all of them or, after a `NotFoundError`, none; see `purge`.

        Args:
            ids: The items, all of this kind.
            timeout: How long the call may take, waiting for a free thread included.

        Raises:
            NotFoundError: One of them never was; the message says which.
            LockedError: As in `purge`.
            DeadlineExceededError: As in `purge`.
        """
        return await self._threads.write(
            lambda timeout, cancel: self._items.purge_many(ids, timeout=timeout, cancel=cancel), timeout
        )

    async def history(self, id: str, *, timeout: Timeout = None) -> tuple[Version[ItemT], ...]:
        """Returns every version of an item, oldest first; also of a deleted one.

        Raises:
            NotFoundError: There is no such item.
        """
        return await self._threads.read(
            lambda timeout, cancel: self._items.history(id, timeout=timeout, cancel=cancel), timeout
        )

    async def revert(self, id: str, to: int, *, version: int | None = None, timeout: Timeout = None) -> ItemT:
        """Gives an item the fields and content of one of its older versions, as a new version.

        Where that version would have expired by now, the item keeps its present `expires_at`.

        Args:
            id: The item.
            to: The older version.
            version: If given, the item is reverted only if this is its version now.
            timeout: How long the call may take, waiting for a free thread included.

        Raises:
            NotFoundError: There is no such live item, or no such version of it.
            ConflictError: The item has another version, or the older key belongs to another item now.
        """
        return await self._threads.write(
            lambda timeout, cancel: self._items.revert(id, to, version=version, timeout=timeout, cancel=cancel), timeout
        )

    def __repr__(self) -> str:
        return repr(self._items)
