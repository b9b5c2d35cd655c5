"""Real processes on one store: started as programs, heard line by line, killed by plan, always cleaned up.

A `Crew` starts workers, each an interpreter of its own with its standard streams in pipes. What a worker prints is read
by a thread as it comes, so nothing that it said before it was killed is lost. Who gets which signal, and when, is a
`Strike` of `tests.kit.strikes`. Leaving the crew ends every process that it started, by its process id, stopped ones
too.

    with Crew() as crew:
        writer = crew.start("writer", "-m", "tests.kit.writer", store)
        Strike(AfterLines(20), ("writer",)).carry_out(crew, random.Random(1))
        said = [line.text for line in writer.finish()]
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
# Waiting for a process ends after that many seconds; a healthy one needs a fraction of it, even on a busy machine.
PATIENCE_SECONDS = 60.0
_CRASH = re.compile(r"panicked at|Fatal Python error|Segmentation|PanicException")


class WorkerFailedError(Exception):
    """A worker did not do what was waited for; the message has its last words."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line that a worker printed.

    Attributes:
        at: When it was read, by the monotonic clock, which all processes of a machine share.
        text: The line without its end.
    """

    at: float
    text: str


class Worker:
    """One started process.

    Attributes:
        name: What the crew calls it.
    """

    def __init__(self, name: str, arguments: Iterable[str]) -> None:
        self.name = name
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._lines: list[Line] = []
        self._heard = threading.Condition()
        self._is_silent = False
        self._listener = threading.Thread(target=self._listen, name=f"listens to {name}", daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._heard:
                # A process that dies while it writes leaves half a line; that was not said.
                if line.endswith("\n"):
                    self._lines.append(Line(time.monotonic(), line[:-1]))
                self._heard.notify_all()
        with self._heard:
            self._is_silent = True
            self._heard.notify_all()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def exit_status(self) -> int | None:
        """None while it runs; negative is the signal that ended it."""
        return self._process.poll()

    def is_running(self) -> bool:
        """Whether it has not ended; one that is stopped runs."""
        return self._process.poll() is None

    def tell(self, text: str) -> None:
        """Writes a line to its standard input; one that is gone does not hear it."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(text + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return

    def ask(self, text: str, *, seconds: float = PATIENCE_SECONDS) -> str:
        """Writes a line, and returns the next one that it prints.

        Raises:
            WorkerFailedError: It ended, or the time was over, without a line.
        """
        since = len(self.said())
        self.tell(text)
        return self.wait_for("", since=since, seconds=seconds).text

    def said(self, since: int = 0) -> list[Line]:
        """What it printed so far, from the line with that number on."""
        with self._heard:
            return self._lines[since:]

    def wait_for(self, beginning: str, *, since: int = 0, seconds: float = PATIENCE_SECONDS) -> Line:
        """Waits for a line that begins so.

        Raises:
            WorkerFailedError: It ended, or the time was over, without such a line.
        """
        line, _ = self._wait(beginning, 1, since, seconds)
        if line is None:
            raise WorkerFailedError(f"{self.name} did not say {beginning!r}{self._last_words()}")
        return line

    def wait_lines(self, count: int, *, beginning: str = "", since: int = 0, seconds: float = PATIENCE_SECONDS) -> int:
        """Waits until it has printed that many lines that begin so; returns how many there were when the wait ended."""
        return self._wait(beginning, count, since, seconds)[1]

    def _wait(self, beginning: str, count: int, since: int, seconds: float) -> tuple[Line | None, int]:
        until = time.monotonic() + seconds
        with self._heard:
            found, place, last = 0, since, None
            while True:
                for line in self._lines[place:]:
                    if line.text.startswith(beginning):
                        found, last = found + 1, line
                        if found == count:
                            return last, found
                place = max(place, len(self._lines))
                left = until - time.monotonic()
                if self._is_silent or left <= 0:
                    return None, found
                self._heard.wait(left)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal; one that is gone does not get it."""
        self._process.send_signal(number)

    def finish(self, *, expects: int = 0, seconds: float = PATIENCE_SECONDS) -> list[Line]:
        """Waits for its end, and returns all it ever said. Its standard input ends, which tells it to end.

        Raises:
            WorkerFailedError: It did not end in time, or with another status than the one that is expected.
        """
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it was gone with a line unread
            self._process.stdin.close()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            words = self._last_words()
            self.kill()
            raise WorkerFailedError(f"{self.name} did not end{words}") from None
        self._listener.join(seconds)
        if self.exit_status() != expects:
            raise WorkerFailedError(f"{self.name} did not end with status {expects}{self._last_words()}")
        return self.said()

    def kill(self) -> None:
        """Ends it now, even where it is stopped, and waits for the last of what it said."""
        self._process.kill()
        self._process.wait()
        self._listener.join(PATIENCE_SECONDS)

    def errors(self) -> str:
        """What it wrote to its standard error."""
        size = os.fstat(self._errors.fileno()).st_size
        return os.pread(self._errors.fileno(), size, 0).decode(errors="replace")

    def crashes(self) -> list[str]:
        """What it wrote to its standard error that tells of a panic or of an interpreter that broke down."""
        return [f"{self.name}: {line[:300]}" for line in self.errors().splitlines() if _CRASH.search(line)]

    def _last_words(self) -> str:
        lines = [line.text for line in self._lines[-3:]]
        return f" (exit status {self.exit_status()}); last lines {lines}; errors {self.errors()[-800:]!r}"

    def close(self) -> None:
        """Kills it if it runs, and gives up its pipes."""
        if self.is_running():
            self.kill()
        self._listener.join(PATIENCE_SECONDS)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None and not stream.closed:
                with contextlib.suppress(BrokenPipeError):  # as in finish
                    stream.close()
        self._errors.close()


class Crew:
    """Workers that are started together and end together.

    Args:
        seconds: After that time every worker is killed, so that a program which hangs cannot hang its test.
    """

    def __init__(self, *, seconds: float = 3600.0) -> None:
        self._workers: dict[str, Worker] = {}
        self._retired: list[Worker] = []
        self._watchdog = threading.Timer(seconds, self._kill_all)
        self._watchdog.daemon = True

    def start(self, name: str, *arguments: object) -> Worker:
        """Starts `python ARGUMENTS…` in the root of the repository; a name that is taken passes to the new worker."""
        if name in self._workers:
            self._retired.append(self._workers[name])
        worker = Worker(name, map(str, arguments))
        self._workers[name] = worker
        return worker

    def __getitem__(self, name: str) -> Worker:
        return self._workers[name]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of those who run, in the order in which the names were first used."""
        return tuple(name for name, worker in self._workers.items() if worker.is_running())

    def crashes(self) -> list[str]:
        """What any of the workers, those who ended included, wrote of a panic or of a broken interpreter."""
        return [said for worker in (*self._retired, *self._workers.values()) for said in worker.crashes()]

    def _kill_all(self) -> None:
        for worker in (*self._retired, *self._workers.values()):
            if worker.is_running():
                worker.signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        self._watchdog.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watchdog.cancel()
        self._kill_all()
        for worker in (*self._retired, *self._workers.values()):
            worker.close()
