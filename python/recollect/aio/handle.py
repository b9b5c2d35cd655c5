"""What an asynchronous store is besides its methods: something that is opened, shown and closed."""

from types import TracebackType
from typing import Self

from recollect.aio.threads import Threads
from recollect.exceptions import RecollectError
from recollect.records.rendering import html_pairs
from recollect.store import Store, Timeout

__all__ = ["Handle"]


class Handle:
    """The life of an asynchronous store.

    Args:
        store: The store itself.
        threads: What its calls run on.
    """

    def __init__(self, store: Store, threads: Threads) -> None:
        self._store = store
        self._threads = threads

    async def close(self, *, timeout: Timeout = None) -> None:
        """Waits for the calls of all tasks, closes the store, and ends its threads; closing again does nothing.

        A store that nobody closed is closed when nothing refers to it or its collections any more.

        Args:
            timeout: How long to wait for calls of other tasks; None is the store's limit.

        Raises:
            LockedError: They did not end in time. The store is still open.
        """
        await self._threads.close(self._store, timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self.close()
            return
        # Whoever leaves with an exception, as at a cancellation or at Ctrl-C, waits for no call: each is undone.
        self._threads.give_up()
        try:
            await self.close()
        except RecollectError as failure:
            error.add_note(f"the store was not closed: {failure.message}")

    def __repr__(self) -> str:
        return repr(self._store).replace("<Store", "<AsyncStore", 1)

    def _repr_html_(self) -> str:
        # What the store knows without a look into the file: showing a store must neither wait nor fail.
        shown = ("path", "read_only", "closed", "schema_version", "uuid", "default_project", "embeds")
        return html_pairs("AsyncStore", ((name, getattr(self._store, name)) for name in shown))
