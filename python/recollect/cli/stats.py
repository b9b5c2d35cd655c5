"""`recollect stats`: what a store holds."""

import argparse
from dataclasses import fields
from typing import TYPE_CHECKING

from recollect.cli.arguments import new_command, open_store
from recollect.cli.output import Output
from recollect.records import Space

if TYPE_CHECKING:
    from recollect.cli.arguments import Commands

__all__ = ["register"]

# What the process that asks has done since it opened the store a moment ago says nothing.
_OF_THE_PROCESS = frozenset({"readers", "guard", "checkpoints", "index"})


def register(commands: "Commands") -> None:
    """Adds the command."""
    new_command(commands, "stats", "show what a store holds", _run)


def _run(arguments: argparse.Namespace, output: Output) -> int:
    with open_store(arguments, read_only=True) as store:
        stats = store.stats(timeout=arguments.timeout)
    names = [part.name for part in fields(stats) if part.name not in _OF_THE_PROCESS]
    width = max(map(len, names))
    output.data(stats, "\n".join(f"{name:<{width}}  {_shown(getattr(stats, name))}" for name in names))
    return 0


def _shown(value: object) -> str:
    if isinstance(value, Space):
        return f"{value.name} {value.revision}, {value.dimension} components"
    return "-" if value is None else str(value)
