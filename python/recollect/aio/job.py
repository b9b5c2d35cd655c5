"""One call on its way from a coroutine through a thread and back."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Final, Generic, TypeAlias, TypeVar

from recollect.store import CancelToken, Timeout
from recollect.store.values import seconds

__all__ = ["Clock", "Job", "Work", "ending"]

T = TypeVar("T")

Work: TypeAlias = Callable[[float | None, CancelToken], T]
"""What runs in a thread, given the seconds that are left to it and what cancels it."""

# A timer needs a number that a clock can reach.
_LONGEST_SECONDS: Final = 365 * 86_400.0


class Clock:
    """Counts a time limit from now on."""

    def __init__(self, timeout: Timeout) -> None:
        self._start = time.monotonic()
        self._limit = seconds(timeout)
        self._counts = (
            isinstance(self._limit, (int, float))
            and not isinstance(self._limit, bool)
            and 0 < self._limit <= _LONGEST_SECONDS
        )

    @property
    def counted(self) -> float | None:
        """The limit in seconds, where there is one that can run out while the call waits."""
        return self._limit if self._counts else None

    def left(self) -> float | None:
        """The seconds that are left. What is no time limit at all stays what it is: the core refuses it."""
        if self._limit is None or not self._counts:
            return self._limit
        return max(0.0, self._limit - (time.monotonic() - self._start))


class Job(Generic[T]):
    """One call of a coroutine; made on the event loop that the coroutine runs in.

    Attributes:
        loop: That event loop.
        token: Ends the call once it runs.
    """

    def __init__(self, work: Work[T], timeout: Timeout) -> None:
        self.loop = asyncio.get_running_loop()
        self.token = CancelToken()
        self._work = work
        self._clock = Clock(timeout)

    def run(self) -> T:
        """Does the work; called in a thread."""
        return self._work(self._clock.left(), self.token)

    def give_up(self, outcome: Future[T]) -> None:
        """Withdraws the call if it has not begun, and else lets the core undo it."""
        self.token.cancel()
        outcome.cancel()

    async def ended(self, outcome: Future[T]) -> None:
        """Waits until the call has ended in whatever way, or was withdrawn because its time ran out before it began.

        When the task is cancelled the call is given up, and its undoing is awaited, before the cancellation goes on.
        """
        event = ending(outcome)
        limit = self._clock.counted
        timer = None if limit is None else self.loop.call_later(limit, outcome.cancel)
        try:
            await event.wait()
        except asyncio.CancelledError:
            self.give_up(outcome)
            while not event.is_set():
                # Whoever cancels once more is answered by the one exception that is raised in the end.
                with suppress(asyncio.CancelledError):
                    await event.wait()
            raise
        except GeneratorExit:
            # The coroutine was thrown away with its event loop, and cannot wait.
            self.give_up(outcome)
            raise
        finally:
            if timer is not None:
                timer.cancel()


def ending(outcome: Future[T]) -> asyncio.Event:
    """An event of the running loop that is set when the call has ended."""
    loop = asyncio.get_running_loop()
    event = asyncio.Event()

    def announce(_: Future[T]) -> None:
        # A loop that was closed meanwhile has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(event.set)

    outcome.add_done_callback(announce)
    return event
