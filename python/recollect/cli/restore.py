"""`recollect restore`: brings a deleted item back."""

import argparse
from typing import TYPE_CHECKING

from recollect.cli.arguments import KINDS, collection, new_command, open_store
from recollect.cli.output import Output
from recollect.exceptions import NotFoundError
from recollect.records import Doc, Ref, Rule
from recollect.store import Store

if TYPE_CHECKING:
    from recollect.cli.arguments import Commands

__all__ = ["register"]


def register(commands: "Commands") -> None:
    """Adds the command."""
    parser = new_command(commands, "restore", "bring a deleted item back", _run)
    parser.add_argument("id", help="its id")


def _run(arguments: argparse.Namespace, output: Output) -> int:
    with open_store(arguments) as store:
        item = _restore(store, arguments.id, arguments.timeout)
    output.data(item, f"restored the {item.kind} {item.id}")
    return 0


def _restore(store: Store, id: str, timeout: float) -> Rule | Doc | Ref:
    """Restores the item among whichever kind it is; a deleted item tells its kind to nobody else."""
    for kind in KINDS:
        try:
            return collection(store, kind).restore(id, timeout=timeout)
        except NotFoundError:
            continue
    raise NotFoundError(
        f"there is no deleted item {id}",
        "it may be purged or swept by now; `recollect list --deleted` shows what can be restored",
    )
