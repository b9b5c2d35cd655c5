"""`recollect search`: finds items by meaning."""

import argparse
from typing import TYPE_CHECKING

from recollect.cli.arguments import KINDS, new_command, open_store, project
from recollect.cli.output import Output
from recollect.records import SearchResult
from recollect.records.rendering import shorten

if TYPE_CHECKING:
    from recollect.cli.arguments import Commands

__all__ = ["hit_lines", "register"]


def register(commands: "Commands") -> None:
    """Adds the command."""
    parser = new_command(commands, "search", "find items by meaning", _run)
    parser.add_argument("query", help="what is looked for, in words")
    parser.add_argument("-k", type=int, default=10, metavar="COUNT", help="how many items (10)")
    parser.add_argument("--kind", action="append", default=[], choices=KINDS, dest="kinds", help="only this kind")
    parser.add_argument("--tag", action="append", default=[], dest="tags", help="only items with this tag")


def _run(arguments: argparse.Namespace, output: Output) -> int:
    with open_store(arguments, read_only=True, embedder="auto") as store:
        result = store.search(
            arguments.query, kinds=arguments.kinds, project=project(arguments), tags=arguments.tags, k=arguments.k
        )
    output.data(result, "\n".join(hit_lines(result)))
    output.say(f"{len(result)} of {result.matched} items")
    return 0


def hit_lines(result: SearchResult) -> list[str]:
    """Two lines for each hit: its score, kind and name, and below them what it says."""
    lines: list[str] = []
    for hit in result:
        # The heading of a ref is its target, which is its name already.
        above = [heading for heading in hit.heading if heading != hit.name]
        trail = f"  ({' / '.join(above)})" if above else ""
        lines.extend((f"{hit.score:.3f}  {hit.kind}  {hit.name}{trail}", f"       {shorten(hit.snippet, 100)}"))
    return lines
