"""When which worker gets which signal: plans, and catching a process while it holds a lock."""

from __future__ import annotations

import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from tests.kit.processes import PATIENCE_SECONDS, Crew, Worker, WorkerFailedError


@dataclass(frozen=True, slots=True)
class After:
    """That many seconds from now."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Within:
    """At a random moment within that many seconds from now."""

    seconds: float


@dataclass(frozen=True, slots=True)
class AfterLines:
    """When the victims together have said that many more lines that begin so; after `seconds` in any case."""

    count: int
    beginning: str = ""
    seconds: float = PATIENCE_SECONDS


@dataclass(frozen=True, slots=True)
class Strike:
    """A plan: who gets which signal, and when.

    Attributes:
        moment: When.
        victims: The names of those it hits; none given are all who run.
        number: The signal. Killed workers are waited for.
    """

    moment: After | Within | AfterLines
    victims: tuple[str, ...] = ()
    number: signal.Signals = signal.SIGKILL

    def carry_out(self, crew: Crew, chance: random.Random) -> float:
        """Waits for the moment and sends the signals; returns when, by the monotonic clock.

        Raises:
            WorkerFailedError: One that was to be killed had ended by itself, or died of something else.
        """
        victims = [crew[name] for name in self.victims or crew.names]
        match self.moment:
            case After(seconds):
                time.sleep(seconds)
            case Within(seconds):
                time.sleep(chance.uniform(0, seconds))
            case AfterLines(count, beginning, seconds):
                _wait_together(victims, count, beginning, seconds)
        at = time.monotonic()
        for victim in victims:
            victim.signal(self.number)
        if self.number is signal.SIGKILL:
            for victim in victims:
                victim.kill()
                if victim.exit_status() != -signal.SIGKILL:
                    status, errors = victim.exit_status(), victim.errors()[-800:]
                    raise WorkerFailedError(f"{victim.name} was not killed, it ended with {status}; errors {errors!r}")
        return at


def _wait_together(workers: list[Worker], count: int, beginning: str, seconds: float) -> None:
    begun = [len(worker.said()) for worker in workers]
    until = time.monotonic() + seconds
    while time.monotonic() < until and any(worker.is_running() for worker in workers):
        said = (line for worker, since in zip(workers, begun, strict=True) for line in worker.said(since))
        if sum(line.text.startswith(beginning) for line in said) >= count:
            return
        time.sleep(0.001)


def lock_holder(path: Path) -> int | None:
    """The process that holds the `flock` of a file, by the kernel's own list; None if nobody does."""
    inode = path.stat().st_ino
    for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
        # "1: FLOCK  ADVISORY  WRITE 20240 fe:00:11332068 0 EOF"; those who wait have "->" after the number.
        words = line.split()
        if words[1] == "FLOCK" and words[5].rpartition(":")[2] == str(inode):
            return int(words[4])
    return None


def stop_with_lock(worker: Worker, lock: Path, *, seconds: float = PATIENCE_SECONDS) -> float:
    """Stops a worker (SIGSTOP) while it holds the `flock` of a file; returns when, by the monotonic clock.

    Raises:
        WorkerFailedError: It was not caught with the lock in time; it runs.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until and worker.is_running():
        if lock_holder(lock) != worker.pid:
            continue
        worker.signal(signal.SIGSTOP)
        at = time.monotonic()
        while worker.is_running() and _state(worker.pid) not in "TZ":
            time.sleep(0.0005)
        # It may have given the lock up between the look and the signal.
        if lock_holder(lock) == worker.pid:
            return at
        worker.signal(signal.SIGCONT)
    raise WorkerFailedError(f"{worker.name} was never caught with {lock.name}")


def _state(pid: int) -> str:
    """The kernel's letter for what a process does: `T` is stopped, `Z` ended and not yet waited for."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    return stat.rpartition(")")[2].split()[0]
