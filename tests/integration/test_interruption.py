"""Time limits, cancelling and Ctrl-C: the call ends soon, a write is wholly undone, the store goes on."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recollect
from recollect import CancelledError, CancelToken, DeadlineExceededError, Store

RULES = [f"rule {number} " + f"word{number} " * 60 for number in range(60_000)]

PROGRAM = """
import sys, time, recollect
store = recollect.open(sys.argv[1], embedder=None)
rules = [f"rule {number} " + f"word{number} " * 60 for number in range(200_000)]
print("ready", flush=True)
try:
    store.rules.add_many(rules, timeout=100)
except KeyboardInterrupt:
    ended = time.time()
    print("interrupted", ended, store.rules.count(), store.stats().seq, flush=True)
    store.rules.add("afterwards")
    print("sound" if store.check().ok and store.rules.count() == 1 else "broken", flush=True)
else:
    print("finished", flush=True)
"""


def untouched(store: Store) -> None:
    """Asserts that nothing was written, and that the store still works."""
    assert store.rules.count() == 0
    assert store.stats().seq == 0
    assert store.rules.add("afterwards").created
    assert store.check().ok


def test_write_beyond_its_time_limit_is_undone(store: Store) -> None:
    start = time.monotonic()

    with pytest.raises(DeadlineExceededError) as caught:
        store.rules.add_many(RULES, timeout=0.3)

    assert time.monotonic() - start < 3
    assert caught.value.retryable
    untouched(store)


def test_write_cancelled_from_another_thread_is_undone(store: Store) -> None:
    token = CancelToken()
    timer = threading.Timer(0.3, token.cancel)
    timer.start()

    start = time.monotonic()
    with pytest.raises(CancelledError):
        store.rules.add_many(RULES, cancel=token)

    assert time.monotonic() - start < 3
    timer.join()
    assert token.cancelled
    untouched(store)


def test_token_cancelled_before_ends_the_call_at_once(store: Store) -> None:
    token = CancelToken()
    assert not token.cancelled
    token.cancel()

    for call in (
        lambda: store.rules.add("no", cancel=token),
        lambda: store.rules.list(cancel=token),
        lambda: store.rules.count(cancel=token),
        lambda: store.search("no", cancel=token),
        lambda: store.check(cancel=token),
        lambda: store.changes(cancel=token),
    ):
        with pytest.raises(CancelledError):
            call()
    untouched(store)


def test_time_limit_of_zero_ends_the_call(store: Store) -> None:
    with pytest.raises(DeadlineExceededError):
        store.rules.add("no", timeout=0)
    untouched(store)


def test_read_beyond_its_time_limit_ends(tmp_path: Path) -> None:
    vectors = np.random.default_rng(1).standard_normal((20_000, 8)).astype(np.float32)
    with recollect.open(tmp_path / "a.db", embedder=recollect.ExternalVectors("m", 8), durability="normal") as store:
        store.rules.add_many(RULES[: len(vectors)], vectors=vectors)
        start = time.monotonic()
        with pytest.raises(DeadlineExceededError):
            store.check(timeout=0.01)
        assert time.monotonic() - start < 2
        # Building the index in memory is interrupted too, and begun anew by the next search.
        with recollect.open(tmp_path / "a.db", embedder=None, read_only=True) as reader:
            with pytest.raises(DeadlineExceededError):
                reader.search(vector=vectors[0], timeout=0.001)
            assert reader.search(vector=vectors[7], k=1)[0].snippet == RULES[7]


def test_interrupt_during_a_long_write_raises_keyboardinterrupt_and_undoes_it(store_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(store_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(1.0)
    sent = time.time()
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)

    first, second = output.splitlines()
    word, ended, count, seq = first.split()
    assert (word, count, seq) == ("interrupted", "0", "0"), errors
    assert float(ended) - sent < 2
    assert second == "sound"
    assert process.returncode == 0


def test_threads_share_a_store(store: Store) -> None:
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            for step in range(15):
                added = store.rules.add(f"rule {step} of thread {number} on subject{step * 31 + number}")
                assert store.rules.get(added.id).version == 1
                assert store.search(f"subject{step * 31 + number}", k=3).hits
        except Exception as error:  # noqa: BLE001 - shown below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert store.rules.count() == 90
    assert store.stats().seq == 90


# A handler of a signal runs inside the call that the main thread is in.
HANDLER = """
import os, signal, sys, threading, time, numpy, recollect
from recollect import RecollectError

{model}
store = recollect.open(sys.argv[1], embedder={embedder}, timeout=20)
store.rules.add("before")
told = []

def handle(*_):
    begun = time.monotonic()
    try:
        said = {within}
    except RecollectError as error:
        said = f"{{error.code}}: {{error.message}} ({{error.hint}})"
    told.append((time.monotonic() - begun, said))

def holds():
    inode = os.stat(sys.argv[1] + ".lock").st_ino
    with open("/proc/locks") as table:
        return any("FLOCK" in line and f":{{inode}} " in line for line in table)

def send():
    while {waits} and not holds():
        time.sleep(0.001)
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGALRM)

signal.signal(signal.SIGALRM, handle)
threading.Thread(target=send).start()
{outer}
assert told, "the call ended before the signal came"
store.rules.add("after")
print(round(told[0][0], 2), store.rules.count(), store.check().ok)
print(told[0][1])
"""

LONG_WRITE = "store.rules.add_many([f'rule {number} ' + 'word ' * 60 for number in range(60_000)])"
MODEL = """
class Model:
    name = "m"; dimension = 2; revision = ""
    def embed_documents(self, texts):
        {body}
        return numpy.ones((len(texts), 2), numpy.float32)
    def embed_queries(self, texts):
        return self.embed_documents(texts)
"""


def handled(path: Path, within: str, outer: str, model: str = "") -> tuple[float, int, str]:
    """What a handler that does `within` was told inside `outer`, after how many seconds, and how many rules came of it.

    Without a model the signal comes when the outer call holds the guard.
    """
    embedder = "Model()" if model else "None"
    program = HANDLER.format(within=within, outer=outer, model=model, embedder=embedder, waits=not model)
    ended = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    first, said = ended.stdout.splitlines()
    took, count, sound = first.split()
    assert sound == "True"
    return float(took), int(count), said


def test_signal_handler_that_writes_inside_a_write_is_refused_at_once_and_the_write_goes_on(store_path: Path) -> None:
    took, count, said = handled(store_path, "store.rules.add('within').id", LONG_WRITE)

    assert said.startswith("locked: ")
    assert "this thread" in said
    assert took < 0.5
    assert count == 60_002


def test_signal_handler_that_checkpoints_inside_a_write_is_refused_at_once(store_path: Path) -> None:
    took, _, said = handled(store_path, "store.checkpoint()", LONG_WRITE)

    assert said.startswith("locked: ")
    assert took < 0.5


def test_signal_handler_that_reads_inside_a_write_sees_the_state_before(store_path: Path) -> None:
    took, count, said = handled(store_path, "store.rules.count()", LONG_WRITE)

    assert said == "1"
    assert took < 0.5
    assert count == 60_002


def test_signal_handler_that_closes_inside_a_write_is_refused_in_time(store_path: Path) -> None:
    _, count, said = handled(store_path, "store.close(timeout=0.2)", LONG_WRITE)

    assert said.startswith("locked: ")
    assert count == 60_002


def test_signal_handler_may_write_while_the_call_waits_for_an_embedder(store_path: Path) -> None:
    model = MODEL.format(body='time.sleep(0.6 if texts[0] == "slow" else 0)')

    took, count, said = handled(store_path, "store.rules.add('within').version", "store.rules.add('slow')", model)

    assert said == "1"
    assert took < 0.5
    assert count == 4


def test_embedder_that_uses_the_store_it_embeds_for_is_answered(store_path: Path) -> None:
    class Model:
        name, dimension, revision = "m", 2, ""
        store: Store
        seen: list[object]

        def embed_documents(self, texts: Sequence[str]) -> np.ndarray[Any, Any]:
            if texts[0] == "outer":
                self.seen.append(self.store.rules.count())
                self.seen.append(self.store.rules.add("inner").created)
            return np.ones((len(texts), 2), np.float32)

        embed_queries = embed_documents

    model = Model()
    model.seen = []
    with recollect.open(store_path, embedder=model) as store:
        model.store = store

        store.rules.add("outer", timeout=5)

        assert model.seen == [0, True]
        assert store.rules.count() == 2
