"""`recollect search`: finds items by meaning."""

import argparse
from typing import TYPE_CHECKING

from recollect.cli.arguments import KINDS, add_project, new_command, open_store, project
from recollect.cli.output import Output, on_one_line, scope_words
from recollect.records import SearchResult
from recollect.records.rendering import shorten

if TYPE_CHECKING:
    from recollect.cli.arguments import Commands

__all__ = ["hit_lines", "register"]


def register(commands: "Commands") -> None:
    """Adds the command."""
    parser = new_command(commands, "search", "find items by meaning", _run)
    parser.add_argument("query", help="what is looked for, in words")
    add_project(
        parser,
        "search this project and its ancestors; `acme/*` is it and all below, `*` every project; default: the root",
    )
    parser.add_argument("-k", type=int, default=10, metavar="COUNT", help="how many items (10)")
    parser.add_argument("--kind", action="append", default=[], choices=KINDS, dest="kinds", help="only this kind")
    parser.add_argument("--tag", action="append", default=[], dest="tags", help="only items with this tag")


def _run(arguments: argparse.Namespace, output: Output) -> int:
    with open_store(arguments, read_only=True, embedder="auto") as store:
        result = store.search(
            arguments.query,
            kinds=arguments.kinds,
            project=project(arguments),
            tags=arguments.tags,
            k=arguments.k,
            timeout=arguments.timeout,
        )
    if arguments.json or result.hits:
        output.data(result, "\n".join(hit_lines(result, ids=True)))
    output.say(f"{len(result)} of {result.matched} items in {scope_words(result.scope)}")
    if not result.hits and result.scope is not None:
        output.say("hint: --project '*' searches every project")
    return 0


def hit_lines(result: SearchResult, *, ids: bool) -> list[str]:
    """Two lines for each hit: its score, kind, id if wanted, and name, and below them what it says."""
    lines: list[str] = []
    for hit in result:
        # The heading of a ref is its target, which is its name already.
        above = [heading for heading in hit.heading if heading != hit.name]
        trail = f"  ({' / '.join(above)})" if above else ""
        id = f"{hit.id}  " if ids and hit.name != hit.id else ""
        name = on_one_line(f"{hit.name}{trail}")
        lines.extend((f"{hit.score:.3f}  {hit.kind}  {id}{name}", f"       {shorten(hit.snippet, 100)}"))
    return lines
