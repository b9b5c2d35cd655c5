"""`recollect purge`: removes items for good."""

import argparse
from typing import TYPE_CHECKING

from recollect.cli.arguments import KINDS, collection, new_command, open_store
from recollect.cli.output import Output
from recollect.exceptions import NotFoundError
from recollect.records import Doc, Purged, Ref, Rule
from recollect.store import Store

if TYPE_CHECKING:
    from recollect.cli.arguments import Commands

__all__ = ["register"]


def register(commands: "Commands") -> None:
    """Adds the command."""
    about = "remove items for good, with their history and their traces in the file; nothing brings them back"
    parser = new_command(commands, "purge", about, _run)
    parser.add_argument("ids", nargs="+", metavar="ID", help="the items, live or deleted")


def _run(arguments: argparse.Namespace, output: Output) -> int:
    with open_store(arguments) as store:
        purged = _purge(store, arguments.ids, arguments.timeout)
    output.data(purged, "\n".join(_line(one) for one in purged))
    return 0


def _purge(store: Store, ids: list[str], timeout: float) -> list[Purged]:
    """Purges the items, each among its kind; none of them where one was never there."""
    by_kind: dict[str, list[str]] = {kind: [] for kind in KINDS}
    purged: dict[str, Purged] = {}
    for id in ids:
        item = _item(store, id, timeout)
        if item is None:
            gone = _purge_again(store, id, timeout)
            purged[gone.id] = gone
        elif item.id not in by_kind[item.kind]:
            by_kind[item.kind].append(item.id)
    for kind, members in by_kind.items():
        if members:
            purged |= {one.id: one for one in collection(store, kind).purge_many(members, timeout=timeout)}
    return list(purged.values())


def _item(store: Store, id: str, timeout: float) -> Rule | Doc | Ref | None:
    """The item of an id in whatever spelling, live or deleted; None of one that is gone or never was."""
    for kind in KINDS:
        try:
            return collection(store, kind).history(id, timeout=timeout)[-1].item
        except NotFoundError:
            continue
    return None


def _purge_again(store: Store, id: str, timeout: float) -> Purged:
    """Purges an item that is gone already, which erases what an earlier purge had to leave.

    Raises:
        NotFoundError: There never was such an item.
    """
    for kind in KINDS:
        try:
            return collection(store, kind).purge(id, timeout=timeout)
        except NotFoundError:
            continue
    raise NotFoundError(f"there never was an item {id}", "`recollect list` shows the ids that there are")


def _line(purged: Purged) -> str:
    if not purged.versions:
        return f"{purged.id} was gone already"
    return f"purged the {purged.kind} {purged.id}: {purged.versions} versions, {purged.chunks} chunks"
