"""The compiled core. It is not public: `recollect` wraps all of it, and documents what it does.

Times cross as aware `datetime` values, in UTC on the way out. Time limits cross as seconds, or None. Arrays cross
inwards by the buffer protocol, outwards as bytes in the order of the machine. Records are classes of
`recollect.records`, errors are classes of `recollect.exceptions`.
"""

from collections.abc import Mapping, Sequence
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from recollect.records import (
    Added,
    Change,
    Checkpoint,
    CheckReport,
    Deleted,
    DeletedMany,
    Doc,
    Page,
    Piece,
    Project,
    Purged,
    Ref,
    Rule,
    SearchResult,
    Space,
    StoreStats,
    Swept,
    Version,
)

__all__ = ["CancelToken", "StaticModel", "Store", "__version__", "end", "error_table", "limits", "lock_descriptors"]

__version__: Final[str]

@final
class CancelToken:
    """Ends the calls it was given to, from another thread or from a signal handler.

    Once cancelled it stays so: a call that is given a cancelled token ends at once.
    """

    def __new__(cls) -> CancelToken: ...
    def cancel(self) -> None:
        """Ends every call that holds this token, now or later, with `CancelledError`."""

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""

@final
class StaticModel:
    """The built-in embedding model."""

    def __new__(cls, tokenizer: str, weights: str) -> StaticModel: ...
    @property
    def name(self) -> str:
        """The name of the model."""

    @property
    def revision(self) -> str:
        """The release of the model."""

    @property
    def dimension(self) -> int:
        """The number of components of each vector."""

    @property
    def weights_hash(self) -> str:
        """BLAKE3-256 of the weights and the tokeniser, in hexadecimal."""

    def embed(self, texts: Sequence[str]) -> bytes:
        """Embeds n texts into n rows of float32; a text without tokens gives a row of zeros."""

    def token_ids(self, text: str) -> list[int]:
        """Splits a text into tokens."""

    def token_count(self, text: str) -> int:
        """Counts the tokens of a text."""

@final
class Store:
    """An open store.

    `kind` is `rule`, `doc` or `ref`; drafts, filters and patches have the names that `recollect.store` declares.
    """

    @staticmethod
    def open(
        path: str | None,
        *,
        read_only: bool,
        create: bool,
        durability: str,
        timeout: float | None,
        readers: int,
        project: str,
        principal: str,
        sweep: bool,
        embedder: object | None,
        space: tuple[str, str, int] | None,
        require_space: bool,
    ) -> Store:
        """Opens a store; without a path, in memory.

        `embedder` is a `StaticModel` or any object with the `Embedder` protocol; `space` is name, revision and
        dimension of vectors that the caller brings. With `require_space` a store of another space is refused; without,
        it is opened without the embedder.
        """

    def add_many(
        self,
        kind: str,
        drafts: Sequence[Mapping[str, object]],
        vectors: NDArray[np.float32] | None,
        timeout: float | None,
        cancel: CancelToken | None,
    ) -> tuple[Added, ...]:
        """Adds items in one transaction; `vectors` has one row per chunk of all of them."""

    def get(
        self,
        kind: str | None,
        id: str | None,
        key: str | None,
        project: str | None,
        timeout: float | None,
        cancel: CancelToken | None,
    ) -> Rule | Doc | Ref:
        """Finds one live item; without a kind by id only."""

    def list(
        self,
        kind: str,
        filters: Mapping[str, object],
        order: str,
        descending: bool,
        limit: int,
        cursor: str | None,
        timeout: float | None,
        cancel: CancelToken | None,
    ) -> Page[Rule | Doc | Ref]:
        """Returns a page of items."""

    def count(self, kind: str, filters: Mapping[str, object], timeout: float | None, cancel: CancelToken | None) -> int:
        """Counts items."""

    def update(
        self,
        kind: str,
        id: str,
        version: int | None,
        patch: Mapping[str, object],
        vectors: NDArray[np.float32] | None,
        timeout: float | None,
        cancel: CancelToken | None,
    ) -> Rule | Doc | Ref:
        """Changes the fields that are present in the patch; None takes a value away."""

    def delete(
        self, kind: str, id: str, version: int | None, timeout: float | None, cancel: CancelToken | None
    ) -> Deleted:
        """Deletes an item softly."""

    def restore(self, kind: str, id: str, timeout: float | None, cancel: CancelToken | None) -> Rule | Doc | Ref:
        """Brings a deleted item back."""

    def delete_many(
        self,
        kind: str,
        filters: Mapping[str, object],
        expected: int | None,
        dry_run: bool,
        timeout: float | None,
        cancel: CancelToken | None,
    ) -> DeletedMany:
        """Deletes the items of a filter softly."""

    def purge(
        self, kind: str, ids: Sequence[str], timeout: float | None, cancel: CancelToken | None
    ) -> tuple[Purged, ...]:
        """Removes items for good."""

    def history(
        self, kind: str, id: str, timeout: float | None, cancel: CancelToken | None
    ) -> tuple[Version[Rule | Doc | Ref], ...]:
        """Returns every version of an item, oldest first."""

    def revert(
        self, kind: str, id: str, to: int, version: int | None, timeout: float | None, cancel: CancelToken | None
    ) -> Rule | Doc | Ref:
        """Makes an older version the newest."""

    def split(self, text: str, media_type: str) -> tuple[Piece, ...]:
        """Splits a text as a document would be."""

    def split_sections(self, text: str) -> tuple[Piece, ...]:
        """Splits a Markdown text at its headings."""

    def projects(self, timeout: float | None, cancel: CancelToken | None) -> tuple[Project, ...]:
        """Returns every project."""

    def rename_project(self, path: str, name: str, timeout: float | None, cancel: CancelToken | None) -> str:
        """Gives a project another last name, and returns its new path."""

    def move_project(self, path: str, parent: str, timeout: float | None, cancel: CancelToken | None) -> str:
        """Puts a project under another parent, and returns its new path."""

    def delete_project(self, path: str, recursive: bool, timeout: float | None, cancel: CancelToken | None) -> int:
        """Deletes the items of a project, and returns their number."""

    def create_channel(self, name: str, timeout: float | None, cancel: CancelToken | None) -> bool:
        """Creates a channel; False if it was there."""

    def channels(self, timeout: float | None, cancel: CancelToken | None) -> tuple[str, ...]:
        """Returns the names of all channels."""

    def tiers(self, timeout: float | None, cancel: CancelToken | None) -> tuple[str, ...]:
        """Returns the names of the tiers, lowest first."""

    def changes(self, since: int, limit: int, timeout: float | None, cancel: CancelToken | None) -> tuple[Change, ...]:
        """Returns the changes after a commit."""

    def search(
        self,
        query: str | None,
        vector: NDArray[np.float32] | None,
        kinds: Sequence[str],
        project: str | None,
        tags: Sequence[str],
        k: int,
        timeout: float | None,
        cancel: CancelToken | None,
    ) -> SearchResult:
        """Ranks items by a text or by a vector."""

    def get_embeddings(
        self, ids: Sequence[str], timeout: float | None, cancel: CancelToken | None
    ) -> tuple[bytes, bytes, bytes, int]:
        """Returns chunk ids and the places of their items in `ids` (uint32), vectors (float32), and their dimension."""

    def put_embeddings(
        self,
        chunks: NDArray[np.uint32],
        vectors: NDArray[np.float32] | None,
        timeout: float | None,
        cancel: CancelToken | None,
    ) -> int:
        """Stores vectors of chunks, and returns their number."""

    def missing_embeddings(
        self, limit: int, timeout: float | None, cancel: CancelToken | None
    ) -> tuple[tuple[int, str], ...]:
        """Returns ids and texts of chunks without a vector."""

    def stats(self, timeout: float | None, cancel: CancelToken | None) -> StoreStats:
        """Returns counts and sizes."""

    def check(self, repair: bool, timeout: float | None, cancel: CancelToken | None) -> CheckReport:
        """Examines the whole store, and repairs what can be made anew."""

    def sweep(self, timeout: float | None, cancel: CancelToken | None) -> Swept:
        """Removes what has expired and what was deleted too long ago to be restored."""

    def checkpoint(self, timeout: float | None, cancel: CancelToken | None) -> Checkpoint:
        """Moves the write-ahead log into the database file."""

    def scan_seconds(self) -> float:
        """Returns the seconds it takes to sum the index's vectors once: the yardstick of exact search."""

    def close(self, timeout: float | None) -> None:
        """Closes the store."""

    @property
    def closed(self) -> bool:
        """Whether the store was closed."""

    @property
    def path(self) -> str | None:
        """The database file; None in memory."""

    @property
    def read_only(self) -> bool:
        """Whether the store was opened for reading alone."""

    @property
    def schema_version(self) -> int:
        """The number of the last migration."""

    @property
    def default_project(self) -> str:
        """The project of calls that name none."""

    @property
    def uuid(self) -> str:
        """The identity of the store."""

    @property
    def space(self) -> Space | None:
        """The embedding space."""

    @property
    def embeds(self) -> bool:
        """Whether text queries can be answered."""

def limits() -> tuple[tuple[str, int, str, str], ...]:
    """Returns every limit: its name, its value, the unit, and what it bounds."""

def error_table() -> tuple[tuple[str, bool, int, str], ...]:
    """Returns every kind of error: its code, whether it is retryable, the exit status, and the default hint."""

def lock_descriptors() -> list[int]:
    """Returns the descriptors of the lock files of every open store of this process."""

def end(seconds: float) -> bool:
    """Refuses the calls of all other threads from now on, because the interpreter ends.

    It waits, for at most that many seconds, until no thread is between Python and the core, and says whether none is.
    """
