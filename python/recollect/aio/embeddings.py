"""The stored vectors of a store, in and out as numpy arrays, for asyncio.

Written by `tools/write_aio.py` from `recollect.store.embeddings`.
"""

from collections.abc import Sequence

from recollect.aio.threads import Threads
from recollect.arrays import np, npt
from recollect.store.embeddings import Embeddings, StoreEmbeddings
from recollect.store.values import Timeout, Vectors

__all__ = ["AsyncStoreEmbeddings"]


class AsyncStoreEmbeddings:
    """The stored vectors of a store, in and out as numpy arrays."""

    def __init__(self, embeddings: StoreEmbeddings, threads: Threads) -> None:
        self._embeddings = embeddings
        self._threads = threads

    async def get(self, ids: Sequence[str], *, timeout: Timeout = None) -> Embeddings:
        """Returns the vectors of the chunks of items.

        Args:
            ids: The items.
            timeout: How long the call may take, waiting for a free thread included.

        Raises:
            NotFoundError: There is no such live item.
            InvalidInputError: They are no list of ids.
        """
        return await self._threads.read(
            lambda timeout, cancel: self._embeddings.get(ids, timeout=timeout, cancel=cancel), timeout
        )

    async def put(
        self, chunks: "Sequence[int] | npt.NDArray[np.integer]", vectors: Vectors, *, timeout: Timeout = None
    ) -> int:
        """Stores vectors of chunks, in place of those they had.

        Args:
            chunks: The ids of n chunks, as `missing` and `get` give them.
            vectors: Their vectors, shape (n, d).
            timeout: How long the call may take, waiting for a free thread included.

        Returns:
            The number of vectors stored.

        Raises:
            NotFoundError: There is no such live chunk.
            InvalidInputError: The numbers of chunks and vectors differ, a vector has another dimension, is not finite
                or is zero, or the store has no embedding space.
        """
        return await self._threads.write(
            lambda timeout, cancel: self._embeddings.put(chunks, vectors, timeout=timeout, cancel=cancel), timeout
        )

    async def missing(self, limit: int = 1000, *, timeout: Timeout = None) -> tuple[tuple[int, str], ...]:
        """Returns live chunks without a vector: pairs of chunk id and the text to embed.

        Args:
            limit: How many at most.
            timeout: How long the call may take, waiting for a free thread included.
        """
        return await self._threads.read(
            lambda timeout, cancel: self._embeddings.missing(limit, timeout=timeout, cancel=cancel), timeout
        )
