"""A forked child gives up what it inherited: the parent's locks end with the parent."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import recollect
from recollect import LockedError
from recollect._core import lock_descriptors

# Forks while a thread holds the guard for long. The child says who it is, and stays.
PARENT = """
import os, sys, threading, time, warnings
warnings.simplefilter("ignore")
{before}
import recollect
store = recollect.open(sys.argv[1], embedder=None)
store.rules.add("before")
drafts = [f"rule {{number}} " + "word " * 60 for number in range(150_000)]
threading.Thread(target=store.rules.add_many, args=(drafts,), daemon=True).start()

def is_held():
    inode = os.stat(sys.argv[1] + ".lock").st_ino
    with open("/proc/locks") as table:
        return any("FLOCK" in line and f":{{inode}} " in line and str(os.getpid()) in line for line in table)

while not is_held():
    time.sleep(0.001)
time.sleep(0.2)
pid = {fork}
if pid == 0:
    time.sleep({stays})
    os._exit(0)
print(pid, is_held(), flush=True)
time.sleep(60)
"""

WITHOUT_HOOK = "os.register_at_fork = lambda **_: None"


@contextmanager
def forking(path: Path, *, before: str = "", stays: float = 60) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that holds the guard, and the child that it forked meanwhile."""
    program = PARENT.format(before=before, fork="os.fork()", stays=stays)
    parent = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True)
    child = 0
    try:
        assert parent.stdout is not None
        pid, held = parent.stdout.readline().split()
        assert held == "True"
        child = int(pid)
        yield parent, child
    finally:
        parent.kill()
        if child:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        parent.communicate()


def is_alive(pid: int) -> bool:
    """Whether the process is there and no mere entry in the table of processes."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_guard_of_a_killed_process_is_free_though_its_child_lives(store_path: Path) -> None:
    with forking(store_path) as (parent, child):
        parent.kill()
        parent.wait()

        begun = time.monotonic()
        with recollect.open(store_path, embedder=None, timeout=5) as store:
            assert store.rules.add("after").created
            assert store.rules.count() == 2
        took = time.monotonic() - begun

        assert is_alive(child)
        assert took < 2


def test_guard_of_a_killed_process_would_be_kept_by_a_child_that_does_not_give_it_up(store_path: Path) -> None:
    with forking(store_path, before=WITHOUT_HOOK) as (parent, child):
        parent.kill()
        parent.wait()
        assert is_alive(child)

        with pytest.raises(LockedError):
            recollect.open(store_path, embedder=None, timeout=1).rules.add("after")


def test_child_that_gives_the_locks_up_or_ends_leaves_the_parent_s_guard_alone(store_path: Path) -> None:
    with forking(store_path, stays=0) as (parent, child):
        end = time.monotonic() + 5
        while is_alive(child) and time.monotonic() < end:
            time.sleep(0.01)
        assert not is_alive(child)
        assert parent.poll() is None

        with pytest.raises(LockedError):
            recollect.open(store_path, embedder=None, timeout=0.2)


def names_of(store: Path) -> set[str]:
    return {f"{store}.gate", f"{store}.lock"}


def test_child_keeps_every_descriptor_but_those_of_the_locks(store_path: Path, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with recollect.open(store_path, embedder=None) as store, (tmp_path / "own.txt").open("w+") as own:
        # A store of another test may still be open.
        held = [number for number in lock_descriptors() if targets([number]) <= names_of(store_path)]
        names = targets(held)
        assert names == names_of(store_path)
        own.write("mine")
        own.flush()

        pid = fork()
        if pid == 0:
            seen = "failed"
            try:
                null = targets(held)
                seen = f"{null} {os.pread(own.fileno(), 10, 0)!r}"
            finally:
                os.write(writing, seen.encode())
                os._exit(0)
        os.waitpid(pid, 0)
        assert os.read(reading, 1000).decode() == "{'/dev/null'} b'mine'"
        assert targets(held) == names
        assert store.rules.add("still here").created
    del store
    assert not targets(lock_descriptors()) & names_of(store_path)
    os.close(reading)
    os.close(writing)


def targets(descriptors: list[int]) -> set[str]:
    """What the descriptors of this process lead to."""
    return {str(Path(f"/proc/self/fd/{number}").readlink()) for number in descriptors}


def fork() -> int:
    """Forks without the warning that other threads do not come along."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def test_child_that_ends_as_an_interpreter_leaves_the_parent_s_store_open(store_path: Path) -> None:
    program = """
import os, sys, warnings
warnings.simplefilter("ignore")
import recollect
store = recollect.open(sys.argv[1], embedder=None)
store.rules.add("before")
if os.fork() == 0:
    sys.exit(0)
print(os.waitstatus_to_exitcode(os.wait()[1]), store.rules.add("after").created, store.check().ok)
"""
    command = [sys.executable, "-c", program, str(store_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)

    assert (ended.stdout, ended.stderr, ended.returncode) == ("0 True True\n", "", 0)


def test_children_of_multiprocessing_by_fork_open_a_store_of_their_own(store_path: Path, tmp_path: Path) -> None:
    program = """
import multiprocessing, sys, warnings
warnings.simplefilter("ignore")
import recollect

def work(path):
    with recollect.open(path, embedder=None) as store:
        store.rules.add("of the child")
        return store.rules.count()

store = recollect.open(sys.argv[1], embedder=None)
store.rules.add("of the parent")
with multiprocessing.get_context("fork").Pool(2) as pool:
    counts = pool.map(work, [f"{sys.argv[2]}/{number}.db" for number in range(4)])
print(counts, store.rules.count(), flush=True)
"""
    command = [sys.executable, "-c", program, str(store_path), str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert (ended.stdout, ended.stderr, ended.returncode) == ("[1, 1, 1, 1] 1\n", "", 0)
