"""`recollect check`: examines a whole store, and repairs it on request."""

import argparse
from typing import TYPE_CHECKING

from recollect.cli.arguments import new_command, open_store
from recollect.cli.output import Output

if TYPE_CHECKING:
    from recollect.cli.arguments import Commands

__all__ = ["register"]


def register(commands: "Commands") -> None:
    """Adds the command."""
    parser = new_command(commands, "check", "read the whole store and compare its parts", _run)
    parser.add_argument(
        "--repair", action="store_true", help="make anew what can be: indexes, vectors, hashes, counters"
    )


def _run(arguments: argparse.Namespace, output: Output) -> int:
    # A repair embeds anew what lost its vectors.
    with open_store(arguments, read_only=not arguments.repair, embedder="auto" if arguments.repair else None) as store:
        report = store.check(repair=arguments.repair, timeout=arguments.timeout)
    looked_at = (
        f"{report.items} items, {report.chunks} chunks, {report.vectors} vectors, {report.changes} changes looked at"
    )
    found = [f"repaired: {what}" for what in report.repaired] + list(report.problems)
    output.data(report, "\n".join([*found, "sound" if report.ok else f"{len(report.problems)} problems"]))
    output.say(looked_at)
    return 0 if report.ok else 1
