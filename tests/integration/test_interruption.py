"""Time limits, cancelling and Ctrl-C: the call ends soon, a write is wholly undone, the store goes on."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

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
