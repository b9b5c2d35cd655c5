"""`recollect get`: shows one item."""

import argparse
from dataclasses import fields
from typing import TYPE_CHECKING, cast

from recollect.cli.arguments import KINDS, add_project, collection, new_command, open_store, project
from recollect.cli.output import Output, on_one_line
from recollect.exceptions import InvalidInputError
from recollect.records import Doc, Ref, Rule
from recollect.store import Store

if TYPE_CHECKING:
    from recollect.cli.arguments import Commands

__all__ = ["register"]


def register(commands: "Commands") -> None:
    """Adds the command."""
    parser = new_command(commands, "get", "show one item", _run)
    parser.add_argument("id", nargs="?", help="its id")
    parser.add_argument("--kind", choices=KINDS, help="its kind; needed with --key")
    parser.add_argument("--key", help="its key, instead of the id")
    add_project(parser, "with --key, where to look first, and then in its ancestors; default: the root")
    parser.add_argument("--text", action="store_true", help="only its text, exactly as it was stored")


def _run(arguments: argparse.Namespace, output: Output) -> int:
    if arguments.key is not None and arguments.kind is None:
        raise InvalidInputError("a key is looked up among the items of one kind", "add --kind rule, doc or ref")
    if (arguments.key is None) == (arguments.id is None):
        raise InvalidInputError("an item is named by its id, or by --kind and --key", "pass one of them")
    with open_store(arguments, read_only=True) as store:
        item = _find(store, arguments)
    text = item.note if isinstance(item, Ref) else item.text
    if arguments.text and not arguments.json:
        output.exactly(text)
    else:
        output.data(item, _describe(item, text))
    return 0


def _find(store: Store, arguments: argparse.Namespace) -> Rule | Doc | Ref:
    if arguments.kind is None:
        return store.get(arguments.id, timeout=arguments.timeout)
    items = collection(store, arguments.kind)
    if arguments.key is None:
        return items.get(arguments.id, timeout=arguments.timeout)
    return items.get(key=arguments.key, project=project(arguments), timeout=arguments.timeout)


def _describe(item: Rule | Doc | Ref, text: str) -> str:
    lines = [f"kind: {item.kind}"]
    for part in fields(item):
        value = getattr(item, part.name)
        if part.name not in {"text", "note"} and value not in (None, "", (), {}):
            shown = ", ".join(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else value
            lines.append(f"{part.name}: {on_one_line(str(shown))}")
    return "\n".join([*lines, "", text])
