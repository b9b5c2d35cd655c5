"""Several processes and one store."""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.kit.items import Label, add, open_store, text_of, vector_of
from tests.kit.ledger import Ledger
from tests.kit.processes import Crew, Worker
from tests.kit.strikes import After, AfterLines, Strike, Within, lock_holder, stop_with_lock

import recollect
from recollect import ClosedError, LockedError, Store

CHILD = """
import sys, recollect
store = recollect.open(sys.argv[1], embedder=None)
for line in sys.stdin:
    word, _, text = line.strip().partition(" ")
    if word == "add":
        print(store.rules.add(text).id, flush=True)
    elif word == "count":
        print(store.rules.count(), store.stats().seq, flush=True)
    elif word == "vectors":
        print(len(store.search(vector=[1.0, 0.0], k=100)), flush=True)
"""

WRITER = """
import sys, threading, time, recollect
store = recollect.open(sys.argv[1], embedder=None)
rules = [f"rule {number} " + "word " * 100 for number in range(100_000)]
print("ready", flush=True)
sys.stdin.readline()
store.rules.add_many(rules, timeout=60)
"""


@pytest.fixture
def crew() -> Iterator[Crew]:
    """Workers that end with the test."""
    with Crew(seconds=100) as crew:
        yield crew


def start_writer(crew: Crew, name: str, path: Path, *, wait: bool = True) -> Worker:
    """Starts a writer of the kit that knows no items yet, and waits until it has opened the store."""
    worker = crew.start(name, "-m", "tests.kit.writer", path, name)
    worker.tell('{"items": [], "most": null}')
    if wait:
        worker.wait_for('{"opened"')
    return worker


def run_threads(*programs: Callable[[], None]) -> None:
    """Runs each in a thread of its own, and raises what one of them raised."""
    with ThreadPoolExecutor(len(programs)) as pool:
        for future in [pool.submit(program) for program in programs]:
            future.result()


def add_docs(store: Store, tag: str) -> None:
    """Adds 20 docs, each in a transaction of its own."""
    for number in range(20):
        add(store, "doc", tag, [number])


def said(worker: Worker) -> list[str]:
    """All that a worker has said so far."""
    return [line.text for line in worker.said()]


def test_commit_is_seen_by_the_next_query_of_another_process(crew: Crew, store_path: Path) -> None:
    with recollect.open(store_path, embedder=recollect.ExternalVectors("m", 2)) as store:
        store.rules.add("the first one", vector=[1.0, 0.5])
        other = crew.start("other", "-c", CHILD, store_path)
        for number in range(20):
            store.rules.add(f"written here {number}", vector=[1.0, number / 10])
            assert other.ask("count") == f"{2 * number + 2} {2 * number + 2}"
            assert other.ask("vectors") == str(number + 2)
            written = other.ask(f"add written there {number}")
            assert store.rules.get(written).text == f"written there {number}"
            assert store.rules.count() == 2 * number + 3
        other.finish()
        assert store.check().ok


def test_reader_is_not_hindered_by_a_killed_writer(crew: Crew, store_path: Path) -> None:
    with recollect.open(store_path, embedder=None) as store:
        store.rules.add("before")
        other = crew.start("writer", "-c", WRITER, store_path)
        other.wait_for("ready")
        other.tell("go")
        time.sleep(0.5)
        assert store.rules.count() in {1, 100_001}
        other.kill()
        store.rules.add("after")
        assert store.rules.count() in {2, 100_002}
        assert store.check().ok


def test_write_while_another_process_writes_waits_no_longer_than_its_limit(crew: Crew, store_path: Path) -> None:
    with recollect.open(store_path, embedder=None) as store:
        store.rules.add("before")
        other = crew.start("writer", "-c", WRITER, store_path)
        other.wait_for("ready")
        other.tell("go")
        seen: LockedError | None = None
        waited = 0.0
        start = time.monotonic()
        while seen is None and time.monotonic() - start < 30 and other.is_running():
            begun = time.monotonic()
            try:
                store.channels.create("probe", timeout=0.3)
            except LockedError as error:
                seen = error
            waited = time.monotonic() - begun
        assert seen is not None
        assert waited < 2
        assert seen.retryable
        assert seen.hint
        # Reading goes on meanwhile.
        assert store.rules.count() == 1


def test_killed_writers_leave_what_was_acknowledged_and_whole_batches(crew: Crew, store_path: Path) -> None:
    chance, ledger = random.Random(1), Ledger()
    open_store(store_path).close()
    moments: tuple[After | Within | AfterLines, ...] = (
        AfterLines(20, '{"done"'),
        Within(0.3),
        After(0.1),
        AfterLines(1, '{"begin"'),
    )
    for number, moment in enumerate(moments):
        writers = [start_writer(crew, f"w{number}{letter}", store_path, wait=False) for letter in "ab"]
        for writer in writers:
            writer.wait_for('{"opened"')
        Strike(moment, tuple(writer.name for writer in writers)).carry_out(crew, chance)
        with open_store(store_path) as store:
            for writer in writers:
                assert writer.exit_status() == -signal.SIGKILL
                ledger.hear(writer.name, said(writer))
            assert ledger.verify(store) == []
            assert store.check().ok
    assert sum(ledger.acknowledged.values()) > 20


def test_guard_of_a_process_that_dies_with_it_is_free(crew: Crew, store_path: Path) -> None:
    ledger = Ledger()
    with open_store(store_path) as store:
        for number in range(3):
            writer = start_writer(crew, f"w{number}", store_path)
            stop_with_lock(writer, store_path.with_name("memory.db.lock"))
            writer.kill()
            begun = time.monotonic()
            channel = store.channels.create(f"after {number}", timeout=5)
            assert time.monotonic() - begun < 2, channel
            ledger.hear(writer.name, said(writer))
            assert ledger.verify(store) == []
        assert store.check().ok


def test_process_that_is_stopped_with_the_guard_keeps_others_no_longer_than_they_wait(
    crew: Crew, store_path: Path
) -> None:
    lock, ledger = store_path.with_name("memory.db.lock"), Ledger()
    with open_store(store_path, timeout=0.6) as store:
        writer = start_writer(crew, "w", store_path)
        writer.wait_for('{"wrote"')
        stop_with_lock(writer, lock)
        for limit in (None, 0.6):
            begun = time.monotonic()
            with pytest.raises(LockedError) as caught:
                store.channels.create("a", timeout=limit)
            assert 0.5 < time.monotonic() - begun < 1.5
            assert caught.value.retryable
        assert lock_holder(lock) == writer.pid
        # About one time in a thousand it was stopped between the two copies of the log's header, where nobody can read.
        begun = time.monotonic()
        with suppress(LockedError):
            assert store.stats(timeout=0.6).seq > 0
            with open_store(store_path, read_only=True, timeout=0.6) as reader:
                assert reader.rules.count() >= 0
        assert time.monotonic() - begun < 2

        writer.signal(signal.SIGCONT)
        assert store.channels.create("a", timeout=10)
        so_far = len(said(writer))
        writer.wait_lines(10, beginning='{"done"', since=so_far)
        ledger.hear(writer.name, [line.text for line in writer.finish()])
        assert writer.exit_status() == 0
        assert ledger.verify(store) == []
        assert store.check().ok


def test_store_opened_twice_in_a_process_is_one_store(crew: Crew, store_path: Path) -> None:
    with open_store(store_path) as first:
        second = open_store(store_path)
        for number in range(10):
            for writes, reads in ((first, second), (second, first)):
                label = Label(f"t{writes is first}", number)
                (added,) = add(writes, "rule", label.tag, [number])
                assert reads.rules.get(added.id).text == text_of(label)
                assert reads.search(vector=vector_of(label), k=1)[0].id == added.id
        run_threads(*(partial(add_docs, store, tag) for store, tag in zip(2 * (first, second), "abcd", strict=True)))
        assert first.docs.count() == second.docs.count() == 80
        # Closing a descriptor drops the locks that the process has on the file; the other handle must keep its own.
        second.close()
        writer = start_writer(crew, "w", store_path)
        for number in range(30):
            add(first, "ref", "after", [number])
        before = len(said(writer))
        writer.wait_lines(5, beginning='{"done"', since=before)
        ledger = Ledger()
        ledger.hear("w", [line.text for line in writer.finish()])
        assert first.refs.count(tags=["after"]) == 30
        assert {id for id, entry in ledger.entries.items() if entry.state == "live" and entry.expires is None} <= {
            item.id for items in (first.rules, first.docs, first.refs) for item in items.iterate()
        }
        assert first.check().ok
    with pytest.raises(ClosedError):
        second.rules.count()


def change_and_look(store: Store, number: int) -> None:
    """Adds, changes, deletes and looks for what it has written; raises where the store shows something else."""
    kept: list[str] = []
    for step in range(40):
        label = Label(f"t{number}", step)
        (added,) = add(store, "rule", label.tag, [step])
        assert store.search(vector=vector_of(label), k=1)[0].id == added.id
        kept.append(added.id)
        match (step + number) % 5:
            case 0:
                store.checkpoint()
            case 1:
                store.rules.update(kept[-1], text=f"{text_of(label)} again", vector=vector_of(label))
            case 2:
                store.rules.delete(kept.pop(0))
            case _:
                assert store.rules.count(tags=[label.tag]) == len(kept)


def test_eight_threads_share_a_store(store_path: Path) -> None:
    with open_store(store_path, durability="normal") as store:
        run_threads(*(partial(change_and_look, store, number) for number in range(8)))
        assert store.rules.count() == 8 * (40 - 8)
        assert [change.seq for change in store.changes()] == list(range(1, 8 * (40 + 8 + 8) + 1))
        assert store.check().ok


def _refused_calls(store: Store) -> int:
    """How many of some calls a store refuses as closed, with a hint."""
    refused = 0
    calls: tuple[Callable[[], object], ...] = (
        store.rules.count,
        store.stats,
        lambda: store.rules.add("no"),
        lambda: store.search("fork"),
    )
    for call in calls:
        try:
            call()
        except ClosedError as error:
            refused += bool(error.hint)
    return refused


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Python warns of fork in a process with threads
def test_store_used_after_fork_is_refused_and_the_parent_s_goes_on(store: Store) -> None:
    store.rules.add("before the fork")

    pid = os.fork()
    if pid == 0:
        refused = 100
        try:
            refused = _refused_calls(store)
            store.close()
        finally:
            os._exit(refused)
    _, status = os.waitpid(pid, 0)

    assert os.waitstatus_to_exitcode(status) == 4
    assert store.rules.add("after the fork").created
    assert store.rules.count() == 2
    assert store.check().ok


def _count(path: str, results: "multiprocessing.SimpleQueue[int]") -> None:
    with recollect.open(path, embedder=None) as store:
        for number in range(10):
            store.rules.add(f"rule {number} of process {os.getpid()} about topic{number}")
        results.put(store.rules.count())


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Python warns of fork in a process with threads
def test_writers_in_started_processes_lose_nothing(store_path: Path, method: str) -> None:
    recollect.open(store_path, embedder=None).close()
    context: Any = multiprocessing.get_context(method)
    results = context.SimpleQueue()
    workers = [context.Process(target=_count, args=(str(store_path), results)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]

    with recollect.open(store_path, embedder=None) as store:
        assert store.rules.count() == 30
        assert [change.seq for change in store.changes()] == list(range(1, 31))
        assert store.check().ok


def _is_refused(path: str) -> None:
    try:
        recollect.open(path, embedder=None)
    except ClosedError as error:
        os._exit(3 if error.hint else 4)
    os._exit(5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Python warns of fork in a process with threads
def test_store_that_was_open_at_a_fork_cannot_be_opened_in_the_child(store_path: Path) -> None:
    with recollect.open(store_path, embedder=None) as store:
        context: Any = multiprocessing.get_context("fork")
        child = context.Process(target=_is_refused, args=(str(store_path),))
        child.start()
        child.join(60)
        assert child.exitcode == 3
        store.rules.add("the parent goes on")
        assert store.check().ok
