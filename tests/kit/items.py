"""Items whose content follows from a label, so that whoever knows the label knows what must come back.

A label is a tag and a number. Its text and its vector are made from a hash of both: no two labels have near-duplicate
texts, and a process that is killed leaves nothing behind that its survivors could not foretell. Every item carries the
tag that it was added with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

import recollect
from recollect.records import Added, Doc, Item, Kind, Ref, Rule
from recollect.store.docs import Docs
from recollect.store.refs import Refs
from recollect.store.rules import Rules

if TYPE_CHECKING:
    import numpy.typing as npt

Durability = Literal["full", "normal"]
DIMENSION = 8
SPACE = recollect.ExternalVectors("labels", DIMENSION)
# The longest text fits into one chunk, so that every item has one vector.
MOST_WORDS = 60


class Label(NamedTuple):
    """What an item's content is made from."""

    tag: str
    number: int


def text_of(label: Label) -> str:
    """Between 1 and 60 words of six letters after the label itself."""
    name = f"{label.tag} {label.number}"
    digest = hashlib.shake_128(name.encode()).hexdigest(3 * MOST_WORDS)
    words = [digest[place : place + 6] for place in range(0, 6 * (1 + int(digest[:6], 16) % MOST_WORDS), 6)]
    return " ".join((name, *words))


def vector_of(label: Label) -> npt.NDArray[np.float32]:
    """Shape (8,), float32, never zero."""
    digest = hashlib.shake_128(f"vector of {label.tag} {label.number}".encode()).digest(2 * DIMENSION)
    return np.frombuffer(digest, dtype="<i2").astype(np.float32) + np.float32(0.5)


def target_of(label: Label) -> str:
    """What a ref of that label points to."""
    return f"https://example.org/{label.tag}/{label.number}"


def open_store(
    path: str | Path, *, durability: Durability = "full", read_only: bool = False, timeout: float = 10.0
) -> recollect.Store:
    """Opens a store of such items."""
    return recollect.open(path, embedder=SPACE, durability=durability, read_only=read_only, timeout=timeout)


def add(
    store: recollect.Store, kind: Kind, tag: str, numbers: Sequence[int], *, expires: float | None = None
) -> tuple[Added, ...]:
    """Adds an item for each number, in one transaction. `expires` is in seconds since 1970."""
    labels = [Label(tag, number) for number in numbers]
    vectors = np.stack([vector_of(label) for label in labels])
    expires_at = None if expires is None else datetime.fromtimestamp(expires, UTC)
    match kind:
        case "rule":
            return store.rules.add_many(
                [{"text": text_of(label), "tags": [tag], "expires_at": expires_at} for label in labels],
                vectors=vectors,
            )
        case "doc":
            return store.docs.add_many(
                [{"text": text_of(label), "tags": [tag], "expires_at": expires_at} for label in labels],
                vectors=vectors,
            )
        case "ref":
            return store.refs.add_many(
                [
                    {
                        "target": target_of(label),
                        "note": text_of(label),
                        "tags": [tag],
                        "expires_at": expires_at,
                    }
                    for label in labels
                ],
                vectors=vectors,
            )


def collection(store: recollect.Store, kind: Kind) -> Rules | Docs | Refs:
    """The items of that kind."""
    match kind:
        case "rule":
            return store.rules
        case "doc":
            return store.docs
        case "ref":
            return store.refs


def update(store: recollect.Store, kind: Kind, id: str, label: Label) -> None:
    """Gives an item the content of another label; its tag stays."""
    match kind:
        case "rule":
            store.rules.update(id, text=text_of(label), vector=vector_of(label))
        case "doc":
            store.docs.update(id, text=text_of(label), vectors=[vector_of(label)])
        case "ref":
            store.refs.update(id, note=text_of(label), vector=vector_of(label))


def said_by(item: Item) -> str:
    """The text of an item that its label decides."""
    match item:
        case Ref(note=text) | Rule(text=text) | Doc(text=text):
            return text
    raise TypeError(f"{item!r} is of no kind")
