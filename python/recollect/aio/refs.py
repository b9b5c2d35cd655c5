"""The refs of a store, for asyncio.

Written by `tools/write_aio.py` from `recollect.store.refs`.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Unpack

from recollect.aio.items import AsyncItems
from recollect.aio.pages import PAGE_ITEMS, walk
from recollect.aio.threads import Threads
from recollect.records import Added, DeletedMany, Kind, Order, Page, Ref, RefState, TargetKind, Trust
from recollect.store.fields import NewRef, RefFilters
from recollect.store.refs import Refs
from recollect.store.values import LEAVE, Leave, Timeout, Vector, Vectors

__all__ = ["AsyncRefs"]


class AsyncRefs(AsyncItems[Ref]):
    """The refs of a store."""

    kind: ClassVar[Kind] = "ref"

    def __init__(self, refs: Refs, threads: Threads) -> None:
        super().__init__(refs, threads)
        self._refs = refs

    async def add(
        self,
        target: str,
        note: str,
        *,
        target_kind: TargetKind | None = None,
        checked_at: datetime | None = None,
        state: RefState | None = None,
        key: str | None = None,
        project: str | None = None,
        tags: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        channel: str | None = None,
        tier: str | None = None,
        priority: int = 0,
        source: str | None = None,
        trust: Trust | None = None,
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
        expires_at: datetime | None = None,
        vector: Vector | None = None,
        timeout: Timeout = None,
    ) -> Added:
        """Adds a ref. An equal target and note in the same project is not added again: then `created` is False.

        Args:
            target: What is pointed to: a URL, `src/main.rs:10-20`, `commit:1a2b3c4`, `owner/name#12`.
            note: Why it matters; this is what a search finds.
            target_kind: What the target is; None is told from its form.
            checked_at: When the target was last looked at.
            state: What was found then; None is `unchecked`.
            key: The caller's own name for the ref, unique per kind, project and access class.
            project: Where it belongs, such as `acme/web`; None is the store's default project.
            tags: Words to filter by.
            metadata: A JSON object: strings, numbers, booleans, None, lists and mappings with strings as keys.
            channel: Only principals granted this channel see it; the channel must exist.
            tier: The access tier; None is the store's default tier.
            priority: From -1,000 to 1,000; higher is more important.
            source: Where it came from, in your own words.
            trust: How far that source is trusted; None is `trusted`.
            valid_from: Not to be used before. Times must be aware.
            valid_until: Not to be used from then on, but kept.
            expires_at: Not to be used from then on.
            vector: The vector of the note, shape (d,), instead of embedding it.
            timeout: How long the call may take, waiting for a free thread included.

        Returns:
            The id, and warnings such as one that names a near-duplicate.

        Raises:
            InvalidInputError: A field is malformed or too large.
            AlreadyExistsError: The key belongs to a ref with other content.
            NotFoundError: The channel or tier does not exist.
        """
        return await self._threads.write(
            lambda timeout, cancel: self._refs.add(
                target,
                note,
                target_kind=target_kind,
                checked_at=checked_at,
                state=state,
                key=key,
                project=project,
                tags=tags,
                metadata=metadata,
                channel=channel,
                tier=tier,
                priority=priority,
                source=source,
                trust=trust,
                valid_from=valid_from,
                valid_until=valid_until,
                expires_at=expires_at,
                vector=vector,
                timeout=timeout,
                cancel=cancel,
            ),
            timeout,
        )

    async def add_many(
        self, items: Iterable[NewRef], *, vectors: Vectors | None = None, timeout: Timeout = None
    ) -> tuple[Added, ...]:
        """Adds refs in one transaction: all of them or, after an error, none.

        Args:
            items: Mappings with the parameters of `add`.
            vectors: One vector per ref, shape (n, d), instead of embedding the notes.
            timeout: How long the call may take, waiting for a free thread included.

        Raises:
            InvalidInputError: A field of an item is malformed; the message says of which.
            AlreadyExistsError: A key belongs to a ref with other content.
        """
        return await self._threads.write(
            lambda timeout, cancel: self._refs.add_many(items, vectors=vectors, timeout=timeout, cancel=cancel), timeout
        )

    async def list(
        self,
        *,
        order: Order = "created",
        descending: bool = False,
        limit: int = 100,
        cursor: str | None = None,
        timeout: Timeout = None,
        **filters: Unpack[RefFilters],
    ) -> Page[Ref]:
        """Returns one page of refs: without a `project` those of every project, not of the default one.

        Args:
            order: By creation, last change, priority or key.
            descending: Whether the order is turned around.
            limit: The length of the page.
            cursor: The `next_cursor` of the page before, from a call with the same order and filters.
            timeout: How long the call may take, waiting for a free thread included.
            **filters: Which refs, all by default; see `RefFilters`.

        Raises:
            InvalidInputError: A filter, the limit or the cursor is malformed.
        """
        return await self._threads.read(
            lambda timeout, cancel: self._refs.list(
                order=order,
                descending=descending,
                limit=limit,
                cursor=cursor,
                timeout=timeout,
                cancel=cancel,
                **filters,
            ),
            timeout,
        )

    def iterate(
        self,
        *,
        order: Order = "created",
        descending: bool = False,
        timeout: Timeout = None,
        **filters: Unpack[RefFilters],
    ) -> AsyncIterator[Ref]:
        """Yields refs page by page, those of every project by default; see `list`.

        What is written meanwhile may or may not be seen.
        """
        return walk(
            lambda cursor: self.list(
                order=order, descending=descending, timeout=timeout, limit=PAGE_ITEMS, cursor=cursor, **filters
            )
        )

    async def count(self, *, timeout: Timeout = None, **filters: Unpack[RefFilters]) -> int:
        """Counts refs, without a `project` in every project; see `list`."""
        return await self._threads.read(
            lambda timeout, cancel: self._refs.count(timeout=timeout, cancel=cancel, **filters), timeout
        )

    async def delete_many(
        self,
        *,
        expected: int | None = None,
        dry_run: bool = False,
        timeout: Timeout = None,
        **filters: Unpack[RefFilters],
    ) -> DeletedMany:
        """Deletes the refs that a filter means, in one transaction. They can be restored one by one.

        Args:
            expected: If given, how many there must be; if there are more or fewer, nothing is deleted.
            dry_run: Whether only to say what would be deleted.
            timeout: How long the call may take, waiting for a free thread included.
            **filters: Which refs; at least one filter is needed. See `RefFilters`; `project="*"` means all.

        Raises:
            InvalidInputError: There is no filter, one is malformed, or `deleted` was asked for.
            ConflictError: Another number of refs is meant than was expected.
        """
        return await (self._threads.write if dry_run is not True else self._threads.read)(
            lambda timeout, cancel: self._refs.delete_many(
                expected=expected, dry_run=dry_run, timeout=timeout, cancel=cancel, **filters
            ),
            timeout,
        )

    async def update(
        self,
        id: str,
        *,
        version: int | None = None,
        target: str | Leave = LEAVE,
        note: str | Leave = LEAVE,
        target_kind: TargetKind | Leave | None = LEAVE,
        checked_at: datetime | Leave | None = LEAVE,
        state: RefState | Leave | None = LEAVE,
        key: str | Leave | None = LEAVE,
        project: str | Leave | None = LEAVE,
        tags: Sequence[str] | Leave | None = LEAVE,
        metadata: Mapping[str, Any] | Leave | None = LEAVE,
        channel: str | Leave | None = LEAVE,
        tier: str | Leave | None = LEAVE,
        priority: int | Leave | None = LEAVE,
        source: str | Leave | None = LEAVE,
        trust: Trust | Leave | None = LEAVE,
        valid_from: datetime | Leave | None = LEAVE,
        valid_until: datetime | Leave | None = LEAVE,
        expires_at: datetime | Leave | None = LEAVE,
        vector: Vector | None = None,
        timeout: Timeout = None,
    ) -> Ref:
        """Changes the fields that are given, and leaves the others. None takes a field's value away.

        Args:
            id: The ref.
            version: If given, the ref is changed only if this is its version.
            target: What is pointed to: a URL, `src/main.rs:10-20`, `commit:1a2b3c4`, `owner/name#12`.
            note: Why it matters; this is what a search finds.
            target_kind: What the target is; None is told from its form.
            checked_at: When the target was last looked at.
            state: What was found then; None is `unchecked`.
            key: The caller's own name for the ref, unique per kind, project and access class.
            project: Where it belongs, such as `acme/web`; None is the store's default project.
            tags: Words to filter by.
            metadata: A JSON object: strings, numbers, booleans, None, lists and mappings with strings as keys.
            channel: Only principals granted this channel see it; the channel must exist.
            tier: The access tier; None is the store's default tier.
            priority: From -1,000 to 1,000; higher is more important.
            source: Where it came from, in your own words.
            trust: How far that source is trusted; None is `trusted`.
            valid_from: Not to be used before. Times must be aware.
            valid_until: Not to be used from then on, but kept.
            expires_at: Not to be used from then on.
            vector: The vector of the new note, shape (d,), instead of embedding it.
            timeout: How long the call may take, waiting for a free thread included.

        Returns:
            The ref as it is now.

        Raises:
            NotFoundError: There is no such live ref.
            ConflictError: It has another version.
            AlreadyExistsError: The new key belongs to another ref.
            InvalidInputError: A field is malformed or too large.
        """
        return await self._threads.write(
            lambda timeout, cancel: self._refs.update(
                id,
                version=version,
                target=target,
                note=note,
                target_kind=target_kind,
                checked_at=checked_at,
                state=state,
                key=key,
                project=project,
                tags=tags,
                metadata=metadata,
                channel=channel,
                tier=tier,
                priority=priority,
                source=source,
                trust=trust,
                valid_from=valid_from,
                valid_until=valid_until,
                expires_at=expires_at,
                vector=vector,
                timeout=timeout,
                cancel=cancel,
            ),
            timeout,
        )
