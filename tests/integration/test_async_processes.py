"""The asynchronous store among other processes, and in interpreters that end in every way."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import recollect
from recollect import LockedError, aio

HOLDER = """
import fcntl, sys
files = [open(sys.argv[1] + end, "r+") for end in (".gate", ".lock")]
for file in files:
    fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.readline()
"""


@contextlib.contextmanager
def guard_held(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the guard, until it is told a line."""
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def run_program(program: str, path: Path, *options: str, seconds: float = 30) -> tuple[str, str, int, float]:
    """What a program prints, what it complains of, how it ends, and after how long."""
    start = time.monotonic()
    command = [sys.executable, "-X", "dev", *options, "-c", program, str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    return ended.stdout, ended.stderr, ended.returncode, time.monotonic() - start


def test_call_that_waits_for_another_process_is_cancelled_soon(store_path: Path) -> None:
    async def main() -> None:
        async with aio.open(store_path, embedder=None) as store:
            with guard_held(store_path):
                task = asyncio.create_task(store.rules.add("a rule", timeout=60))
                await asyncio.sleep(0.3)
                assert not task.done()
                # Reading goes on meanwhile.
                assert await store.rules.count() == 0
                start = time.monotonic()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert time.monotonic() - start < 2
                with pytest.raises(LockedError):
                    await store.rules.add("a rule", timeout=0.2)
            assert (await store.rules.add("afterwards")).created
            assert await store.rules.count() == 1

    asyncio.run(main())


def test_event_loop_goes_on_while_large_calls_run(store_path: Path) -> None:
    rules = [f"rule {number} " + f"word{number} " * 30 for number in range(10_000)]
    gaps: list[float] = []

    async def beat() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            gaps.append(time.perf_counter() - before)

    async def main() -> None:
        async with aio.open(store_path, durability="normal") as store:
            heart = asyncio.create_task(beat())
            await store.rules.add_many(rules)
            await asyncio.gather(*(store.search(f"word{number} and rule", k=20) for number in range(20)))
            assert (await store.check()).ok
            heart.cancel()

    start = time.perf_counter()
    asyncio.run(main())
    took = time.perf_counter() - start

    # On a busy machine the loop waits for its processor too; it must not wait for whole calls.
    assert len(gaps) > 20
    assert max(gaps) < max(0.5, took / 3), sorted(gaps)[-5:]
    assert sum(gap > 0.1 for gap in gaps) < len(gaps) / 10


INTERRUPTED = """
import asyncio, sys, time
import recollect.aio

async def main():
    async with recollect.aio.open(sys.argv[1], embedder=None) as store:
        rules = [f"rule {number} " + f"word{number} " * 60 for number in range(100_000)]
        print("ready", flush=True)
        try:
            await store.rules.add_many(rules)
        except asyncio.CancelledError:
            print("cancelled", flush=True)
            raise

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted", flush=True)
with recollect.open(sys.argv[1], embedder=None) as store:
    print(store.rules.count(), store.stats().seq, store.check().ok)
"""


def test_interrupt_of_the_program_undoes_the_call(store_path: Path) -> None:
    command = [sys.executable, "-c", INTERRUPTED, str(store_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.7)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
        assert time.monotonic() - start < 10
    assert output.splitlines() == ["cancelled", "interrupted", "0 0 True"], errors
    assert errors == ""
    assert process.returncode == 0


LEFT_OPEN = """
import asyncio, sys
import recollect.aio

async def main():
    global store
    store = await recollect.aio.open(sys.argv[1], embedder=None)
    await asyncio.gather(*(store.channels.create(f"room{number}") for number in range(9)))
    await store.rules.count()

asyncio.run(main())
print("ended", flush=True)
"""

LEFT_RUNNING = """
import asyncio, sys
import recollect.aio

async def main():
    global waiting
    store = await recollect.aio.open(sys.argv[1], embedder=None)
    print("opened", flush=True)
    sys.stdin.readline()
    waiting = [asyncio.create_task(store.channels.create(f"room{number}", timeout=600)) for number in range(9)]
    await asyncio.sleep(0.2)

asyncio.run(main())
print("ended", flush=True)
"""

LOOP_STOPPED = """
import asyncio, sys
import recollect.aio

loop = asyncio.new_event_loop()
store = loop.run_until_complete(recollect.aio.open(sys.argv[1], embedder=None))
print("opened", flush=True)
sys.stdin.readline()
waiting = [loop.create_task(store.channels.create(f"room{number}", timeout=600)) for number in range(9)]
loop.run_until_complete(asyncio.sleep(0.2))
print("ended", flush=True)
"""


def test_store_that_is_left_open_does_not_hinder_the_end(store_path: Path) -> None:
    output, errors, status, _ = run_program(LEFT_OPEN, store_path)
    assert (output, errors, status) == ("ended\n", "", 0)
    with recollect.open(store_path) as store:
        assert len(store.channels.list()) == 9


@pytest.mark.parametrize("program", [LEFT_RUNNING, LOOP_STOPPED], ids=["left to asyncio.run", "loop stopped"])
def test_calls_that_are_left_running_do_not_hinder_the_end(store_path: Path, program: str) -> None:
    command = [sys.executable, "-c", program, str(store_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "opened\n"
        with guard_held(store_path):
            start = time.monotonic()
            output, errors = process.communicate("go\n", timeout=60)
            assert time.monotonic() - start < 8
    assert (output, process.returncode) == ("ended\n", 0), errors
    # A task whose loop was left behind is told of by asyncio itself.
    assert all(line.startswith(("Task was destroyed", "task: <Task pending")) for line in errors.splitlines()), errors
    assert not errors or program is LOOP_STOPPED
    with recollect.open(store_path) as store:
        assert store.channels.list() == ()


FORKED = """
import asyncio, os, sys
import recollect, recollect.aio

async def refused(call):
    try:
        await call
    except recollect.ClosedError as error:
        return "process" in error.message
    return False

async def child():
    calls = [store.rules.count(), store.rules.add("no"), store.tiers(), anext(store.rules.iterate())]
    refusals = [await refused(call) for call in calls]
    await store.close()
    return sum(refusals)

store = asyncio.run(recollect.aio.open(sys.argv[1], embedder=None))
asyncio.run(store.rules.add("before"))
pid = os.fork()
if pid == 0:
    os._exit(asyncio.run(child()))
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
asyncio.run(store.rules.add("after"))
print(asyncio.run(store.rules.count()))
asyncio.run(store.close())
"""


def test_store_is_refused_in_the_child_of_a_fork_and_goes_on_in_the_parent(store_path: Path) -> None:
    output, errors, status, _ = run_program(FORKED, store_path, "-W", "ignore::DeprecationWarning")
    assert (output.split(), status) == (["4", "2"], 0), errors


def test_opening_that_nobody_awaited_is_told_as_of_any_coroutine(store_path: Path) -> None:
    program = "import sys, recollect.aio; recollect.aio.open(sys.argv[1])"
    _, errors, status, _ = run_program(program, store_path)
    assert status == 0
    assert "was never awaited" in errors
    assert not store_path.exists()


def test_another_kind_of_event_loop_will_do(store_path: Path) -> None:
    class Plain(asyncio.SelectorEventLoop):
        """A loop without the executor of asyncio, and that the policy does not know."""

        def run_in_executor(self, *_: object) -> None:  # type: ignore[override]
            raise NotImplementedError

        def set_default_executor(self, *_: object) -> None:
            raise NotImplementedError

    async def main() -> None:
        async with aio.open(store_path, embedder=None) as store:
            await asyncio.gather(*(store.rules.add(f"rule {number} of topic{number}") for number in range(20)))
            assert await store.rules.count(timeout=20) == 20

    with asyncio.Runner(loop_factory=Plain) as runner:
        runner.run(main())
    assert store_path.exists()
