"""From the arguments of `open` to a store that is ready."""

from collections.abc import Callable, Coroutine, Generator
from types import TracebackType
from typing import Any

from recollect.aio.store import AsyncStore
from recollect.aio.threads import Threads, thread_count
from recollect.store import CancelToken, Store, Timeout

__all__ = ["Opening", "connect"]


class Opening(Coroutine[Any, Any, AsyncStore]):
    """A store that is about to be opened: `await` it, or enter it with `async with`, which closes the store at the end.

    It is a coroutine too, so `asyncio.create_task` and `asyncio.run` take it.
    """

    _store: AsyncStore

    def __init__(self, coroutine: Coroutine[Any, Any, AsyncStore]) -> None:
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, AsyncStore]:
        return self._coroutine.__await__()

    async def __aenter__(self) -> AsyncStore:
        self._store = await self._coroutine
        return self._store

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._store.__aexit__(kind, error, trace)

    def send(self, value: Any, /) -> Any:  # noqa: ANN401 - the protocol of coroutines
        """Goes on until the next wait."""
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:  # noqa: ANN401 - as `send`
        """Goes on with an exception."""
        return self._coroutine.throw(*error)

    def close(self) -> None:
        """Ends the coroutine, which may not have been awaited. What it opened is closed by and by."""
        self._coroutine.close()


async def connect(opening: Callable[[], Store], *, threads: object, readers: object, timeout: Timeout) -> AsyncStore:
    """Opens a store in a thread of its own pool.

    Args:
        opening: Opens it.
        threads: The number of threads asked for; None leaves it to `readers`.
        readers: The number of readers of the store.
        timeout: The time limit that the store is opened with.

    Raises:
        InvalidInputError: That is no number of threads.
    """
    pool = Threads(thread_count(threads, readers), timeout)
    opened: list[Store] = []

    def work(_: float | None, cancel: CancelToken) -> None:
        store = opening()
        if cancel.cancelled:
            # Opening itself cannot be cancelled; its undoing is part of what is awaited.
            store.close()
        else:
            opened.append(store)

    try:
        await pool.write(work)
    except BaseException:
        if opened:
            # The task was cancelled between the end of the work and the news of it.
            pool.close_later(opened.pop())
        pool.end()
        raise
    return AsyncStore(opened[0], pool)
