"""`recollect delete`: deletes an item."""

import argparse
from typing import TYPE_CHECKING

from recollect.cli.arguments import collection, new_command, open_store
from recollect.cli.output import Output

if TYPE_CHECKING:
    from recollect.cli.arguments import Commands

__all__ = ["register"]


def register(commands: "Commands") -> None:
    """Adds the command."""
    parser = new_command(commands, "delete", "delete an item; `restore` brings it back", _run)
    parser.add_argument("id", help="its id")
    parser.add_argument("--version", type=int, metavar="NUMBER", help="only if this is its version")


def _run(arguments: argparse.Namespace, output: Output) -> int:
    with open_store(arguments) as store:
        kind = store.get(arguments.id, timeout=arguments.timeout).kind
        deleted = collection(store, kind).delete(arguments.id, version=arguments.version, timeout=arguments.timeout)
    output.data(deleted, f"deleted {deleted.id}; it can be restored until {deleted.undo_until:%Y-%m-%d %H:%M} UTC")
    return 0
