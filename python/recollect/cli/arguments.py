"""The options that every command has, and the store they name."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from recollect.cli.output import Output
from recollect.config import PROJECT_VARIABLE, STORE_VARIABLE
from recollect.exceptions import InvalidInputError, StorageIOError
from recollect.store import Docs, Refs, Rules, Store
from recollect.store import open as open_at

if TYPE_CHECKING:
    # argparse keeps the type of what `add_subparsers` returns to itself.
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]

__all__ = ["Arguments", "Command", "add_common", "collection", "new_command", "open_store", "read_text"]

KINDS = ("rule", "doc", "ref")
"""The kinds of items, as the command line names them."""


class Arguments(argparse.Namespace):
    """The options that every command has."""

    store: str | None
    project: str | None
    json: bool
    timeout: float
    verbose: bool


class Command(Protocol):
    """What runs a command: gets its options and where to write, and returns the exit status."""

    def __call__(self, arguments: argparse.Namespace, output: Output, /) -> int:
        """Runs the command."""
        ...


def add_common(parser: argparse.ArgumentParser) -> None:
    """Gives a command the options that every command has."""
    group = parser.add_argument_group("common options")
    group.add_argument("--store", metavar="PATH", help=f"the store; default: the variable {STORE_VARIABLE}")
    group.add_argument(
        "--project", metavar="PATH", help=f"the project, such as acme/web; default: the variable {PROJECT_VARIABLE}"
    )
    group.add_argument("--json", action="store_true", help="write the answer as JSON")
    group.add_argument("--timeout", type=float, default=30.0, metavar="SECONDS", help="the time limit (30)")
    group.add_argument("--verbose", action="store_true", help="say on stderr what happens")


def new_command(commands: "Commands", name: str, about: str, run: Command) -> argparse.ArgumentParser:
    """Makes the parser of a command."""
    parser = commands.add_parser(name, help=about, description=about[:1].upper() + about[1:] + ".")
    parser.set_defaults(run=run)
    add_common(parser)
    return parser


def store_path(arguments: argparse.Namespace) -> str:
    """The store that the options or the environment name.

    Raises:
        InvalidInputError: Neither names one.
    """
    path: str | None = arguments.store or os.environ.get(STORE_VARIABLE)
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
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise StorageIOError(f"{name} cannot be read: {error.strerror}") from error
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{name} is not UTF-8: {error.reason} at byte {error.start}") from error
