"""The asynchronous store: every call gives what the store gives, many at a time, and closing leaves nothing behind."""

import asyncio
import contextvars
import gc
import threading
import time
import traceback
import weakref
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import recollect
from recollect import ClosedError, DeadlineExceededError, InvalidInputError, LockedError, NotFoundError, aio

NAME: contextvars.ContextVar[str] = contextvars.ContextVar("NAME", default="nobody")


def own_threads() -> list[threading.Thread]:
    """The threads of asynchronous stores."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("recollect-async")]


class Waiting:
    """An embedder that waits until it is let go, and remembers what surrounded it."""

    name = "waiting"
    dimension = 4

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.seen = ""
        self.thread = ""

    def embed_documents(self, texts: Sequence[str], /) -> NDArray[np.float32]:
        self.seen = NAME.get()
        self.thread = threading.current_thread().name
        self.begun.set()
        assert self.may_end.wait(30)
        return np.ones((len(texts), 4), dtype=np.float32)

    def embed_queries(self, texts: Sequence[str], /) -> NDArray[np.float32]:
        return np.ones((len(texts), 4), dtype=np.float32)


async def until(event: threading.Event) -> None:
    """Waits for an event of another thread."""
    assert await asyncio.to_thread(event.wait, 30)


def test_store_is_opened_by_await_and_by_async_with(store_path: Path) -> None:
    async def main() -> None:
        store = await aio.open(store_path, embedder=None)
        added = await store.rules.add("a rule")
        assert not store.closed
        await store.close()
        assert store.closed

        async with aio.open(store_path, embedder=None, read_only=True) as reader:
            assert isinstance(reader, aio.AsyncStore)
            assert (await reader.rules.get(added.id)).text == "a rule"
        assert reader.closed

        async with await aio.open(store_path, embedder=None) as again:
            assert await again.rules.count() == 1
        assert again.closed

        task = asyncio.create_task(aio.open(store_path, embedder=None))
        await (await task).close()

    asyncio.run(main())
    assert own_threads() == []


def test_every_kind_of_call_answers_as_the_store_does(store_path: Path) -> None:
    async def main() -> None:
        async with aio.open(store_path) as store:
            rule = await store.rules.add("Run the tests before every commit.", tags=["git"], project="acme/web")
            docs = await store.docs.add_many(["# One\n\nfirst", "# Two\n\nsecond"])
            await store.refs.add("src/main.rs:3", "where it begins")
            assert await store.channels.create("room")
            assert await store.channels.list() == ("room",)
            assert [project.path for project in await store.projects.list()] == ["", "acme/web"]
            assert await store.projects.rename("acme/web", "site") == "acme/site"
            assert (await store.rules.update(rule.id, priority=3)).priority == 3
            assert len(await store.rules.history(rule.id)) == 2
            assert (await store.search("when are tests run?", project="*", k=1))[0].id == rule.id
            assert (await store.docs.list(limit=1)).next_cursor is not None
            assert len(await store.docs.split("# One\n\nfirst\n\n# Two\n\nsecond")) == 2
            assert (await store.embeddings.get([docs[0].id])).vectors.shape == (1, 256)
            assert (await store.docs.delete(docs[1].id)).id == docs[1].id
            assert (await store.docs.restore(docs[1].id)).id == docs[1].id
            assert (await store.docs.delete_many(path_prefix="none", dry_run=True)).ids == ()
            assert (await store.docs.purge(docs[1].id)).id == docs[1].id
            assert await store.sweep() == recollect.Swept(0, 0)
            assert await store.tiers() == ("public", "internal", "confidential", "restricted")
            space = await store.space()
            assert space is not None
            assert space.dimension == 256
            assert (await store.check()).ok
            assert (await store.get(rule.id)).id == rule.id
            seen = await store.stats(), await store.changes(), await store.checkpoint()
            assert seen[0].seq == seen[1][-1].seq
        with recollect.open(store_path) as plain:
            assert plain.rules.get(rule.id).priority == 3
            assert plain.changes() == seen[1]

    asyncio.run(main())


def test_iterate_yields_all_pages_in_order_as_they_are_asked_for(store_path: Path) -> None:
    async def main() -> None:
        async with aio.open(store_path, embedder=None, durability="normal") as store:
            await store.rules.add_many(f"rule {number} of subject{number}" for number in range(450))
            texts = [rule.text async for rule in store.rules.iterate()]
            assert texts == [f"rule {number} of subject{number}" for number in range(450)]
            backwards = store.rules.iterate(descending=True)
            assert (await anext(backwards)).text == texts[-1]
            with pytest.raises(InvalidInputError):
                await anext(store.rules.iterate(order="size"))  # type: ignore[arg-type]

    asyncio.run(main())


def test_hundred_tasks_share_four_threads(store_path: Path) -> None:
    most = 0

    async def work(store: aio.AsyncStore, number: int) -> None:
        nonlocal most
        added = await store.rules.add(f"rule {number} about subject{number * 31}")
        assert (await store.rules.get(added.id)).version == 1
        await store.search(vector=[1.0, number], k=3)
        assert (await store.rules.update(added.id, priority=number % 7 + 1)).version == 2
        most = max(most, len(own_threads()))

    async def main() -> None:
        space = recollect.ExternalVectors("m", 2)
        async with aio.open(store_path, embedder=space, threads=4, durability="normal") as store:
            await store.rules.add("the first", vector=[1.0, 2.0])
            async with asyncio.TaskGroup() as group:
                for number in range(100):
                    group.create_task(work(store, number))
            assert await store.rules.count() == 101
            assert [change.seq for change in await store.changes()] == list(range(1, 202))
            assert (await store.check()).ok

    asyncio.run(main())
    assert 1 < most <= 4
    assert own_threads() == []


def test_writers_that_wait_leave_threads_to_readers(store_path: Path) -> None:
    embedder = Waiting()

    async def main() -> None:
        async with aio.open(store_path, embedder=embedder, threads=4) as store:
            writing = [asyncio.create_task(store.rules.add(f"rule {number}")) for number in range(8)]
            await until(embedder.begun)
            try:
                assert await asyncio.wait_for(store.rules.count(), 20) == 0
            finally:
                embedder.may_end.set()
            await asyncio.gather(*writing)
            assert await store.rules.count() == 8

    asyncio.run(main())


def test_error_keeps_its_type_its_code_and_its_hint(store_path: Path) -> None:
    async def main() -> None:
        async with aio.open(store_path, embedder=None) as store:
            missing = "01890000-0000-7000-8000-000000000000"
            with pytest.raises(NotFoundError) as caught:
                await store.rules.get(missing)
            with recollect.open(store_path) as plain, pytest.raises(NotFoundError) as there:
                plain.rules.get(missing)
            assert str(caught.value) == str(there.value)
            assert (caught.value.code, caught.value.hint) == (there.value.code, there.value.hint)
            shown = "".join(traceback.format_exception(caught.value))
            assert f"hint: {caught.value.hint}" in shown
            assert "await store.rules.get(missing)" in shown

    asyncio.run(main())


def test_error_is_gone_with_its_last_reference(store_path: Path) -> None:
    class Failing(Waiting):
        def embed_documents(self, texts: Sequence[str], /) -> NDArray[np.float32]:
            raise ConnectionError(len(texts))

    async def main() -> None:
        async with aio.open(store_path, embedder=Failing()) as store:
            raised: weakref.ref[BaseException] | None = None
            try:
                await store.rules.add("a rule")
            except recollect.EmbedderError as error:
                raised = weakref.ref(error)
            await asyncio.sleep(0.05)
            assert raised is not None
            assert raised() is None

    gc.disable()
    try:
        asyncio.run(main())
    finally:
        gc.enable()


def test_context_of_the_caller_surrounds_the_call(store_path: Path) -> None:
    embedder = Waiting()
    embedder.may_end.set()

    async def main() -> None:
        async with aio.open(store_path, embedder=embedder) as store:
            NAME.set("somebody")
            await store.rules.add("a rule")

    asyncio.run(main())
    assert embedder.seen == "somebody"
    assert embedder.thread.startswith("recollect-async")


def test_time_limit_counts_the_wait_for_a_thread(store_path: Path) -> None:
    embedder = Waiting()

    async def main() -> None:
        async with aio.open(store_path, embedder=embedder, threads=1) as store:
            first = asyncio.create_task(store.rules.add("the first"))
            await until(embedder.begun)
            start = time.monotonic()
            with pytest.raises(DeadlineExceededError) as caught:
                await store.channels.create("room", timeout=0.2)
            assert 0.15 < time.monotonic() - start < 5
            assert "threads" in caught.value.hint
            embedder.may_end.set()
            await first
            assert await store.channels.list() == ()

    asyncio.run(main())


def test_time_limit_that_ran_out_before_the_call_began_ends_it_at_once(store_path: Path) -> None:
    # The loop is held up, so that the thread is free before the loop can say that the time is over.
    embedder = Waiting()

    async def main() -> None:
        async with aio.open(store_path, embedder=embedder, threads=1) as store:
            first = asyncio.create_task(store.rules.add("the first"))
            await until(embedder.begun)
            second = asyncio.create_task(store.channels.create("room", timeout=0.1))
            await asyncio.sleep(0.01)
            time.sleep(0.3)  # noqa: ASYNC251 - as above
            embedder.may_end.set()
            time.sleep(0.3)  # noqa: ASYNC251 - as above
            await first
            with pytest.raises(DeadlineExceededError):
                await second
            assert await store.channels.list() == ()

    asyncio.run(main())


@pytest.mark.parametrize("wrong", [-1, float("nan"), "soon", True, 10**400])
def test_what_is_no_time_limit_is_refused_as_the_store_does(store_path: Path, wrong: Any) -> None:
    async def main() -> None:
        async with aio.open(store_path, embedder=None) as store:
            for call in (store.rules.count, store.close):
                with pytest.raises(InvalidInputError):
                    await call(timeout=wrong)
            with pytest.raises(DeadlineExceededError):
                await store.rules.add("a rule", timeout=0)
            assert await store.rules.count(timeout=float("inf")) == 0

    asyncio.run(main())


@pytest.mark.parametrize("wrong", [0, -3, 1025, 2.0, True, "4"])
def test_what_is_no_number_of_threads_is_refused(store_path: Path, wrong: Any) -> None:
    with pytest.raises(InvalidInputError, match="threads"):
        asyncio.run(aio.open(store_path, threads=wrong))
    assert not store_path.exists()


@pytest.mark.parametrize("arguments", [{"readers": 0}, {"readers": "x"}, {"embedder": 3}, {"timeout": "x"}])
def test_opening_that_fails_raises_what_the_store_raises(store_path: Path, arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError) as there:
        recollect.open(store_path, **arguments)
    with pytest.raises(InvalidInputError) as caught:
        asyncio.run(aio.open(store_path, **arguments))
    assert str(caught.value) == str(there.value)
    # What was raised holds the frames, and all that is in them.
    end = time.monotonic() + 10
    while own_threads() and time.monotonic() < end:
        time.sleep(0.01)
    assert own_threads() == []


def test_store_outlives_the_event_loop(store_path: Path) -> None:
    store = asyncio.run(aio.open(store_path, embedder=None))
    added = asyncio.run(store.rules.add("a rule"))
    assert asyncio.run(store.rules.get(added.id)).text == "a rule"
    asyncio.run(store.close())
    assert own_threads() == []


def test_store_is_shared_by_event_loops_of_several_threads(store_path: Path) -> None:
    async def work(store: aio.AsyncStore, name: str) -> None:
        for number in range(20):
            await store.rules.add(f"rule {number} of {name}")

    store = asyncio.run(aio.open(store_path, embedder=None, durability="normal"))
    loops = [threading.Thread(target=asyncio.run, args=(work(store, f"loop{number}"),)) for number in range(4)]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()
    assert asyncio.run(store.rules.count()) == 80
    asyncio.run(store.close())


def test_close_waits_for_calls_of_other_tasks_queued_ones_too(store_path: Path) -> None:
    embedder = Waiting()

    async def main() -> None:
        store = await aio.open(store_path, embedder=embedder, threads=1)
        first = asyncio.create_task(store.rules.add("the first"))
        await until(embedder.begun)
        second = asyncio.create_task(store.channels.create("room"))
        await asyncio.sleep(0)
        with pytest.raises(LockedError) as caught:
            await store.close(timeout=0.1)
        assert "2 calls" in caught.value.message
        assert not store.closed
        closing = asyncio.create_task(store.close())
        embedder.may_end.set()
        await closing
        assert own_threads() == []
        assert store.closed
        assert first.result().created
        assert second.result()

    asyncio.run(main())
    assert own_threads() == []


def test_close_ends_the_threads_before_it_returns(store_path: Path) -> None:
    async def main() -> None:
        for _ in range(5):
            store = await aio.open(store_path, embedder=None)
            await asyncio.gather(*(store.rules.count() for _ in range(20)), store.channels.create("room"))
            assert len(own_threads()) > 2
            await store.close()
            assert own_threads() == []

    asyncio.run(main())


def test_closed_store_refuses_calls_and_may_be_closed_again(store_path: Path) -> None:
    async def main() -> None:
        store = await aio.open(store_path, embedder=None)
        await asyncio.gather(store.close(), store.close())
        await store.close()
        calls: list[Coroutine[Any, Any, object]] = [store.rules.count(), store.rules.add("no"), store.tiers()]
        for call in calls:
            with pytest.raises(ClosedError):
                await call
        assert repr(store) == f"<AsyncStore {str(store_path)!r}, closed>"

    asyncio.run(main())


def test_store_that_nobody_closed_takes_its_threads_with_it(store_path: Path) -> None:
    async def main() -> None:
        store = await aio.open(store_path, embedder=None)
        await asyncio.gather(*(store.rules.count() for _ in range(20)))
        assert own_threads()

    asyncio.run(main())
    gc.collect()
    end = time.monotonic() + 10
    while own_threads() and time.monotonic() < end:
        time.sleep(0.01)
    assert own_threads() == []
