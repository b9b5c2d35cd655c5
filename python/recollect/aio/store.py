"""The store itself, for asyncio.

Written by `tools/write_aio.py` from `recollect.store.store`.
"""

from collections.abc import Sequence

from recollect.aio.channels import AsyncChannels
from recollect.aio.docs import AsyncDocs
from recollect.aio.embeddings import AsyncStoreEmbeddings
from recollect.aio.handle import Handle
from recollect.aio.projects import AsyncProjects
from recollect.aio.refs import AsyncRefs
from recollect.aio.rules import AsyncRules
from recollect.aio.threads import Threads
from recollect.records import (
    Change,
    Checkpoint,
    CheckReport,
    Doc,
    Kind,
    Ref,
    Rule,
    SearchResult,
    Space,
    StoreStats,
    Swept,
)
from recollect.store.store import Store
from recollect.store.values import Timeout, Vector

__all__ = ["AsyncStore"]


class AsyncStore(Handle):
    """An open store for asyncio; `recollect.aio.open` makes one.

    It may be used by any number of tasks, of any event loop and thread. It is an asynchronous context manager that
    closes at the end. In the child of a fork it refuses every call.

    Attributes:
        rules: Instructions to obey.
        docs: Documents kept verbatim.
        refs: Pointers with a note.
        projects: The projects that items belong to.
        channels: The named rooms that items may be in.
        embeddings: The stored vectors.
    """

    def __init__(self, store: Store, threads: Threads) -> None:
        super().__init__(store, threads)
        self.rules = AsyncRules(store.rules, threads)
        self.docs = AsyncDocs(store.docs, threads)
        self.refs = AsyncRefs(store.refs, threads)
        self.projects = AsyncProjects(store.projects, threads)
        self.channels = AsyncChannels(store.channels, threads)
        self.embeddings = AsyncStoreEmbeddings(store.embeddings, threads)

    @property
    def path(self) -> str | None:
        """The database file; None in memory."""
        return self._store.path

    @property
    def read_only(self) -> bool:
        """Whether the store was opened for reading alone."""
        return self._store.read_only

    @property
    def schema_version(self) -> int:
        """The number of the last migration."""
        return self._store.schema_version

    @property
    def uuid(self) -> str:
        """The identity of the store, given when it was created."""
        return self._store.uuid

    @property
    def default_project(self) -> str:
        """Where `add`, `get` by key and `search` are at home when they name no project."""
        return self._store.default_project

    async def tiers(self) -> tuple[str, ...]:
        """The access tiers, lowest first."""
        return await self._threads.read(lambda _timeout, _cancel: self._store.tiers)

    async def space(self) -> Space | None:
        """The embedding space of the store's vectors; None as long as there is none."""
        return await self._threads.read(lambda _timeout, _cancel: self._store.space)

    @property
    def embeds(self) -> bool:
        """Whether the store embeds texts itself, so that it can be searched by text."""
        return self._store.embeds

    @property
    def closed(self) -> bool:
        """Whether the store was closed."""
        return self._store.closed

    async def get(self, id: str, *, timeout: Timeout = None) -> Rule | Doc | Ref:
        """Returns one live item of whatever kind.

        Raises:
            NotFoundError: There is no such item.
            InvalidInputError: The id is malformed.
        """
        return await self._threads.read(
            lambda timeout, cancel: self._store.get(id, timeout=timeout, cancel=cancel), timeout
        )

    async def search(
        self,
        query: str | None = None,
        *,
        vector: Vector | None = None,
        kinds: Sequence[Kind] = (),
        project: str | None = None,
        tags: Sequence[str] = (),
        k: int = 10,
        timeout: Timeout = None,
    ) -> SearchResult:
        """Finds the items that are nearest in meaning to a text or to a vector.

        Args:
            query: What is looked for, in words. The store's embedder turns it into a vector.
            vector: What is looked for, as a vector of the store's space, shape (d,), instead.
            kinds: The kinds of items wanted; none means all.
            project: The project to search, with its ancestors up to the root. `acme/*` searches it and all below, `*`
                everything. None is the store's default project, with its ancestors; where that is the root, as it is
                unless `open` was told another, projects below the root are not searched.
            tags: Items that have all of these.
            k: How many items, from 1 to 10,000.
            timeout: How long the call may take, waiting for a free thread included.

        Returns:
            At most k items, best first, each with the chunk that matched best. There are fewer only if fewer items in
            scope have vectors.

        Raises:
            InvalidInputError: An argument is malformed, or the vector has another dimension.
            UnsupportedError: The store has no embedder for the query, or no embedding space for the vector.
        """
        return await self._threads.read(
            lambda timeout, cancel: self._store.search(
                query, vector=vector, kinds=kinds, project=project, tags=tags, k=k, timeout=timeout, cancel=cancel
            ),
            timeout,
        )

    async def changes(self, since: int = 0, *, limit: int = 1000, timeout: Timeout = None) -> tuple[Change, ...]:
        """Returns what was changed after a commit, oldest first; the entries of one commit are never separated.

        Args:
            since: The number of the last commit already known; 0 for all.
            limit: How many entries, unless the last commit has more.
            timeout: How long the call may take, waiting for a free thread included.
        """
        return await self._threads.read(
            lambda timeout, cancel: self._store.changes(since, limit=limit, timeout=timeout, cancel=cancel), timeout
        )

    async def stats(self, *, timeout: Timeout = None) -> StoreStats:
        """Returns counts, sizes and the state of the machinery."""
        return await self._threads.read(
            lambda timeout, cancel: self._store.stats(timeout=timeout, cancel=cancel), timeout
        )

    async def check(self, *, repair: bool = False, timeout: Timeout = None) -> CheckReport:
        """Reads the whole store and compares its parts with one another.

        Problems are reported, not raised.

        Args:
            repair: Whether to mend what can be made anew from the items themselves: indexes, vectors, hashes,
                counters. Nothing that only the store knows is changed: text whose item is lost stays, and stays a
                problem. Missing vectors are made in commits of 1,000 chunks; writers wait for one commit at most.
            timeout: How long the call may take, waiting for a free thread included.

        Raises:
            PermissionDeniedError: A repair was asked of a store that is open for reading alone.
        """
        return await (self._threads.write if repair is not False else self._threads.read)(
            lambda timeout, cancel: self._store.check(repair=repair, timeout=timeout, cancel=cancel), timeout
        )

    async def sweep(self, *, timeout: Timeout = None) -> Swept:
        """Removes for good, now, what is due: expired items, and deleted ones that can no longer be restored.

        A store that is open for writing does so by itself, once a minute; see `open`.

        Args:
            timeout: How long the call may take, waiting for a free thread included. What was removed before it ran out
                stays removed.

        Raises:
            PermissionDeniedError: The store is open for reading alone.
        """
        return await self._threads.write(
            lambda timeout, cancel: self._store.sweep(timeout=timeout, cancel=cancel), timeout
        )

    async def checkpoint(self, *, timeout: Timeout = None) -> Checkpoint:
        """Moves the write-ahead log into the database file now; it also happens by itself in the background."""
        return await self._threads.write(
            lambda timeout, cancel: self._store.checkpoint(timeout=timeout, cancel=cancel), timeout
        )
