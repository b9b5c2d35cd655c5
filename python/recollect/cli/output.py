"""Where the command writes: data on stdout, talk on stderr, both in UTF-8 whatever the locale."""

import dataclasses
import json
import re
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, TextIO, cast

from recollect.cli.hints import hint_of
from recollect.exceptions import RecollectError, StorageIOError
from recollect.records.items import Item, subject
from recollect.records.rendering import shorten

__all__ = ["Output", "check_stdout", "item_line", "on_one_line", "scope_words"]

# What a terminal would obey instead of showing it: control characters but line feed and tab, separators of lines, and
# marks that turn the direction of writing around.
_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class Output:
    """Writes the answers of one command.

    Args:
        as_json: Whether data is written as one JSON document instead of text for people.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def data(self, value: object, text: str) -> None:
        """Writes the answer: the value as JSON, or else the text for people, its control characters made visible.

        Raises:
            StorageIOError: The answer cannot be written.
        """
        line = json.dumps(_plain(value), ensure_ascii=False, indent=2) if self.as_json else _visible(text)
        _write(line if line.endswith("\n") else line + "\n")

    def exactly(self, text: str) -> None:
        """Writes a stored text as it is, without so much as a line feed added.

        Raises:
            StorageIOError: It cannot be written.
        """
        _write(text)

    def say(self, text: str) -> None:
        """Tells the person at the terminal something that is no data."""
        if sys.stderr is None:  # pyright: ignore[reportUnnecessaryComparison] # it was closed from the start
            return
        try:
            _put(sys.stderr, _visible(text) + "\n")
        except (OSError, ValueError):
            # There is nowhere left to say that nothing can be said.
            return

    def fail(self, error: RecollectError) -> None:
        """Writes an error, and what to do about it."""
        hint = hint_of(error)
        if self.as_json:
            parts = {"code": error.code, "message": error.message, "hint": hint, "retryable": error.retryable}
            self.say(json.dumps({"error": parts}, ensure_ascii=False))
        else:
            self.say(f"error: {error.message}\nhint: {hint}")


def check_stdout() -> None:
    """Makes sure, before anything is done, that there will be a place for the answer.

    Raises:
        StorageIOError: Standard output is closed.
    """
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison] # so Python says that it was closed
        raise StorageIOError("stdout is closed", "run the command with somewhere to write to, if only /dev/null")


def item_line(item: Item) -> str:
    """One line about an item: id, key or dash, project, and what it says."""
    return f"{item.id}  {item.key or '-'}  {item.project or '/'}  {shorten(subject(item), 80)}"


def on_one_line(text: str) -> str:
    """The text with its line feeds written as an escape."""
    return text.replace("\n", "\\n")


def scope_words(scope: tuple[str, ...] | None) -> str:
    """The projects of a scope for people, nearest first; the root is a slash."""
    return "every project" if scope is None else ", ".join(path or "/" for path in scope)


def _visible(text: str) -> str:
    return _UNSEEN.sub(lambda found: repr(found[0])[1:-1], text)


def _write(text: str) -> None:
    check_stdout()
    try:
        _put(sys.stdout, text)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise StorageIOError(f"stdout cannot be written to: {error}", "free some space, or write elsewhere") from error


def _put(stream: TextIO, text: str) -> None:
    """Writes the text and flushes, so that a failure is heard here and not at the end of the process."""
    below = getattr(stream, "buffer", None)
    if below is None:
        # Something that a program put in the place of the stream.
        stream.write(text)
    else:
        stream.flush()
        below.write(text.encode("utf-8", "backslashreplace"))
    stream.flush()


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
