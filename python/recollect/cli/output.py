"""Where the command writes: data on stdout, talk on stderr."""

import dataclasses
import json
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import cast

from recollect.exceptions import RecollectError
from recollect.records.items import Item, subject
from recollect.records.rendering import shorten

__all__ = ["Output", "item_line"]


class Output:
    """Writes the answers of one command.

    Args:
        as_json: Whether data is written as one JSON document instead of text for people.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def data(self, value: object, text: str) -> None:
        """Writes the answer: the value as JSON, or else the text."""
        line = json.dumps(_plain(value), ensure_ascii=False, indent=2) if self.as_json else text
        sys.stdout.write(line if line.endswith("\n") else line + "\n")

    def say(self, text: str) -> None:
        """Tells the person at the terminal something that is no data."""
        sys.stderr.write(text + "\n")

    def fail(self, error: RecollectError) -> None:
        """Writes an error, and what to do about it."""
        if self.as_json:
            parts = {name: getattr(error, name) for name in ("code", "message", "hint", "retryable")}
            self.say(json.dumps({"error": parts}, ensure_ascii=False))
        else:
            self.say(f"error: {error.message}\nhint: {error.hint}")


def item_line(item: Item) -> str:
    """One line about an item: id, key or dash, project, and what it says."""
    return f"{item.id}  {item.key or '-'}  {item.project or '/'}  {shorten(subject(item), 80)}"


def _plain(value: object) -> object:
    """The value in terms of JSON."""
    match value:
        case datetime():
            plain: object = value.isoformat()
        case timedelta():
            plain = value.total_seconds()
        case Item():
            plain = {"kind": value.kind} | _fields(value)
        case Mapping():
            plain = {str(key): _plain(part) for key, part in cast("Mapping[object, object]", value).items()}
        case list() | tuple():
            plain = [_plain(part) for part in cast("list[object]", value)]
        case _ if dataclasses.is_dataclass(value):
            plain = _fields(value)
        case _:
            plain = value
    return plain


def _fields(record: object) -> dict[str, object]:
    parts = dataclasses.fields(record)  # type: ignore[arg-type] # the caller saw that it is a dataclass
    return {part.name: _plain(getattr(record, part.name)) for part in parts}
