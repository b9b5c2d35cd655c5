"""The options that every command has, and the store they name."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn, Protocol

from recollect.cli.output import Output
from recollect.config import PROJECT_VARIABLE, STORE_VARIABLE
from recollect.exceptions import InvalidInputError, StorageIOError
from recollect.store import Docs, Refs, Rules, Store
from recollect.store import open as open_at

if TYPE_CHECKING:
    # argparse keeps the type of what `add_subparsers` returns to itself.
    Commands = argparse._SubParsersAction["Parser"]  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]

__all__ = [
    "KINDS",
    "Command",
    "Parser",
    "add_project",
    "collection",
    "new_command",
    "open_store",
    "project",
    "read_text",
    "store_path",
]

KINDS = ("rule", "doc", "ref")
"""The kinds of items, as the command line names them."""


class Parser(argparse.ArgumentParser):
    """A parser that raises what is wrong with the command line as every other error is raised."""

    def error(self, message: str) -> NoReturn:
        """Ends the command.

        Raises:
            InvalidInputError: Always.
        """
        raise InvalidInputError(message, f"`{self.prog} --help` says what it takes")

    def _print_message(self, message: str, file: object = None) -> None:
        """Writes help and the version as data is written: argparse itself would hide that it failed."""
        del file
        Output(as_json=False).exactly(message)


class Command(Protocol):
    """What runs a command: gets its options and where to write, and returns the exit status."""

    def __call__(self, arguments: argparse.Namespace, output: Output, /) -> int:
        """Runs the command."""
        ...


def new_command(
    commands: "Commands", name: str, about: str, run: Command, default_store: str = f"the variable {STORE_VARIABLE}"
) -> Parser:
    """Makes the parser of a command, with the options that every command has."""
    parser = commands.add_parser(name, help=about, description=about[:1].upper() + about[1:] + ".")
    parser.set_defaults(run=run)
    group = parser.add_argument_group("common options")
    group.add_argument("--store", metavar="PATH", help=f"the store; default: {default_store}")
    group.add_argument("--json", action="store_true", help="write the answer, and an error, as JSON")
    group.add_argument(
        "--timeout",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="the time limit of opening the store, and of each call to it (30)",
    )
    group.add_argument("--verbose", action="store_true", help="say on stderr what happens")
    return parser


def add_project(parser: argparse.ArgumentParser, meaning: str) -> None:
    """Gives a command the option that names a project; the meaning says what goes without."""
    parser.add_argument(
        "--project", metavar="PATH", help=f"{meaning}; the variable {PROJECT_VARIABLE} stands in for the option"
    )


def store_path(arguments: argparse.Namespace) -> str:
    """The store that the options or the environment name.

    Raises:
        InvalidInputError: Neither names one, or an empty one is named.
    """
    path: str | None = arguments.store
    if path is None:
        path = os.environ.get(STORE_VARIABLE)
    if not path:
        raise InvalidInputError("no store was named", f"pass --store PATH, or set {STORE_VARIABLE}")
    return path


def project(arguments: argparse.Namespace) -> str | None:
    """The project that the options or the environment name."""
    named: str | None = arguments.project
    return named if named is not None else os.environ.get(PROJECT_VARIABLE)


def open_store(
    arguments: argparse.Namespace,
    *,
    create: bool = False,
    read_only: bool = False,
    embedder: Literal["auto"] | None = None,
) -> Store:
    """Opens the store that the options or the environment name."""
    return open_at(
        store_path(arguments), create=create, read_only=read_only, embedder=embedder, timeout=arguments.timeout
    )


def collection(store: Store, kind: str) -> Rules | Docs | Refs:
    """The items of a kind."""
    kinds: dict[str, Rules | Docs | Refs] = {"rule": store.rules, "doc": store.docs, "ref": store.refs}
    return kinds[kind]


def read_text(name: str) -> str:
    """Reads a text file, or stdin for a dash.

    Raises:
        StorageIOError: It cannot be read.
        InvalidInputError: It is not UTF-8.
    """
    shown = "stdin" if name == "-" else name
    try:
        content = _stdin() if name == "-" else _content(name)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StorageIOError(f"{shown} cannot be read: {reason}", "check the path and its permissions") from error
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            f"{shown} is not UTF-8: {error.reason} at byte {error.start}", "convert the text to UTF-8 first"
        ) from error


def _stdin() -> bytes:
    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] # so Python says that it was closed
        raise StorageIOError("stdin is closed", "pipe the text into the command, or name it on the command line")
    return sys.stdin.buffer.read()


def _content(name: str) -> bytes:
    # The words of the command line are UTF-8 here, and the locale may hold the file's name for something else.
    return Path(os.fsdecode(name.encode("utf-8", "surrogateescape"))).read_bytes()
