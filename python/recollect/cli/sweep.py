"""`recollect sweep`: removes what is due."""

import argparse
from typing import TYPE_CHECKING

from recollect.cli.arguments import new_command, open_store
from recollect.cli.output import Output

if TYPE_CHECKING:
    from recollect.cli.arguments import Commands

__all__ = ["register"]


def register(commands: "Commands") -> None:
    """Adds the command."""
    about = "remove for good what has expired, and what was deleted too long ago to be restored"
    new_command(commands, "sweep", about, _run)


def _run(arguments: argparse.Namespace, output: Output) -> int:
    with open_store(arguments) as store:
        swept = store.sweep(timeout=arguments.timeout)
    output.data(swept, f"removed {swept.expired} expired and {swept.deleted} deleted items for good")
    return 0
