"""However an interpreter ends, its stores are closed or left whole, it ends soon, and nothing is left behind."""

import gc
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

import recollect

HEAD = """
import atexit, gc, os, signal, sys, threading, time
import recollect
path = sys.argv[1]
store = recollect.open(path, embedder=None)
for number in range(20):
    store.rules.add(f"rule {number}")
"""

ENDS = {
    "at the end": ("", 0),
    "by an exception": ("raise RuntimeError('the end')", 1),
    "by sys.exit": ("sys.exit(3)", 3),
    "by sys.exit in a function": ("def leave():\n    kept = store\n    sys.exit(4)\nleave()", 4),
    "by an interrupt": ("os.kill(os.getpid(), signal.SIGINT); time.sleep(5)", -signal.SIGINT),
    "while a thread goes on": (
        "threading.Thread(target=lambda: (time.sleep(0.3), store.rules.add('late'))).start()",
        0,
    ),
    "in a cycle": (
        "class Holder: pass\nholder = Holder(); holder.own = holder; holder.store = store; del store, holder",
        0,
    ),
    "in a cycle that was never collected": ("gc.disable(); cell = [store]; cell.append(cell); del store, cell", 0),
    "with only a collection left": ("rules = store.rules; del store", 0),
    "with a page half read": ("pages = store.rules.iterate(); next(pages); del store", 0),
    "on a class": ("class Holder:\n    kept = store\ndel store", 0),
    "in a module that is not ours": ("import json; json.kept = store; del store", 0),
    "used in __del__": (
        """
class Late:
    def __del__(self, closed=recollect.ClosedError):
        try:
            self.store.rules.count()
        except closed:
            pass
late = Late(); late.store = store
""",
        0,
    ),
    "used at exit": ("atexit.register(lambda: store.rules.add('at exit'))", 0),
    "closed at exit": ("atexit.register(store.close)", 0),
    "in a thread's own storage": ("own = threading.local(); own.store = store; del store", 0),
    "in a daemon thread that sleeps": (
        "threading.Thread(target=lambda kept: time.sleep(60), args=(store,), daemon=True).start(); del store",
        0,
    ),
    "with one reference too many": ("import ctypes; ctypes.pythonapi.Py_IncRef(ctypes.py_object(store)); del store", 0),
    "with more stores": ("others = [recollect.open(':memory:', embedder=None) for _ in range(5)]", 0),
    "opened twice": ("again = recollect.open(path, embedder=None); again.rules.add('again')", 0),
    "with an embedder that refers to it": (
        """
import numpy
class Model:
    name = "m"; dimension = 2; revision = ""
    def embed_documents(self, texts): return numpy.ones((len(texts), 2), numpy.float32)
    embed_queries = embed_documents
model = Model(); model.store = recollect.open(path, embedder=model); model.store.rules.add("own"); del model
""",
        0,
    ),
}


def run(program: str, path: Path, *, timeout: float = 30) -> subprocess.CompletedProcess[str]:
    """Runs a program in an interpreter of its own."""
    command = [sys.executable, "-X", "dev", "-c", program, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout)


def log_bytes(path: Path) -> int:
    """The length of the write-ahead log; a closed store has nothing in it."""
    log = path.with_name(path.name + "-wal")
    return log.stat().st_size if log.exists() else 0


@pytest.mark.parametrize("how", ENDS)
def test_store_left_open_is_closed_when_the_interpreter_ends(store_path: Path, how: str) -> None:
    program, status = ENDS[how]

    ended = run(HEAD + program, store_path)

    assert ended.returncode == status, ended.stderr
    if status >= 0:
        assert ended.stderr.count("\n") <= (0 if status != 1 else 6), ended.stderr
    assert log_bytes(store_path) == 0
    with recollect.open(store_path, embedder=None) as store:
        assert store.rules.count() >= 20
        assert store.check().ok


def test_store_of_a_process_that_left_at_once_lost_nothing(store_path: Path) -> None:
    assert run(HEAD + "os._exit(5)", store_path).returncode == 5

    assert log_bytes(store_path) > 0
    with recollect.open(store_path, embedder=None) as store:
        assert store.rules.count() == 20
        assert store.check().ok


def test_store_of_a_process_that_was_terminated_lost_nothing(store_path: Path) -> None:
    assert run(HEAD + "os.kill(os.getpid(), signal.SIGTERM)", store_path).returncode == -signal.SIGTERM

    with recollect.open(store_path, embedder=None) as store:
        assert store.rules.count() == 20


DAEMONS = {
    "in a long write": "store.rules.add_many([f'many {number} ' + 'word ' * 50 for number in range(150_000)])",
    "in small writes": """
for number in range(100_000):
    store.rules.add(f"small {number}")
    print(number, flush=True)
""",
    "in reads": "while True: store.rules.list(limit=20)",
    "in searches": """
model = recollect.open(':memory:')
model.rules.add_many([f"rule {number} of the house" for number in range(2000)])
while True: model.search("the rules of the house", k=50)
""",
    "in an embedder": """
class Slow:
    name = "slow"; dimension = 2; revision = ""
    def embed_documents(self, texts):
        time.sleep(60)
    embed_queries = embed_documents
recollect.open(":memory:", embedder=Slow()).rules.add("never embedded")
""",
    "in long answers, again and again": """
many = recollect.open(":memory:", embedder=None)
many.rules.add_many([f"rule {number}" for number in range(1000)])
while True:
    try:
        many.rules.list(limit=1000)
    except recollect.ClosedError:
        pass
""",
    "in errors, again and again": """
while True:
    try:
        store.rules.get("nonsense")
    except recollect.RecollectError:
        pass
""",
    "in a busy embedder": """
import numpy
class Busy:
    name = "busy"; dimension = 2; revision = ""
    def embed_documents(self, texts):
        for _ in range(20_000):
            sum(range(100))
        return numpy.ones((len(texts), 2), numpy.float32)
    embed_queries = embed_documents
busy = recollect.open(":memory:", embedder=Busy())
for number in range(1_000_000):
    busy.rules.add(f"rule {number}")
""",
    "in closing": "while True: recollect.open(path + '2', embedder=None).close()",
    "in opening": "kept = [recollect.open(path, embedder=None, read_only=True) for _ in range(100_000)]",
    "waiting for another writer": """
import fcntl
blocker = open(path + ".lock", "a")
fcntl.flock(blocker, fcntl.LOCK_EX)
store.rules.add("never written", timeout=60)
""",
}


@pytest.mark.parametrize("how", DAEMONS)
@pytest.mark.parametrize("pause", [0.05, 0.6])
def test_daemon_thread_inside_a_call_neither_delays_nor_breaks_the_end(
    store_path: Path, how: str, pause: float
) -> None:
    body = "\n".join("        " + line for line in DAEMONS[how].strip().splitlines())
    program = f"""{HEAD}
def work():
    try:
{body}
    except recollect.ClosedError:
        pass
threading.Thread(target=work, daemon=True).start()
time.sleep({pause})
print("ending", time.monotonic(), file=sys.stderr, flush=True)
"""

    ended = run(program, store_path)
    now = time.monotonic()

    assert ended.returncode == 0, (ended.returncode, ended.stderr)
    assert ended.stderr.count("\n") == 1, ended.stderr
    # It takes some tenths of a second; the rest is for a busy machine.
    assert now - float(ended.stderr.removeprefix("ending ")) < 5
    acknowledged = [int(line) for line in ended.stdout.split()] if how == "in small writes" else []
    with recollect.open(store_path, embedder=None) as store:
        texts = {rule.text for rule in store.rules.iterate()}
        assert {f"rule {number}" for number in range(20)} <= texts
        assert {f"small {number}" for number in acknowledged} <= texts
        assert store.rules.count() - 20 - len(acknowledged) in {0, 1, 150_000}
        assert store.check().ok


def threads() -> list[str]:
    """The names of the threads of this process, those that are none of ours included."""
    names: list[str] = []
    for task in Path("/proc/self/task").iterdir():
        try:
            names.append((task / "comm").read_text().strip())
        except OSError:
            continue
    return sorted(names)


def ours(expected: list[str]) -> list[str]:
    """The threads that stores have started; a new one takes a moment to name itself."""
    end = time.monotonic() + 5
    while True:
        found = [name for name in threads() if name.startswith("recollect")]
        if found == expected or time.monotonic() > end:
            return found
        time.sleep(0.01)


BOTH = ["recollect-check", "recollect-sweep"]


def test_closed_store_leaves_no_thread(store_path: Path) -> None:
    before = threads()
    store = recollect.open(store_path)
    store.rules.add("something")
    assert ours(BOTH) == BOTH

    store.close()

    assert threads() == before


def test_store_without_references_leaves_no_thread(store_path: Path) -> None:
    before = threads()
    rules = recollect.open(store_path, embedder=None).rules
    rules.add("something")
    assert ours(BOTH) == BOTH

    del rules
    gc.collect()

    assert threads() == before
    assert log_bytes(store_path) == 0


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"read_only": True}, []),
        ({"sweep": False}, ["recollect-check"]),
        ({}, BOTH),
    ],
    ids=str,
)
def test_threads_are_those_that_are_needed(store_path: Path, options: dict[str, bool], names: list[str]) -> None:
    recollect.open(store_path, embedder=None).close()
    with recollect.open(
        store_path, embedder=None, read_only=options.get("read_only", False), sweep=options.get("sweep", True)
    ):
        assert ours(names) == names
    assert ours([]) == []


def test_store_in_memory_is_swept_too_and_leaves_nothing() -> None:
    with recollect.open(":memory:", embedder=None):
        assert ours(["recollect-sweep"]) == ["recollect-sweep"]
    assert ours([]) == []


def test_hundred_stores_leave_neither_threads_nor_descriptors(tmp_path: Path) -> None:
    recollect.open(tmp_path / "warm.db").close()
    before = len(list(Path("/proc/self/fd").iterdir())), threads()

    for number in range(100):
        store = recollect.open(tmp_path / f"{number % 7}.db", embedder=None)
        store.rules.add(f"rule {number}")
        if number % 2:
            store.close()
        del store
    gc.collect()

    assert (len(list(Path("/proc/self/fd").iterdir())), threads()) == before


def test_block_left_with_an_exception_raises_that_one_even_if_the_store_cannot_be_closed(store_path: Path) -> None:
    with recollect.open(store_path) as filled:
        filled.rules.add_many([f"rule {number} " * 50 for number in range(20_000)])
    began, running = threading.Event(), []

    def check(store: recollect.Store) -> None:
        began.set()
        with suppress(recollect.RecollectError):
            store.check()

    def leave() -> None:
        with recollect.open(store_path, timeout=0.05) as store:
            running.append(threading.Thread(target=check, args=(store,)))
            running[0].start()
            began.wait()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        leave()
    running[0].join()
    assert any("not closed" in note for note in getattr(caught.value, "__notes__", ["not closed"]))
