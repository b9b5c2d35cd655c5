"""The stored vectors of a store."""

from collections.abc import Sequence
from dataclasses import dataclass

from recollect._core import CancelToken
from recollect._core import Store as CoreStore
from recollect.arrays import np, npt
from recollect.exceptions import InvalidInputError
from recollect.records.rendering import html_table
from recollect.store.values import Timeout, Vectors, seconds, vector_rows

__all__ = ["Embeddings", "StoreEmbeddings"]

# A notebook is to show what there is, not to drown in it.
_SHOWN_ROWS = 20


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Embeddings:
    """The vectors of some items, one row per chunk that has one. The arrays cannot be written to.

    Attributes:
        items: The ids that were asked for.
        item_index: Shape (n,), uint32: for each row, the place of its item in `items`.
        chunks: Shape (n,), uint32: for each row, the id of its chunk.
        vectors: Shape (n, d), float32: the vectors as they were stored.
    """

    items: tuple[str, ...]
    item_index: "npt.NDArray[np.uint32]"
    chunks: "npt.NDArray[np.uint32]"
    vectors: "npt.NDArray[np.float32]"

    def __len__(self) -> int:
        return len(self.chunks)

    def __repr__(self) -> str:
        rows, columns = self.vectors.shape
        return f"Embeddings({rows} vectors of {columns} components, of {len(self.items)} items)"

    def _repr_html_(self) -> str:
        places: list[int] = self.item_index[:_SHOWN_ROWS].tolist()
        chunks: list[int] = self.chunks[:_SHOWN_ROWS].tolist()
        shown = [(self.items[place], chunk) for place, chunk in zip(places, chunks, strict=True)]
        return html_table(repr(self), ("item", "chunk"), shown)


class StoreEmbeddings:
    """The stored vectors of a store, in and out as numpy arrays."""

    def __init__(self, core: CoreStore) -> None:
        self._core = core

    def get(self, ids: Sequence[str], *, timeout: Timeout = None, cancel: CancelToken | None = None) -> Embeddings:
        """Returns the vectors of the chunks of items.

        Args:
            ids: The items.
            timeout: How long the call may take.
            cancel: Ends the call from elsewhere.

        Raises:
            NotFoundError: There is no such live item.
            InvalidInputError: They are no list of ids.
        """
        if isinstance(ids, str):
            raise InvalidInputError("get takes several ids, and this is a single one", "pass a list of ids")
        try:
            items = tuple(ids)
        except Exception as error:
            raise InvalidInputError(
                f"ids are several texts, not a {type(ids).__name__}", "pass a list of ids"
            ) from error
        chunks, places, vectors, dimension = self._core.get_embeddings(items, seconds(timeout), cancel)
        return Embeddings(
            items,
            np.frombuffer(places, dtype=np.uint32),
            np.frombuffer(chunks, dtype=np.uint32),
            np.frombuffer(vectors, dtype=np.float32).reshape(-1, max(dimension, 1)),
        )

    def put(
        self,
        chunks: "Sequence[int] | npt.NDArray[np.integer]",
        vectors: Vectors,
        *,
        timeout: Timeout = None,
        cancel: CancelToken | None = None,
    ) -> int:
        """Stores vectors of chunks, in place of those they had.

        Args:
            chunks: The ids of n chunks, as `missing` and `get` give them.
            vectors: Their vectors, shape (n, d).
            timeout: How long the call may take.
            cancel: Ends the call from elsewhere.

        Returns:
            The number of vectors stored.

        Raises:
            NotFoundError: There is no such live chunk.
            InvalidInputError: The numbers of chunks and vectors differ, a vector has another dimension, is not finite
                or is zero, or the store has no embedding space.
        """
        hint = "pass the ids that `missing` gave"
        try:
            ids = np.asarray(chunks)
        except Exception as error:
            raise InvalidInputError(f"chunks cannot be read as whole numbers: {error}", hint) from error
        if ids.ndim != 1 or (ids.size and ids.dtype.kind not in "iu"):
            raise InvalidInputError("chunks are whole numbers in one dimension", hint)
        if ids.size and (ids.min() < 0 or ids.max() > np.iinfo(np.uint32).max):
            raise InvalidInputError("a chunk id is out of range", hint)
        numbers = np.ascontiguousarray(ids, dtype=np.uint32)
        return self._core.put_embeddings(numbers, vector_rows(vectors), seconds(timeout), cancel)

    def missing(
        self, limit: int = 1000, *, timeout: Timeout = None, cancel: CancelToken | None = None
    ) -> tuple[tuple[int, str], ...]:
        """Returns live chunks without a vector: pairs of chunk id and the text to embed.

        Args:
            limit: How many at most.
            timeout: How long the call may take.
            cancel: Ends the call from elsewhere.
        """
        return self._core.missing_embeddings(limit, seconds(timeout), cancel)
