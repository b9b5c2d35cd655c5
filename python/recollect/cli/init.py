"""`recollect init`: creates a store."""

import argparse
from typing import TYPE_CHECKING

from recollect.cli.arguments import new_command, open_store, store_path
from recollect.cli.output import Output
from recollect.exceptions import AlreadyExistsError, NotFoundError

if TYPE_CHECKING:
    from recollect.cli.arguments import Commands

__all__ = ["register"]


def register(commands: "Commands") -> None:
    """Adds the command."""
    new_command(commands, "init", "create a store", _run)


def _run(arguments: argparse.Namespace, output: Output) -> int:
    path = store_path(arguments)
    try:
        open_store(arguments, read_only=True).close()
    except NotFoundError:
        pass
    else:
        raise AlreadyExistsError(f"there is a store at {path} already", "use it, or choose another path")
    with open_store(arguments, create=True, embedder="auto") as store:
        space = store.space
        value = {"path": store.path, "schema_version": store.schema_version, "uuid": store.uuid, "space": space}
        by = f"searched by {space.name}" if space else "without an embedder"
        output.data(value, f"created {store.path}, schema {store.schema_version}, {by}")
    return 0
