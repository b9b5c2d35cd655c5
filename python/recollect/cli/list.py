"""`recollect list`: lists the items of a kind."""

import argparse
from typing import TYPE_CHECKING

from recollect.cli.arguments import KINDS, collection, new_command, open_store
from recollect.cli.filters import add_filters, filters
from recollect.cli.output import Output, item_line

if TYPE_CHECKING:
    from recollect.cli.arguments import Commands

__all__ = ["register"]


def register(commands: "Commands") -> None:
    """Adds the command."""
    parser = new_command(commands, "list", "list the items of a kind", _run)
    parser.add_argument("kind", choices=KINDS, help="the kind")
    add_filters(parser)
    parser.add_argument("--deleted", action="store_true", help="deleted items that can still be restored")
    parser.add_argument("--order", choices=("created", "updated", "priority", "key"), default="created")
    parser.add_argument("--descending", action="store_true", help="turn the order around")
    parser.add_argument("--limit", type=int, default=100, metavar="COUNT", help="how many items (100)")
    parser.add_argument("--cursor", help="where the page before ended")


def _run(arguments: argparse.Namespace, output: Output) -> int:
    chosen = filters(arguments)
    chosen["deleted"] = arguments.deleted
    with open_store(arguments, read_only=True) as store:
        page = collection(store, arguments.kind).list(
            order=arguments.order,
            descending=arguments.descending,
            limit=arguments.limit,
            cursor=arguments.cursor,
            timeout=arguments.timeout,
            **chosen,
        )
    if arguments.json or page.items:
        output.data(page, "\n".join(item_line(item) for item in page))
    if page.next_cursor:
        output.say(f"more follow: --cursor {page.next_cursor}")
    return 0
