"""`recollect add`: adds a rule, a doc or a ref."""

import argparse
import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from recollect.cli.arguments import Parser, add_project, new_command, open_store, project, read_text
from recollect.cli.output import Output
from recollect.exceptions import InvalidInputError
from recollect.records import Added
from recollect.store import Store

if TYPE_CHECKING:
    from recollect.cli.arguments import Commands

__all__ = ["register"]


def register(commands: "Commands") -> None:
    """Adds the command."""
    kinds = commands.add_parser(
        "add", help="add a rule, a doc or a ref", description="Add a rule, a doc or a ref."
    ).add_subparsers(title="kinds", metavar="KIND", required=True)

    rule = new_command(kinds, "rule", "add a rule: an instruction to obey", _rule)
    rule.add_argument("text", help="the instruction; a dash reads it from stdin")
    rule.add_argument("--applies-to", action="append", default=[], metavar="GLOB", help="paths it applies to")
    rule.add_argument("--mode", action="append", default=[], dest="modes", help="mode of work it applies in")
    rule.add_argument("--always-on", action="store_true", help="it always applies")

    doc = new_command(kinds, "doc", "add a document, kept verbatim", _doc)
    doc.add_argument("file", help="the file, which is also the document's path; a dash reads stdin")
    doc.add_argument("--path", help="where the document stands in its project, if not at the file's path")
    doc.add_argument("--title", help="its title; default: the first heading")
    doc.add_argument("--media-type", help="text/markdown or text/plain; default: told from the path")

    ref = new_command(kinds, "ref", "add a ref: a pointer with a note", _ref)
    ref.add_argument("target", help="a URL, src/main.rs:10-20, commit:1a2b3c4, owner/name#12")
    ref.add_argument("note", help="why it matters")

    for parser in (rule, doc, ref):
        _add_fields(parser)


def _add_fields(parser: Parser) -> None:
    add_project(parser, "where it belongs, such as acme/web; default: the root")
    group = parser.add_argument_group("fields")
    group.add_argument("--key", help="your own name for it")
    group.add_argument("--tag", action="append", default=[], dest="tags", help="a word to filter by; may be repeated")
    group.add_argument("--metadata", metavar="JSON", help="a JSON object")
    group.add_argument("--channel", help="only who was granted this channel sees it")
    group.add_argument("--tier", help="the access tier")
    group.add_argument("--priority", type=int, default=0, help="from -1000 to 1000")
    group.add_argument("--source", help="where it came from")
    group.add_argument("--trust", choices=("trusted", "unverified", "untrusted"), help="how far that is trusted")
    for name in ("valid-from", "valid-until", "expires-at"):
        group.add_argument(f"--{name}", metavar="TIME", type=_time, help="such as 2026-01-31T12:00:00+00:00")


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-01-31T12:00:00+00:00") from error


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, whose names may stand in it once each: of two values one would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the name {next(name for name in names if names.count(name) > 1)!r} stands there twice")
    return found


def _fields(arguments: argparse.Namespace) -> dict[str, Any]:
    names = ("key", "tags", "channel", "tier", "priority", "source", "trust", "valid_from", "valid_until", "expires_at")
    metadata = None
    if arguments.metadata is not None:
        try:
            metadata = json.loads(arguments.metadata, object_pairs_hook=_object)
        except (ValueError, RecursionError) as error:
            raise InvalidInputError(
                f"--metadata is no JSON object: {error}", 'pass an object: \'{"owner": "web"}\''
            ) from error
        if not isinstance(metadata, dict):
            raise InvalidInputError("--metadata is JSON, but no object", 'pass an object: \'{"owner": "web"}\'')
    named = {name: getattr(arguments, name) for name in names}
    return named | {"project": project(arguments), "metadata": metadata, "timeout": arguments.timeout}


def _open(arguments: argparse.Namespace) -> Store:
    return open_store(arguments, embedder="auto")


def _rule(arguments: argparse.Namespace, output: Output) -> int:
    text = read_text("-") if arguments.text == "-" else arguments.text
    with _open(arguments) as store:
        added = store.rules.add(
            text,
            applies_to=arguments.applies_to,
            modes=arguments.modes,
            always_on=arguments.always_on,
            **_fields(arguments),
        )
    return _tell(added, output)


def _doc(arguments: argparse.Namespace, output: Output) -> int:
    path = arguments.path or (None if arguments.file == "-" else arguments.file)
    text = read_text(arguments.file)
    with _open(arguments) as store:
        added = store.docs.add(
            text, path=path, title=arguments.title, media_type=arguments.media_type, **_fields(arguments)
        )
    return _tell(added, output)


def _ref(arguments: argparse.Namespace, output: Output) -> int:
    with _open(arguments) as store:
        added = store.refs.add(arguments.target, arguments.note, **_fields(arguments))
    return _tell(added, output)


def _tell(added: Added, output: Output) -> int:
    output.data(added, added.id)
    if not added.created:
        output.say(f"the same {added.kind} was there already")
    for warning in added.warnings:
        output.say(f"warning: {warning.message}")
    return 0
