"""What the model of a store keeps: plain values in dictionaries and lists, copied whole for each transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from recollect.records import Kind, Operation

__all__ = ["NAME_OF_KIND", "Chunk", "Entry", "Handle", "Known", "Mode", "Past", "Refused", "State"]

Mode = Literal["embeds", "declares", "none"]
"""How a handle was opened: with an embedder, with a declared space of given vectors, or without either."""

NAME_OF_KIND: Mapping[Kind, str] = {"rule": "rules", "doc": "docs", "ref": "refs"}
"""The attribute of a store that holds the items of a kind."""


class Refused(Exception):  # noqa: N818 - what the model refuses is an answer, to be compared with the store's
    """What the model expects instead of a value: an error with this code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Handle:
    """Who calls: what one opened store knows and the other does not.

    Attributes:
        principal: Who is written down as the author.
        project: The default project.
        mode: How the handle was opened.
    """

    principal: str
    project: str
    mode: Mode


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk of an item; it never changes, but its place may."""

    id: int
    text: str
    heading: tuple[str, ...]
    start: int

    @property
    def content(self) -> tuple[tuple[str, ...], str]:
        """What makes two chunks equal."""
        return self.heading, self.text

    @property
    def embedded_text(self) -> str:
        """What an embedder is given: the headings that its text does not begin with, and the text."""
        lines = self.text.lstrip().splitlines()
        above = self.heading
        if above and lines and above[-1] in lines[0]:
            above = above[:-1]
        return "".join(f"{part}\n" for part in above) + self.text


@dataclass(frozen=True, slots=True)
class Known:
    """An item at one version, with all that came before.

    Attributes:
        row: Its place among all items ever added, from 1.
        values: Its fields by the names that records have, except those below and what the log tells.
        project: The number of its project.
        from_seq: The commit that made this version.
        operation: What that commit did.
        dead: Chunks of older versions, those that died first in front.
    """

    row: int
    id: str
    kind: Kind
    version: int
    values: Mapping[str, Any]
    project: int
    from_seq: int
    operation: Operation
    created_seq: int
    created_by: str
    updated_by: str
    deleted_seq: int | None = None
    chunks: tuple[Chunk, ...] = ()
    dead: tuple[Chunk, ...] = ()
    past: tuple["Past", ...] = ()

    @property
    def is_live(self) -> bool:
        return self.deleted_seq is None

    @property
    def has_expired(self) -> bool:
        expires_at = self.values["expires_at"]
        return expires_at is not None and bool(expires_at <= datetime.now(UTC))

    @property
    def content(self) -> tuple[Any, ...]:
        """What the kind adds to the common fields, as far as it makes two items say the same."""
        names = {
            "rule": ("text", "always_on", "applies_to", "modes"),
            "doc": ("text", "path", "title", "media_type"),
            "ref": ("target", "note"),
        }[self.kind]
        return tuple(self.values[name] for name in names)

    @property
    def access(self) -> tuple[str, str | None]:
        return self.values["tier"], self.values["channel"]

    @property
    def text(self) -> str:
        """The text whose chunks a search finds."""
        return str(self.values["note" if self.kind == "ref" else "text"])


@dataclass(frozen=True, slots=True)
class Past:
    """An older version, and the path that its project had when it was replaced."""

    known: Known
    path: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the change log, without its time."""

    seq: int
    ordinal: int
    item: str | None
    kind: Kind | None
    operation: Operation
    by: str


@dataclass(slots=True)
class State:
    """Everything that a store holds.

    Attributes:
        items: By id, in the order they were added; deleted ones too, purged ones not.
        projects: Paths by number; a number is never given twice.
        tags: Every tag that was ever used, but for those that were purged.
        log: All entries of the change log.
        times: When each commit was made, as the store said.
        vectors: The bytes of the vectors of chunks, dead ones too.
        has_space: Whether the embedding space exists.
        purged: The kinds of the items that were purged.
    """

    items: dict[str, Known] = field(default_factory=dict)
    projects: dict[int, str] = field(default_factory=lambda: {1: ""})
    tags: set[str] = field(default_factory=set)
    channels: set[str] = field(default_factory=set)
    log: list[Entry] = field(default_factory=list)
    times: dict[int, datetime] = field(default_factory=dict)
    vectors: dict[int, bytes] = field(default_factory=dict)
    has_space: bool = False
    purged: dict[str, Kind] = field(default_factory=dict)
    seq: int = 0
    next_row: int = 1
    next_chunk: int = 1
    next_project: int = 2

    def copy(self) -> "State":
        """A state of its own; what it holds is immutable and shared."""
        return replace(
            self,
            items=dict(self.items),
            projects=dict(self.projects),
            tags=set(self.tags),
            channels=set(self.channels),
            log=list(self.log),
            times=dict(self.times),
            vectors=dict(self.vectors),
            purged=dict(self.purged),
        )


Split = Callable[[str, str], tuple[tuple[str, tuple[str, ...], int], ...]]
"""Splits a document of a media type into pieces: text, headings above it, and where it begins."""
