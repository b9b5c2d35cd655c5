"""Open stores that a model is compared with: in this process, or in another one that can be killed.

The other process is a worker that lives long: it forks for each store it is told to open, serves calls on it from its
pipe, and ends with it. So a kill costs a fork, not the start of an interpreter.
"""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import reduce
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from tests.kit.model_contents import DIMENSION, SPACE, KitEmbedder
from tests.kit.model_state import Handle

import recollect
from recollect import ExternalVectors, RecollectError, Store

__all__ = ["Call", "Connection", "LocalConnection", "Worker", "open_store", "serve"]

_ROOT = Path(__file__).resolve().parents[2]
_ENDED = ("ended",)
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


Call: TypeAlias = tuple[str, tuple[Any, ...], Mapping[str, Any]]
"""The path of a method, its arguments, and its named arguments."""


class Connection(Protocol):
    """A store that is open somewhere."""

    def call(self, path: str, /, *arguments: Any, **options: Any) -> Any:
        """Calls a method such as `rules.add`; returns its value, or the error it raised."""

    def calls(self, asked: Sequence[Call]) -> list[Any]:
        """Makes several calls, one after the other."""

    def close(self) -> None:
        """Closes the store."""


def open_store(location: str, who: Handle) -> Store:
    """Opens a store as a handle says."""
    embedders: dict[str, KitEmbedder | ExternalVectors | None] = {
        "embeds": KitEmbedder(),
        "declares": ExternalVectors(SPACE, DIMENSION),
        "none": None,
    }
    return recollect.open(
        location,
        embedder=embedders[who.mode],
        durability="normal",
        project=who.project,
        principal=who.principal,
        readers=2,
        sweep=False,
    )


def _outcome(store: Store, path: str, arguments: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
    """The value of a call, or the error of recollect that it raised."""
    method = reduce(getattr, path.split("."), store)
    if not callable(method):
        return method
    try:
        value = method(*arguments, **options)
        return tuple(value) if isinstance(value, Iterator) else value
    except RecollectError as error:
        return error


class LocalConnection:
    """A store in this process."""

    def __init__(self, location: str, who: Handle) -> None:
        self.store = open_store(location, who)

    def call(self, path: str, /, *arguments: Any, **options: Any) -> Any:
        """Calls a method of the store."""
        return _outcome(self.store, path, arguments, options)

    def calls(self, asked: Sequence[Call]) -> list[Any]:
        """Calls several methods."""
        return [_outcome(self.store, *call) for call in asked]

    def close(self) -> None:
        """Closes the store."""
        self.store.close()


class Worker:
    """Another process, which opens one store after the other."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from tests.kit.model_handles import serve; serve()"],
            cwd=_ROOT,
            env=os.environ | _ONE_THREAD,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._child = 0

    def open(self, location: str, who: Handle) -> "Worker":
        """Opens a store in a new process; the one before was closed or killed."""
        self._send((location, who))
        self._child = self._answer()
        outcome = self._answer()
        if isinstance(outcome, BaseException):
            self._wait_for_end()
            raise outcome
        return self

    def call(self, path: str, /, *arguments: Any, **options: Any) -> Any:
        """Calls a method of the store."""
        return self.calls([(path, arguments, options)])[0]

    def calls(self, asked: Sequence[Call]) -> list[Any]:
        """Calls several methods, in one exchange of messages."""
        self._send(list(asked))
        answers: list[Any] = self._answer()
        return answers

    def close(self) -> None:
        """Closes the store; its process ends."""
        outcome = self.call("close")
        self._wait_for_end()
        if isinstance(outcome, BaseException):
            raise outcome

    def kill(self) -> None:
        """Ends the process of the store without a warning."""
        if self._child:
            os.kill(self._child, signal.SIGKILL)
            self._wait_for_end()

    def end(self) -> None:
        """Ends the worker itself."""
        self.kill()
        with suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        self._process.wait(timeout=30)
        if self._process.stdout:
            self._process.stdout.close()

    def _wait_for_end(self) -> None:
        """Waits until the process of the store is gone: a dying one may still take a message out of the pipe."""
        while self._answer() != _ENDED:
            pass
        self._child = 0

    def _send(self, message: object) -> None:
        assert self._process.stdin is not None
        _write(self._process.stdin.fileno(), message)

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return _read(self._process.stdout.fileno())


def _write(descriptor: int, message: object) -> None:
    """Writes a message behind its length."""
    body = pickle.dumps(message)
    rest = memoryview(len(body).to_bytes(8, "little") + body)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _read(descriptor: int) -> Any:
    """Reads a message and not one byte more: what a killed process did not read is there for the next one."""

    def exactly(count: int) -> bytes:
        parts = b""
        while len(parts) < count:
            part = os.read(descriptor, count - len(parts))
            if not part:
                raise EOFError
            parts += part
        return parts

    return pickle.loads(exactly(int.from_bytes(exactly(8), "little")))  # noqa: S301 - our own process wrote it


def serve() -> None:
    """Opens the stores that come by standard input, each in a fork, until there are no more."""
    while True:
        try:
            location, who = _read(0)
        except EOFError:
            return
        child = os.fork()
        if child == 0:
            _serve_one(location, who)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGKILL:
            return
        _write(1, _ENDED)


def _serve_one(location: str, who: Handle) -> None:
    """Serves one store until it is closed, then ends the process."""
    _write(1, os.getpid())
    try:
        store = open_store(location, who)
    except RecollectError as error:
        _write(1, error)
        os._exit(0)
    _write(1, None)
    while True:
        try:
            asked = _read(0)
        except EOFError:
            os._exit(1)
        answers: list[Any] = []
        for call in asked:
            try:
                answers.append(_outcome(store, *call))
            except Exception as error:  # noqa: BLE001 - whoever asked decides
                answers.append(error)
        _write(1, answers)
        if asked[-1][0] == "close":
            os._exit(0)
