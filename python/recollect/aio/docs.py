"""The docs of a store, for asyncio.

Written by `tools/write_aio.py` from `recollect.store.docs`.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Unpack

from recollect.aio.items import AsyncItems
from recollect.aio.pages import PAGE_ITEMS, walk
from recollect.aio.threads import Threads
from recollect.records import Added, DeletedMany, Doc, Kind, Order, Page, Piece, Trust
from recollect.store.docs import Docs
from recollect.store.fields import DocFilters, NewDoc
from recollect.store.values import LEAVE, Leave, Timeout, Vectors

__all__ = ["AsyncDocs"]


class AsyncDocs(AsyncItems[Doc]):
    """The docs of a store."""

    kind: ClassVar[Kind] = "doc"

    def __init__(self, docs: Docs, threads: Threads) -> None:
        super().__init__(docs, threads)
        self._docs = docs

    async def add(
        self,
        text: str,
        *,
        path: str | None = None,
        title: str | None = None,
        media_type: str | None = None,
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
        vectors: Vectors | None = None,
        timeout: Timeout = None,
    ) -> Added:
        """Adds a document. Equal text of the same path and project is not added again: then `created` is False.

        Args:
            text: The document, kept as it is and split into chunks along its headings.
            path: Where the document stands in its project.
            title: Its title; None is the first heading of a Markdown text.
            media_type: `text/markdown` or `text/plain`; None is told from the path, else Markdown.
            key: The caller's own name for the doc, unique per kind, project and access class.
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
            vectors: One vector per chunk as `split` shows them, shape (chunks, d), instead of embedding them.
            timeout: How long the call may take, waiting for a free thread included.

        Returns:
            The id, and warnings such as one that names a near-duplicate.

        Raises:
            InvalidInputError: A field is malformed or too large.
            AlreadyExistsError: The key belongs to a doc with other content.
            NotFoundError: The channel or tier does not exist.
        """
        return await self._threads.write(
            lambda timeout, cancel: self._docs.add(
                text,
                path=path,
                title=title,
                media_type=media_type,
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
                vectors=vectors,
                timeout=timeout,
                cancel=cancel,
            ),
            timeout,
        )

    async def add_many(
        self, items: Iterable[str | NewDoc], *, vectors: Vectors | None = None, timeout: Timeout = None
    ) -> tuple[Added, ...]:
        """Adds docs in one transaction: all of them or, after an error, none.

        Args:
            items: Texts, or mappings with the parameters of `add`.
            vectors: One vector per chunk, of all documents in order, shape (chunks, d), instead of embedding them.
            timeout: How long the call may take, waiting for a free thread included.

        Raises:
            InvalidInputError: A field of an item is malformed; the message says of which.
            AlreadyExistsError: A key belongs to a doc with other content.
        """
        return await self._threads.write(
            lambda timeout, cancel: self._docs.add_many(items, vectors=vectors, timeout=timeout, cancel=cancel), timeout
        )

    async def list(
        self,
        *,
        order: Order = "created",
        descending: bool = False,
        limit: int = 100,
        cursor: str | None = None,
        timeout: Timeout = None,
        **filters: Unpack[DocFilters],
    ) -> Page[Doc]:
        """Returns one page of docs: without a `project` those of every project, not of the default one.

        Args:
            order: By creation, last change, priority or key.
            descending: Whether the order is turned around.
            limit: The length of the page.
            cursor: The `next_cursor` of the page before, from a call with the same order and filters.
            timeout: How long the call may take, waiting for a free thread included.
            **filters: Which docs, all by default; see `DocFilters`.

        Raises:
            InvalidInputError: A filter, the limit or the cursor is malformed.
        """
        return await self._threads.read(
            lambda timeout, cancel: self._docs.list(
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
        **filters: Unpack[DocFilters],
    ) -> AsyncIterator[Doc]:
        """Yields docs page by page, those of every project by default; see `list`.

        What is written meanwhile may or may not be seen.
        """
        return walk(
            lambda cursor: self.list(
                order=order, descending=descending, timeout=timeout, limit=PAGE_ITEMS, cursor=cursor, **filters
            )
        )

    async def count(self, *, timeout: Timeout = None, **filters: Unpack[DocFilters]) -> int:
        """Counts docs, without a `project` in every project; see `list`."""
        return await self._threads.read(
            lambda timeout, cancel: self._docs.count(timeout=timeout, cancel=cancel, **filters), timeout
        )

    async def delete_many(
        self,
        *,
        expected: int | None = None,
        dry_run: bool = False,
        timeout: Timeout = None,
        **filters: Unpack[DocFilters],
    ) -> DeletedMany:
        """Deletes the docs that a filter means, in one transaction. They can be restored one by one.

        Args:
            expected: If given, how many there must be; if there are more or fewer, nothing is deleted.
            dry_run: Whether only to say what would be deleted.
            timeout: How long the call may take, waiting for a free thread included.
            **filters: Which docs; at least one filter is needed. See `DocFilters`; `project="*"` means all.

        Raises:
            InvalidInputError: There is no filter, one is malformed, or `deleted` was asked for.
            ConflictError: Another number of docs is meant than was expected.
        """
        return await (self._threads.write if dry_run is not True else self._threads.read)(
            lambda timeout, cancel: self._docs.delete_many(
                expected=expected, dry_run=dry_run, timeout=timeout, cancel=cancel, **filters
            ),
            timeout,
        )

    async def update(
        self,
        id: str,
        *,
        version: int | None = None,
        text: str | Leave = LEAVE,
        path: str | Leave | None = LEAVE,
        title: str | Leave | None = LEAVE,
        media_type: str | Leave | None = LEAVE,
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
        vectors: Vectors | None = None,
        timeout: Timeout = None,
    ) -> Doc:
        """Changes the fields that are given, and leaves the others. None takes a field's value away.

        Args:
            id: The doc.
            version: If given, the doc is changed only if this is its version.
            text: The document, kept as it is and split into chunks along its headings.
            path: Where the document stands in its project.
            title: Its title; None is the first heading of a Markdown text.
            media_type: `text/markdown` or `text/plain`; None is told from the path, else Markdown.
            key: The caller's own name for the doc, unique per kind, project and access class.
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
            vectors: One vector per chunk of the new text, shape (chunks, d), instead of embedding them.
            timeout: How long the call may take, waiting for a free thread included.

        Returns:
            The doc as it is now.

        Raises:
            NotFoundError: There is no such live doc.
            ConflictError: It has another version.
            AlreadyExistsError: The new key belongs to another doc.
            InvalidInputError: A field is malformed or too large.
        """
        return await self._threads.write(
            lambda timeout, cancel: self._docs.update(
                id,
                version=version,
                text=text,
                path=path,
                title=title,
                media_type=media_type,
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
                vectors=vectors,
                timeout=timeout,
                cancel=cancel,
            ),
            timeout,
        )

    async def split(self, text: str, *, media_type: str = "text/markdown") -> tuple[Piece, ...]:
        """Shows the chunks that a document would be split into; they join to exactly the text.

        Raises:
            UnsupportedError: There is no splitter for this media type.
        """
        return await self._threads.read(lambda _timeout, _cancel: self._docs.split(text, media_type=media_type))
