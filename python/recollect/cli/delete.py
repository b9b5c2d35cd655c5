"""`recollect delete`: deletes an item, or the items that options choose."""

import argparse
from typing import TYPE_CHECKING

from recollect.cli.arguments import KINDS, collection, new_command, open_store
from recollect.cli.filters import add_filters, filters, names_a_filter
from recollect.cli.output import Output
from recollect.exceptions import InvalidInputError

if TYPE_CHECKING:
    from recollect.cli.arguments import Commands

__all__ = ["register"]


def register(commands: "Commands") -> None:
    """Adds the command."""
    parser = new_command(
        commands, "delete", "delete an item, or all that options choose; `restore` brings each back", _run
    )
    parser.add_argument("id", nargs="?", metavar="ID", help="the item; without it, --kind and at least one filter")
    parser.add_argument("--version", type=int, metavar="NUMBER", help="only if this is the item's version")
    parser.add_argument("--kind", choices=KINDS, help="the kind of the items to choose from")
    add_filters(parser)
    parser.add_argument("--expected", type=int, metavar="COUNT", help="delete only if it is this many items")
    parser.add_argument("--dry-run", action="store_true", help="only say which items it would be")


def _run(arguments: argparse.Namespace, output: Output) -> int:
    chooses = names_a_filter(arguments)
    only_for_many = chooses or arguments.kind or arguments.expected is not None or arguments.dry_run
    if arguments.id is not None:
        if only_for_many:
            raise InvalidInputError("an id and a filter exclude each other", "give either an id, or --kind and filters")
        return _delete_one(arguments, output)
    if not arguments.kind or not chooses:
        raise InvalidInputError(
            "nothing says what to delete",
            "give an id, or --kind and at least one filter; --project '*' chooses every item of the kind",
        )
    if arguments.version is not None:
        raise InvalidInputError("--version goes with an id", "--expected COUNT guards a deletion by filter")
    return _delete_many(arguments, output)


def _delete_one(arguments: argparse.Namespace, output: Output) -> int:
    with open_store(arguments) as store:
        kind = store.get(arguments.id, timeout=arguments.timeout).kind
        deleted = collection(store, kind).delete(arguments.id, version=arguments.version, timeout=arguments.timeout)
    output.data(deleted, f"deleted {deleted.id}; it can be restored until {deleted.undo_until:%Y-%m-%d %H:%M} UTC")
    return 0


def _delete_many(arguments: argparse.Namespace, output: Output) -> int:
    with open_store(arguments) as store:
        deleted = collection(store, arguments.kind).delete_many(
            expected=arguments.expected, dry_run=arguments.dry_run, timeout=arguments.timeout, **filters(arguments)
        )
    if arguments.json or deleted.ids:
        output.data(deleted, "\n".join(deleted.ids))
    if deleted.dry_run:
        output.say(f"{deleted.count} would be deleted")
    elif not deleted.ids:
        output.say("nothing matches: 0 deleted")
    else:
        output.say(f"{deleted.count} deleted; they can be restored until {deleted.undo_until:%Y-%m-%d %H:%M} UTC")
    return 0
