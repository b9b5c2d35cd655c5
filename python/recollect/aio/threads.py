"""The threads that the calls of a store run on, so that the event loop never waits for a file.

A thread pool of the event loop would not do: it is shared with everything else, and its threads cannot be told to stop.
"""

import asyncio
import atexit
import os
import threading
import weakref
from collections.abc import Awaitable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import Any, Final, TypeVar

from recollect.aio.job import Clock, Job, Work, ending
from recollect.exceptions import CancelledError, DeadlineExceededError, InvalidInputError, LockedError, StorageIOError
from recollect.store import Store, Timeout

__all__ = ["MOST_THREADS", "Threads", "thread_count"]

T = TypeVar("T")

MOST_THREADS: Final = 1024
# More than this are not worth their stacks unless someone says so.
_MOST_BY_DEFAULT: Final = 32
# Of so many threads one may write. Writers wait for one another, and must not keep readers from a thread meanwhile.
_THREADS_PER_WRITER: Final = 4


def thread_count(threads: object, readers: object) -> int:
    """The number of threads of a store: those that were asked for, else one more than it has readers, at most 32.

    Raises:
        InvalidInputError: It is no whole number from 1 to 1024.
    """
    if threads is None:
        # What is no number of readers is refused by `recollect.open`.
        return min(readers + 1, _MOST_BY_DEFAULT) if isinstance(readers, int) and readers > 0 else 1
    if not isinstance(threads, int) or isinstance(threads, bool):
        raise InvalidInputError(f"threads must be a whole number, not a {type(threads).__name__}")
    if not 1 <= threads <= MOST_THREADS:
        raise InvalidInputError(f"threads is {threads}; it must be from 1 to {MOST_THREADS}")
    return threads


class Threads:
    """The threads of one store. They begin when they are needed, and end with the store.

    Args:
        count: How many calls may run at the same time. A quarter of them, and at least one, may be writes.
        timeout: How long closing waits that is given no limit of its own.
    """

    def __init__(self, count: int, timeout: Timeout) -> None:
        writers = max(1, count // _THREADS_PER_WRITER)
        self._writing = ThreadPoolExecutor(writers, "recollect-async-write")
        self._reading = (
            ThreadPoolExecutor(count - writers, "recollect-async-read") if count > writers else self._writing
        )
        self._timeout = timeout
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._running: dict[Future[Any], Job[Any]] = {}
        self._is_closed = False
        _ALL.add(self)

    def read(self, work: Work[T], timeout: Timeout = None) -> Awaitable[T]:
        """Runs what only reads, and what needs no file at all."""
        return self._run(self._reading, work, timeout)

    def write(self, work: Work[T], timeout: Timeout = None) -> Awaitable[T]:
        """Runs what may have to wait for other writers."""
        return self._run(self._writing, work, timeout)

    async def close(self, store: Store, timeout: Timeout) -> None:
        """Waits for all calls, closes the store, and ends the threads.

        Raises:
            LockedError: The calls did not end in time. The store is still open.
        """
        clock = Clock(timeout)
        if self._is_out_of_use():
            store.close(timeout=timeout)
            return
        if timeout is None or clock.counted is not None:
            await self._until_idle(Clock(self._timeout).counted if timeout is None else clock.counted)
        try:
            await self.write(lambda left, _: store.close(timeout=left), clock.left())
        finally:
            # Cancelling does not open it again.
            if store.closed:
                self.end()
        # What was called while the store was being closed has been refused by now, or is about to be.
        await self._until_idle(None)
        self._reading.shutdown()
        self._writing.shutdown()

    def end(self) -> None:
        """Lets the threads end when their calls have ended. What is called from now on does not get a thread."""
        self._is_closed = True
        self._reading.shutdown(wait=False)
        self._writing.shutdown(wait=False)

    def close_later(self, store: Store) -> None:
        """Closes a store that nobody will use, and ends the threads, without waiting for either."""
        # At the end of the interpreter, which closes what is open, no thread is to be had any more.
        with suppress(RuntimeError):
            self._writing.submit(store.close)
        self.end()

    def give_up(self) -> None:
        """Ends every call: those that have not begun are withdrawn, those that run are undone."""
        for outcome, job in self._snapshot():
            job.give_up(outcome)

    def give_up_what_nobody_awaits(self) -> None:
        """Ends the calls whose event loop runs no more."""
        if os.getpid() != self._process:
            # The lock may be held by a thread that is not there.
            return
        for outcome, job in self._snapshot():
            if not job.loop.is_running():
                job.give_up(outcome)

    async def _run(self, pool: ThreadPoolExecutor, work: Work[T], timeout: Timeout) -> T:
        job = Job(work, timeout)
        if self._is_out_of_use():
            # The store refuses the call with the error that it has for it, and at once.
            return job.run()
        outcome = self._submit(pool, job)
        try:
            await job.ended(outcome)
            if outcome.cancelled() and job.token.cancelled:
                raise CancelledError("the call was given up before it began, as its store was left with an exception")
            if outcome.cancelled():
                raise DeadlineExceededError(
                    "the call ran out of time before a thread was free for it",
                    "give a longer timeout, or open the store with more threads",
                )
            return outcome.result()
        finally:
            # It holds the exception, whose traceback holds this frame.
            del outcome

    def _submit(self, pool: ThreadPoolExecutor, job: Job[T]) -> Future[T]:
        try:
            outcome = pool.submit(copy_context().run, job.run)
        except RuntimeError as error:
            # The pool may have queued it all the same, for a thread that is there.
            job.token.cancel()
            raise StorageIOError(
                f"there is no thread for the call: {error}",
                "call before the interpreter ends, or let the process have more threads",
            ) from error
        with self._lock:
            self._running[outcome] = job
        outcome.add_done_callback(self._forget)
        return outcome

    def _forget(self, outcome: Future[Any]) -> None:
        with self._lock:
            self._running.pop(outcome, None)

    def _snapshot(self) -> list[tuple[Future[Any], Job[Any]]]:
        with self._lock:
            return list(self._running.items())

    def _is_out_of_use(self) -> bool:
        """Whether the threads were ended, or belong to the process that forked this one."""
        return self._is_closed or os.getpid() != self._process

    async def _until_idle(self, limit: float | None) -> None:
        """Waits until every call that was made by now has ended.

        Raises:
            LockedError: They did not end within the limit.
        """
        endings = [ending(outcome) for outcome, _ in self._snapshot()]
        try:
            async with asyncio.timeout(limit):
                for event in endings:
                    await event.wait()
        except TimeoutError:
            running = sum(not event.is_set() for event in endings)
            raise LockedError(
                f"the store cannot be closed: {running} calls are still running",
                "await or cancel them first, or give a longer timeout",
            ) from None


_ALL: Final[weakref.WeakSet[Threads]] = weakref.WeakSet()


def _give_up_what_nobody_awaits() -> None:
    for threads in list(_ALL):
        threads.give_up_what_nobody_awaits()


# At its end the interpreter waits for threads, and only then calls what is registered with `atexit`. This hook, the one
# that `concurrent.futures` itself uses, comes before: what a stopped event loop left behind must not keep it waiting.
getattr(threading, "_register_atexit", atexit.register)(_give_up_what_nobody_awaits)
