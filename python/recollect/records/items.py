"""Rules, docs and refs, each as it is at one version."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from recollect.records.record import Record
from recollect.records.rendering import one_line
from recollect.records.vocabulary import Kind, RefState, TargetKind, Trust

__all__ = ["Doc", "Item", "Ref", "Rule", "subject"]


@dataclass(frozen=True, slots=True, repr=False)
class Item(Record):
    """What rules, docs and refs have in common. Times are aware and in UTC, to the microsecond.

    Attributes:
        id: A UUIDv7; ids sort by the time they were given.
        version: Counts the changes to the item, from 1.
        key: The caller's own name for the item, unique per kind, project and access class.
        project: A slash path such as `acme/web`; empty is the root.
        tags: Sorted, each once.
        metadata: A JSON object, as a plain dict: a copy, so that changing it changes nothing in the store.
        channel: The channel whose members alone may see the item, if it is in one.
        tier: The access tier.
        priority: From -1,000 to 1,000; higher is more important.
        source: Where the item came from, in the caller's words.
        trust: How far that source is trusted.
        valid_from: Not to be used before.
        valid_until: Not to be used from then on, but kept.
        expires_at: Not to be used from then on.
        created_at: When the item came into being.
        created_by: By whom.
        updated_at: When this version came into being.
        updated_by: By whom.
        deleted_at: When it was deleted, if it was.
    """

    kind: ClassVar[Kind]

    id: str
    version: int
    key: str | None
    project: str
    tags: tuple[str, ...]
    metadata: Mapping[str, Any] = field(hash=False)
    channel: str | None
    tier: str
    priority: int
    source: str | None
    trust: Trust
    valid_from: datetime | None
    valid_until: datetime | None
    expires_at: datetime | None
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True, repr=False)
class Rule(Item):
    """An instruction to obey.

    Attributes:
        text: The instruction.
        applies_to: Path globs; the rule applies where one matches.
        modes: The modes of work it applies in; none means all.
        always_on: Whether it always applies.
    """

    kind: ClassVar[Kind] = "rule"

    text: str
    applies_to: tuple[str, ...]
    modes: tuple[str, ...]
    always_on: bool

    def __repr__(self) -> str:
        return one_line("Rule", self.text, key=self.key, project=self.project, version=self.version, id=self.id)


@dataclass(frozen=True, slots=True, repr=False)
class Doc(Item):
    """A project document, kept verbatim.

    Attributes:
        path: Where it stands in its project.
        title: Its title.
        media_type: `text/markdown` or `text/plain`.
        content_hash: BLAKE3-256 of the text's UTF-8 bytes, in hexadecimal.
        text: The text.
    """

    kind: ClassVar[Kind] = "doc"

    path: str | None
    title: str | None
    media_type: str
    content_hash: str
    text: str

    def __repr__(self) -> str:
        return one_line(
            "Doc",
            self.title or self.path or self.text,
            path=self.path,
            key=self.key,
            project=self.project,
            characters=len(self.text),
            version=self.version,
            id=self.id,
        )


@dataclass(frozen=True, slots=True, repr=False)
class Ref(Item):
    """A pointer with a note.

    Attributes:
        target: What it points to, as written: a URL, `file:line`, a commit, an issue.
        target_kind: What sort of thing that is.
        note: Why it matters.
        checked_at: When the target was last looked at.
        state: What was found then.
    """

    kind: ClassVar[Kind] = "ref"

    target: str
    target_kind: TargetKind
    note: str
    checked_at: datetime | None
    state: RefState

    def __repr__(self) -> str:
        return one_line(
            "Ref",
            self.target,
            note=self.note,
            state=self.state,
            key=self.key,
            project=self.project,
            version=self.version,
            id=self.id,
        )


def subject(item: Item) -> str:
    """What an item is about, for one line about it: a rule's text, a doc's title, a ref's target and note."""
    match item:
        case Rule():
            return item.text
        case Doc():
            return item.title or item.path or item.text
        case Ref():
            return f"{item.target}: {item.note}"
        case _:
            return item.id
