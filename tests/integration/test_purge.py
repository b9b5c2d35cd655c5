"""A purge while another process reads: gone for readers at once, and from the files when the reader lets go."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import recollect
from recollect import LockedError, NotFoundError

READER = """
import sys, recollect
store = recollect.open(sys.argv[1], embedder=None, read_only=True)
print("ready", flush=True)
while True:
    store.check()
"""

LOOK = """
import pathlib, sys
path = pathlib.Path(sys.argv[1])
print(sum(one.read_bytes().count(sys.argv[2].encode()) for one in path.parent.glob(path.name + "*")))
"""


def occurrences(path: Path, word: str) -> int:
    """How often the word stands in the files of a store; read in a process of its own, which cannot drop our locks."""
    command = [sys.executable, "-c", LOOK, str(path), word]
    return int(subprocess.run(command, check=True, capture_output=True, timeout=30).stdout)


def test_purge_that_a_reader_keeps_from_erasing_says_so_and_is_finished_by_another(store_path: Path) -> None:
    with recollect.open(store_path, embedder=None) as store:
        store.rules.add_many([f"rule {number} " + "word " * 40 for number in range(3000)])
        reader = subprocess.Popen([sys.executable, "-c", READER, str(store_path)], stdout=subprocess.PIPE, text=True)
        try:
            assert reader.stdout is not None
            assert reader.stdout.readline() == "ready\n"
            for attempt in range(20):
                canary = f"canary{attempt}x"
                id = store.rules.add(f"secret {canary}").id
                # Nearly always it is stopped inside a read.
                reader.send_signal(signal.SIGSTOP)
                try:
                    store.rules.purge(id, timeout=1)
                except LockedError as error:
                    caught = error
                    break
                reader.send_signal(signal.SIGCONT)
            else:
                pytest.fail("the reader never was in the way")

            assert "gone" in caught.message
            assert "purge" in caught.hint
            with pytest.raises(NotFoundError):
                store.rules.history(id)
            assert store.rules.count() == 3000
            assert occurrences(store_path, canary) > 0
        finally:
            reader.kill()
            reader.communicate()

        again = store.rules.purge(id)

        assert (again.versions, again.chunks) == (0, 0)
        assert occurrences(store_path, canary) == 0
        assert store.check().ok


def test_purge_goes_on_while_threads_read_and_write(store_path: Path) -> None:
    failures: list[BaseException] = []
    is_over = threading.Event()

    with recollect.open(store_path) as store:

        def use(number: int) -> None:
            step = 0
            try:
                while not is_over.is_set():
                    step += 1
                    kept = store.rules.add(f"kept {number} {step} about subject{step}")
                    assert store.rules.get(kept.id).version == 1
                    store.search(f"subject{step}", k=3)
            except BaseException as error:  # noqa: BLE001 - shown below
                failures.append(error)

        threads = [threading.Thread(target=use, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        try:
            for number in range(15):
                ids = [one.id for one in store.rules.add_many([f"canary{number}x{part}" for part in range(5)])]
                assert [one.versions for one in store.rules.purge_many(ids, timeout=30)] == [1] * 5
                assert occurrences(store_path, f"canary{number}x") == 0
        finally:
            is_over.set()
            for thread in threads:
                thread.join()

        assert failures == []
        assert all(rule.text.startswith("kept") for rule in store.rules.iterate())
        assert store.check().ok
