"""One shape for the three kinds of items, so that one suite proves the same of each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import recollect

WORDS = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "flint",
    "grove",
    "heath",
    "inlet",
    "jetty",
    "knoll",
    "larch",
    "maple",
    "north",
    "ocean",
    "pearl",
    "quartz",
    "ridge",
]


def text_of(number: int) -> str:
    """A text of its own for each number, unlike every other, so that none is a near duplicate."""
    picked = [WORDS[(number * step + step * step) % len(WORDS)] for step in range(1, 7)]
    return f"item {number} " + " ".join(f"{word}{number}" for word in picked)


@dataclass(frozen=True)
class Kind:
    """How to make items of one kind, and what is particular about them."""

    name: str
    collection: Any
    text_field: str

    def draft(self, number: int, **fields: Any) -> dict[str, Any]:
        """The fields of a new item."""
        draft = {self.text_field: text_of(number)} | fields
        return draft if self.name != "ref" else {"target": f"src/file{number}.rs:{number + 1}"} | draft

    def add(self, number: int, **fields: Any) -> Any:
        """Adds an item."""
        draft = self.draft(number, **fields)
        if self.name == "ref":
            return self.collection.add(draft.pop("target"), draft.pop("note"), **draft)
        return self.collection.add(draft.pop("text"), **draft)

    def text(self, item: Any) -> str:
        """The text of an item that was read."""
        return str(getattr(item, self.text_field))

    def changed(self, number: int) -> dict[str, str]:
        """An update of the text."""
        return {self.text_field: text_of(number)}


@pytest.fixture
def bare_store(store_path: Path) -> Iterator[recollect.Store]:
    """An empty store in a file of its own, without an embedder."""
    with recollect.open(store_path, embedder=None) as opened:
        yield opened


def kind_of(store: recollect.Store, name: str) -> Kind:
    """The items of a kind in a store."""
    collections = {"rule": store.rules, "doc": store.docs, "ref": store.refs}
    return Kind(name, collections[name], "note" if name == "ref" else "text")


@pytest.fixture(params=["rule", "doc", "ref"])
def kind(request: pytest.FixtureRequest, bare_store: recollect.Store) -> Kind:
    """Each of the three kinds, in an empty store without an embedder."""
    return kind_of(bare_store, request.param)


@pytest.fixture
def kinds(bare_store: recollect.Store) -> Callable[[str], Kind]:
    """The kinds of the empty store by name."""
    return lambda name: kind_of(bare_store, name)
