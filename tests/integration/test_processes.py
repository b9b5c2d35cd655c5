"""Several processes and one store."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

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


class Other:
    """Another process with the same store."""

    def __init__(self, path: Path, program: str = CHILD) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, line: str) -> str:
        """Sends a line and reads the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def stop(self) -> None:
        """Ends it."""
        self.process.kill()
        self.process.communicate()


def test_commit_is_seen_by_the_next_query_of_another_process(store_path: Path) -> None:
    with recollect.open(store_path, embedder=recollect.ExternalVectors("m", 2)) as store:
        store.rules.add("the first one", vector=[1.0, 0.5])
        other = Other(store_path)
        try:
            for number in range(20):
                store.rules.add(f"written here {number}", vector=[1.0, number / 10])
                assert other.ask("count") == f"{2 * number + 2} {2 * number + 2}"
                assert other.ask("vectors") == str(number + 2)
                written = other.ask(f"add written there {number}")
                assert store.rules.get(written).text == f"written there {number}"
                assert store.rules.count() == 2 * number + 3
        finally:
            other.stop()
        assert store.check().ok


def test_reader_is_not_hindered_by_a_killed_writer(store_path: Path) -> None:
    with recollect.open(store_path, embedder=None) as store:
        store.rules.add("before")
        other = Other(store_path, WRITER)
        try:
            assert other.process.stdout is not None
            assert other.process.stdin is not None
            other.process.stdout.readline()
            other.process.stdin.write("go\n")
            other.process.stdin.flush()
            time.sleep(0.5)
            assert store.rules.count() in {1, 100_001}
        finally:
            other.process.send_signal(signal.SIGKILL)
            other.stop()
        store.rules.add("after")
        assert store.rules.count() in {2, 100_002}
        assert store.check().ok


def test_write_while_another_process_writes_waits_no_longer_than_its_limit(store_path: Path) -> None:
    with recollect.open(store_path, embedder=None) as store:
        store.rules.add("before")
        other = Other(store_path, WRITER)
        try:
            assert other.process.stdout is not None
            assert other.process.stdin is not None
            other.process.stdout.readline()
            other.process.stdin.write("go\n")
            other.process.stdin.flush()
            seen: LockedError | None = None
            waited = 0.0
            start = time.monotonic()
            while seen is None and time.monotonic() - start < 30 and other.process.poll() is None:
                begun = time.monotonic()
                try:
                    store.channels.create("probe", timeout=0.05)
                except LockedError as error:
                    seen = error
                waited = time.monotonic() - begun
            assert seen is not None
            assert waited < 2
            assert seen.retryable
            assert seen.hint
            # Reading goes on meanwhile.
            assert store.rules.count() == 1
        finally:
            other.stop()


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


def _count(path: str, results: "multiprocessing.Queue[int]") -> None:
    with recollect.open(path, embedder=None) as store:
        for number in range(10):
            store.rules.add(f"rule {number} of process {os.getpid()} about topic{number}")
        results.put(store.rules.count())


def test_writers_in_spawned_processes_lose_nothing(store_path: Path) -> None:
    recollect.open(store_path, embedder=None).close()
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[int] = context.Queue()
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
