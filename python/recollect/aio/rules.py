"""The rules of a store, for asyncio.

Written by `tools/write_aio.py` from `recollect.store.rules`.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Unpack

from recollect.aio.items import AsyncItems
from recollect.aio.pages import PAGE_ITEMS, walk
from recollect.aio.threads import Threads
from recollect.records import Added, DeletedMany, Kind, Order, Page, Piece, Rule, Trust
from recollect.store.fields import NewRule, RuleFilters
from recollect.store.rules import Rules
from recollect.store.values import LEAVE, Leave, Timeout, Vector, Vectors

__all__ = ["AsyncRules"]


class AsyncRules(AsyncItems[Rule]):
    """The rules of a store."""

    kind: ClassVar[Kind] = "rule"

    def __init__(self, rules: Rules, threads: Threads) -> None:
        super().__init__(rules, threads)
        self._rules = rules

    async def add(
        self,
        text: str,
        *,
        applies_to: Sequence[str] = (),
        modes: Sequence[str] = (),
        always_on: bool = False,
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
        """Adds a rule. Equal text in the same project is not added again: then `created` is False.

        Args:
            text: The instruction.
            applies_to: Path globs; the rule applies where one matches.
            modes: The modes of work it applies in; none means all.
            always_on: Whether it always applies.
            key: The caller's own name for the rule, unique per kind, project and access class.
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
            vector: The vector of the text, shape (d,), instead of embedding it.
            timeout: How long the call may take, waiting for a free thread included.

        Returns:
            The id, and warnings such as one that names a near-duplicate.

        Raises:
            InvalidInputError: A field is malformed or too large.
            AlreadyExistsError: The key belongs to a rule with other content.
            NotFoundError: The channel or tier does not exist.
        """
        return await self._threads.write(
            lambda timeout, cancel: self._rules.add(
                text,
                applies_to=applies_to,
                modes=modes,
                always_on=always_on,
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
        self, items: Iterable[str | NewRule], *, vectors: Vectors | None = None, timeout: Timeout = None
    ) -> tuple[Added, ...]:
        """Adds rules in one transaction: all of them or, after an error, none.

        Args:
            items: Texts, or mappings with the parameters of `add`.
            vectors: One vector per rule, shape (n, d), instead of embedding the texts.
            timeout: How long the call may take, waiting for a free thread included.

        Raises:
            InvalidInputError: A field of an item is malformed; the message says of which.
            AlreadyExistsError: A key belongs to a rule with other content.
        """
        return await self._threads.write(
            lambda timeout, cancel: self._rules.add_many(items, vectors=vectors, timeout=timeout, cancel=cancel),
            timeout,
        )

    async def list(
        self,
        *,
        order: Order = "created",
        descending: bool = False,
        limit: int = 100,
        cursor: str | None = None,
        timeout: Timeout = None,
        **filters: Unpack[RuleFilters],
    ) -> Page[Rule]:
        """Returns one page of rules: without a `project` those of every project, not of the default one.

        Args:
            order: By creation, last change, priority or key.
            descending: Whether the order is turned around.
            limit: The length of the page.
            cursor: The `next_cursor` of the page before, from a call with the same order and filters.
            timeout: How long the call may take, waiting for a free thread included.
            **filters: Which rules, all by default; see `RuleFilters`.

        Raises:
            InvalidInputError: A filter, the limit or the cursor is malformed.
        """
        return await self._threads.read(
            lambda timeout, cancel: self._rules.list(
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
        **filters: Unpack[RuleFilters],
    ) -> AsyncIterator[Rule]:
        """Yields rules page by page, those of every project by default; see `list`.

        What is written meanwhile may or may not be seen.
        """
        return walk(
            lambda cursor: self.list(
                order=order, descending=descending, timeout=timeout, limit=PAGE_ITEMS, cursor=cursor, **filters
            )
        )

    async def count(self, *, timeout: Timeout = None, **filters: Unpack[RuleFilters]) -> int:
        """Counts rules, without a `project` in every project; see `list`."""
        return await self._threads.read(
            lambda timeout, cancel: self._rules.count(timeout=timeout, cancel=cancel, **filters), timeout
        )

    async def delete_many(
        self,
        *,
        expected: int | None = None,
        dry_run: bool = False,
        timeout: Timeout = None,
        **filters: Unpack[RuleFilters],
    ) -> DeletedMany:
        """Deletes the rules that a filter means, in one transaction. They can be restored one by one.

        Args:
            expected: If given, how many there must be; if there are more or fewer, nothing is deleted.
            dry_run: Whether only to say what would be deleted.
            timeout: How long the call may take, waiting for a free thread included.
            **filters: Which rules; at least one filter is needed. See `RuleFilters`; `project="*"` means all.

        Raises:
            InvalidInputError: There is no filter, one is malformed, or `deleted` was asked for.
            ConflictError: Another number of rules is meant than was expected.
        """
        return await (self._threads.write if dry_run is not True else self._threads.read)(
            lambda timeout, cancel: self._rules.delete_many(
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
        applies_to: Sequence[str] | Leave | None = LEAVE,
        modes: Sequence[str] | Leave | None = LEAVE,
        always_on: bool | Leave | None = LEAVE,
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
    ) -> Rule:
        """Changes the fields that are given, and leaves the others. None takes a field's value away.

        Args:
            id: The rule.
            version: If given, the rule is changed only if this is its version.
            text: The instruction.
            applies_to: Path globs; the rule applies where one matches.
            modes: The modes of work it applies in; none means all.
            always_on: Whether it always applies.
            key: The caller's own name for the rule, unique per kind, project and access class.
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
            vector: The vector of the new text, shape (d,), instead of embedding it.
            timeout: How long the call may take, waiting for a free thread included.

        Returns:
            The rule as it is now.

        Raises:
            NotFoundError: There is no such live rule.
            ConflictError: It has another version.
            AlreadyExistsError: The new key belongs to another rule.
            InvalidInputError: A field is malformed or too large.
        """
        return await self._threads.write(
            lambda timeout, cancel: self._rules.update(
                id,
                version=version,
                text=text,
                applies_to=applies_to,
                modes=modes,
                always_on=always_on,
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

    async def split_sections(self, text: str) -> tuple[Piece, ...]:
        """Splits a Markdown file of rules at its headings, so that each section can become a rule of its own.

        The pieces join to exactly the text. Each carries the headings above it, its own included.
        """
        return await self._threads.read(lambda _timeout, _cancel: self._rules.split_sections(text))
