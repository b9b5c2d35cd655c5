"""`recollect check`: examines a whole store."""

import argparse
from typing import TYPE_CHECKING

from recollect.cli.arguments import new_command, open_store
from recollect.cli.output import Output

if TYPE_CHECKING:
    from recollect.cli.arguments import Commands

__all__ = ["register"]


def register(commands: "Commands") -> None:
    """Adds the command."""
    new_command(commands, "check", "read the whole store and compare its parts", _run)


def _run(arguments: argparse.Namespace, output: Output) -> int:
    with open_store(arguments, read_only=True) as store:
        report = store.check(timeout=arguments.timeout)
    looked_at = (
        f"{report.items} items, {report.chunks} chunks, {report.vectors} vectors, {report.changes} changes looked at"
    )
    output.data(report, "\n".join([*report.problems, "sound" if report.ok else f"{len(report.problems)} problems"]))
    output.say(looked_at)
    return 0 if report.ok else 1
