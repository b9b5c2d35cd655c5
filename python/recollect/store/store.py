"""The store itself."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from recollect._core import CancelToken
from recollect._core import Store as CoreStore
from recollect.config import logger
from recollect.exceptions import InvalidInputError, RecollectError
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
from recollect.records.rendering import html_pairs
from recollect.store.channels import Channels
from recollect.store.docs import Docs
from recollect.store.embeddings import StoreEmbeddings
from recollect.store.projects import Projects
from recollect.store.refs import Refs
from recollect.store.rules import Rules
from recollect.store.values import Timeout, Vector, seconds, vector_row

__all__ = ["Store"]


class Store:
    """An open store; `recollect.open` makes one.

    A store may be used by any number of threads, and the same file by any number of processes of one machine. It is a
    context manager that closes at the end. In the child of a fork it refuses every call: open stores after forking, or
    start processes with the method `spawn`.

    Attributes:
        rules: Instructions to obey.
        docs: Documents kept verbatim.
        refs: Pointers with a note.
        projects: The projects that items belong to.
        channels: The named rooms that items may be in.
        embeddings: The stored vectors.
    """

    def __init__(self, core: CoreStore) -> None:
        self._core = core
        self.rules = Rules(core)
        self.docs = Docs(core)
        self.refs = Refs(core)
        self.projects = Projects(core)
        self.channels = Channels(core)
        self.embeddings = StoreEmbeddings(core)

    @property
    def path(self) -> str | None:
        """The database file; None in memory."""
        return self._core.path

    @property
    def read_only(self) -> bool:
        """Whether the store was opened for reading alone."""
        return self._core.read_only

    @property
    def schema_version(self) -> int:
        """The number of the last migration."""
        return self._core.schema_version

    @property
    def uuid(self) -> str:
        """The identity of the store, given when it was created."""
        return self._core.uuid

    @property
    def default_project(self) -> str:
        """Where `add`, `get` by key and `search` are at home when they name no project."""
        return self._core.default_project

    @property
    def tiers(self) -> tuple[str, ...]:
        """The access tiers, lowest first."""
        return self._core.tiers(None, None)

    @property
    def space(self) -> Space | None:
        """The embedding space of the store's vectors; None as long as there is none."""
        return self._core.space

    @property
    def embeds(self) -> bool:
        """Whether the store embeds texts itself, so that it can be searched by text."""
        return self._core.embeds

    @property
    def closed(self) -> bool:
        """Whether the store was closed."""
        return self._core.closed

    def get(
        self,
        id: str,
        *,
        timeout: Timeout = None,
        cancel: CancelToken | None = None,
    ) -> Rule | Doc | Ref:
        """Returns one live item of whatever kind.

        Raises:
            NotFoundError: There is no such item.
            InvalidInputError: The id is malformed.
        """
        return self._core.get(None, id, None, None, seconds(timeout), cancel)

    def search(
        self,
        query: str | None = None,
        *,
        vector: Vector | None = None,
        kinds: Sequence[Kind] = (),
        project: str | None = None,
        tags: Sequence[str] = (),
        k: int = 10,
        timeout: Timeout = None,
        cancel: CancelToken | None = None,
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
            timeout: How long the call may take.
            cancel: Ends the call from elsewhere.

        Returns:
            At most k items, best first, each with the chunk that matched best. There are fewer only if fewer items in
            scope have vectors.

        Raises:
            InvalidInputError: An argument is malformed, or the vector has another dimension.
            UnsupportedError: The store has no embedder for the query, or no embedding space for the vector.
        """
        if isinstance(kinds, str) or isinstance(tags, str):
            raise InvalidInputError("kinds and tags are sequences of words, not one text", "pass a list: ['rule']")
        return self._core.search(query, vector_row(vector), kinds, project, tags, k, seconds(timeout), cancel)

    def changes(
        self,
        since: int = 0,
        *,
        limit: int = 1000,
        timeout: Timeout = None,
        cancel: CancelToken | None = None,
    ) -> tuple[Change, ...]:
        """Returns what was changed after a commit, oldest first; the entries of one commit are never separated.

        Args:
            since: The number of the last commit already known; 0 for all.
            limit: How many entries, unless the last commit has more.
            timeout: How long the call may take.
            cancel: Ends the call from elsewhere.
        """
        return self._core.changes(since, limit, seconds(timeout), cancel)

    def stats(self, *, timeout: Timeout = None, cancel: CancelToken | None = None) -> StoreStats:
        """Returns counts, sizes and the state of the machinery."""
        return self._core.stats(seconds(timeout), cancel)

    def check(self, *, repair: bool = False, timeout: Timeout = None, cancel: CancelToken | None = None) -> CheckReport:
        """Reads the whole store and compares its parts with one another.

        Problems are reported, not raised.

        Args:
            repair: Whether to mend what can be made anew from the items themselves: indexes, vectors, hashes,
                counters. Nothing that only the store knows is changed: text whose item is lost stays, and stays a
                problem. Missing vectors are made in commits of 1,000 chunks; writers wait for one commit at most.
            timeout: How long the call may take.
            cancel: Ends the call from elsewhere.

        Raises:
            PermissionDeniedError: A repair was asked of a store that is open for reading alone.
        """
        return self._core.check(repair, seconds(timeout), cancel)

    def sweep(self, *, timeout: Timeout = None, cancel: CancelToken | None = None) -> Swept:
        """Removes for good, now, what is due: expired items, and deleted ones that can no longer be restored.

        A store that is open for writing does so by itself, once a minute; see `open`.

        Args:
            timeout: How long the call may take. What was removed before it ran out stays removed.
            cancel: Ends the call from elsewhere.

        Raises:
            PermissionDeniedError: The store is open for reading alone.
        """
        return self._core.sweep(seconds(timeout), cancel)

    def checkpoint(self, *, timeout: Timeout = None, cancel: CancelToken | None = None) -> Checkpoint:
        """Moves the write-ahead log into the database file now; it also happens by itself in the background."""
        return self._core.checkpoint(seconds(timeout), cancel)

    def close(self, *, timeout: Timeout = None) -> None:
        """Closes the store, waiting for calls of other threads; closing again does nothing.

        A store that nobody closed is closed when nothing refers to it or its collections any more.

        Args:
            timeout: How long to wait for calls of other threads; None is the store's limit.

        Raises:
            LockedError: They did not end in time. The store is still open.
        """
        self._core.close(seconds(timeout))
        logger.debug("closed %s", self._core.path or ":memory:")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
            return
        try:
            self.close()
        except RecollectError as failure:
            # What went wrong first is what the caller must hear of.
            error.add_note(f"the store was not closed: {failure.message}")

    def __repr__(self) -> str:
        state = "closed" if self.closed else "read-only" if self.read_only else "open"
        return f"<Store {self.path or ':memory:'!r}, {state}>"

    def _repr_html_(self) -> str:
        # What the store knows without a look into the file: showing a store must neither wait nor fail.
        shown = ("path", "read_only", "closed", "schema_version", "uuid", "default_project", "embeds")
        return html_pairs("Store", ((name, getattr(self, name)) for name in shown))
