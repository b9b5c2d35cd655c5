"""Cancelling a task undoes its call: the task ends when nothing of the call is left, and not before."""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import recollect
from recollect import aio

RULES = [f"rule {number} " + f"word{number} " * 60 for number in range(60_000)]


class Waiting:
    """An embedder that waits until it is let go."""

    name = "waiting"
    dimension = 4

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.ended = threading.Event()

    def embed_documents(self, texts: Sequence[str], /) -> NDArray[np.float32]:
        self.begun.set()
        assert self.may_end.wait(30)
        self.ended.set()
        return np.ones((len(texts), 4), dtype=np.float32)

    def embed_queries(self, texts: Sequence[str], /) -> NDArray[np.float32]:
        return self.embed_documents(texts)


def own_threads() -> list[threading.Thread]:
    """The threads of asynchronous stores."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("recollect-async")]


async def until(event: threading.Event) -> None:
    """Waits for an event of another thread."""
    assert await asyncio.to_thread(event.wait, 30)


async def untouched(store: aio.AsyncStore) -> None:
    """Asserts that nothing was written, and that the store works at once."""
    start = time.monotonic()
    assert await store.rules.count() == 0
    assert (await store.stats()).seq == 0
    assert await store.channels.create("afterwards")
    assert time.monotonic() - start < 3
    assert (await store.check()).ok


def test_cancelled_batch_leaves_nothing(store_path: Path) -> None:
    async def main() -> None:
        async with aio.open(store_path, embedder=None) as store:
            task = asyncio.create_task(store.rules.add_many(RULES))
            await asyncio.sleep(0.3)
            start = time.monotonic()
            assert task.cancel("enough")
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert time.monotonic() - start < 3
            assert caught.value.args == ("enough",)
            assert task.cancelled()
            await untouched(store)

    asyncio.run(main())


def test_task_ends_after_the_undoing_even_if_it_is_cancelled_again(store_path: Path) -> None:
    embedder = Waiting()

    async def main() -> None:
        async with aio.open(store_path, embedder=embedder) as store:
            task = asyncio.create_task(store.rules.add("a rule"))
            await until(embedder.begun)
            for _ in range(5):
                task.cancel()
                await asyncio.sleep(0.01)
                assert not task.done()
            embedder.may_end.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert embedder.ended.is_set()
            await untouched(store)

    asyncio.run(main())


def test_call_that_has_not_begun_is_withdrawn_at_once(store_path: Path) -> None:
    embedder = Waiting()

    async def main() -> None:
        async with aio.open(store_path, embedder=embedder, threads=1) as store:
            first = asyncio.create_task(store.rules.add("a rule"))
            await until(embedder.begun)
            second = asyncio.create_task(store.channels.create("room"))
            await asyncio.sleep(0.01)
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(asyncio.shield(second), 5)
            assert not first.done()
            embedder.may_end.set()
            assert (await first).created
            assert await store.channels.list() == ()

    asyncio.run(main())


@pytest.mark.parametrize("limit", ["asyncio.timeout", "asyncio.wait_for"])
def test_time_limit_of_asyncio_undoes_the_call(store_path: Path, limit: str) -> None:
    embedder = Waiting()

    async def limited(call: Awaitable[object]) -> None:
        if limit == "asyncio.wait_for":
            await asyncio.wait_for(call, 0.1)
        async with asyncio.timeout(0.1):
            await call

    async def main() -> None:
        async with aio.open(store_path, embedder=embedder) as store:
            threading.Timer(0.4, embedder.may_end.set).start()
            with pytest.raises(TimeoutError):
                await limited(store.rules.add("a rule"))
            assert embedder.ended.is_set()
            await untouched(store)

    asyncio.run(main())


def test_failure_of_another_task_of_the_group_undoes_the_call(store_path: Path) -> None:
    embedder = Waiting()

    async def fail() -> None:
        await until(embedder.begun)
        threading.Timer(0.2, embedder.may_end.set).start()
        raise ZeroDivisionError

    async def together(*calls: Coroutine[Any, Any, object]) -> None:
        async with asyncio.TaskGroup() as group:
            for call in calls:
                group.create_task(call)

    async def main() -> None:
        async with aio.open(store_path, embedder=embedder) as store:
            with pytest.raises(ExceptionGroup) as caught:
                await together(store.rules.add("a rule"), fail())
            assert caught.group_contains(ZeroDivisionError)
            assert embedder.ended.is_set()
            await untouched(store)

    asyncio.run(main())


def test_cancel_that_comes_after_the_commit_leaves_the_commit(store_path: Path) -> None:
    async def main() -> None:
        async with aio.open(store_path, embedder=None) as store:
            task = asyncio.create_task(store.channels.create("room"))
            await asyncio.sleep(0)
            # The loop is held up, so that it does not hear of the end before the cancelling.
            time.sleep(0.5)  # noqa: ASYNC251 - as above
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await store.channels.list() == ("room",)

    asyncio.run(main())


def test_read_is_cancelled(store_path: Path) -> None:
    async def main() -> None:
        space = recollect.ExternalVectors("m", 8)
        vectors = np.random.default_rng(1).standard_normal((20_000, 8)).astype(np.float32)
        async with aio.open(store_path, embedder=space, durability="normal") as store:
            await store.rules.add_many(RULES[:20_000], vectors=vectors)
            task = asyncio.create_task(store.check())
            await asyncio.sleep(0.05)
            start = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - start < 2
            assert await store.rules.count() == 20_000

    asyncio.run(main())


def test_hundred_cancelled_tasks_leave_what_was_acknowledged(store_path: Path) -> None:
    async def main() -> None:
        async with aio.open(store_path, embedder=None, threads=4) as store:
            tasks = [asyncio.create_task(store.rules.add(f"rule {number} on subject{number}")) for number in range(100)]
            await asyncio.sleep(0.05)
            for task in tasks[::2]:
                task.cancel()
            answers = await asyncio.gather(*tasks, return_exceptions=True)
            added = [answer for answer in answers if isinstance(answer, recollect.Added)]
            cancelled = [answer for answer in answers if isinstance(answer, asyncio.CancelledError)]
            assert len(added) + len(cancelled) == 100
            assert len(added) >= 50
            held = {rule.id async for rule in store.rules.iterate()}
            assert {answer.id for answer in added} <= held
            assert (await store.stats()).seq == len(held)

    asyncio.run(main())


def test_cancelled_opening_leaves_nothing_open(store_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "recollect")
    begun, may_end = threading.Event(), threading.Event()

    class Slow(Waiting):
        @property
        def revision(self) -> str:
            begun.set()
            assert may_end.wait(30)
            return "1"

    async def main() -> None:
        task = asyncio.create_task(aio.open(store_path, embedder=Slow()))
        await until(begun)
        task.cancel()
        await asyncio.sleep(0.05)
        assert not task.done()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [message.split()[0] for message in caplog.messages if "memory.db" in message] == ["opened", "closed"]

    asyncio.run(main())
    end = time.monotonic() + 10
    while own_threads() and time.monotonic() < end:
        time.sleep(0.01)
    assert own_threads() == []
    with recollect.open(store_path, embedder=None) as store:
        assert store.rules.count() == 0


def test_cancelled_close_leaves_the_store_open(store_path: Path) -> None:
    embedder = Waiting()

    async def main() -> None:
        store = await aio.open(store_path, embedder=embedder)
        adding = asyncio.create_task(store.rules.add("a rule"))
        await until(embedder.begun)
        closing = asyncio.create_task(store.close())
        await asyncio.sleep(0.02)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        embedder.may_end.set()
        assert (await adding).created
        assert await store.rules.count() == 1
        await store.close()

    asyncio.run(main())


def test_block_left_with_an_exception_gives_up_its_calls_and_raises_that_exception(store_path: Path) -> None:
    async def leave() -> None:
        async with aio.open(store_path, timeout=20) as store:
            running = asyncio.create_task(store.rules.add_many([f"rule {n} " * 200 for n in range(20_000)]))
            await asyncio.sleep(0.3)
            try:
                raise ZeroDivisionError("the body")
            finally:
                running.add_done_callback(lambda task: task.cancelled() or task.exception())

    begun = time.monotonic()
    with pytest.raises(ZeroDivisionError, match="the body"):
        asyncio.run(leave())
    assert time.monotonic() - begun < 10
    with recollect.open(store_path) as store:
        assert store.rules.count() == 0
