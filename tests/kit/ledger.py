"""What the writers of a store were promised, and whether the store keeps it.

A `tests.kit.writer` announces every change before it makes it and says when the store has acknowledged it. The ledger
hears both. A change that was announced and not acknowledged, because its writer was killed, may have happened or not:
`settle` looks which, and adopts it. It must have happened as a whole or not at all.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from tests.kit.items import Label, collection, said_by, text_of, vector_of

import recollect
from recollect.records import Kind

State = Literal["live", "deleted", "gone"]
KINDS: tuple[Kind, ...] = ("rule", "doc", "ref")
_CHANGES_AT_ONCE = 5_000


@dataclass(slots=True)
class Entry:
    """What is known of one item.

    Attributes:
        kind: Its kind.
        label: What its content is made from.
        state: Live, deleted with the undo window open, or removed for good.
        expires: When it may be swept away, in seconds since 1970; None is never.
        owner: The writer that added it; only that one and its successors change it.
    """

    kind: Kind
    label: Label
    state: State
    expires: float | None
    owner: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise.

    Attributes:
        sort: `lost` (acknowledged, and not there), `torn` (a part of a transaction), `phantom` (there, and nobody wrote
            it), `corrupt` (the store's own examination complains), or `error` (a call failed that should not have).
        text: What exactly.
    """

    sort: Literal["lost", "torn", "phantom", "corrupt", "error"]
    text: str


@dataclass
class Ledger:
    """The sum of what all writers were promised.

    Attributes:
        entries: Every item ever added, by its id.
        acknowledged: How many changes were acknowledged, by verb.
        seq: The last commit that was looked at.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    acknowledged: Counter[str] = field(default_factory=Counter)
    seq: int = 0
    _owned: dict[str, list[str]] = field(default_factory=dict)
    _announced: dict[str, dict[str, Any]] = field(default_factory=dict)
    _touched: set[str] = field(default_factory=set)
    _findings: list[Finding] = field(default_factory=list)

    def hear(self, writer: str, lines: Iterable[str]) -> None:
        """Enters what a writer said, in the order in which it said it."""
        for line in lines:
            said = json.loads(line)
            match said:
                case {"begin": _}:
                    self._announced[writer] = said
                case {"done": number, "ids": ids}:
                    begun = self._announced.pop(writer)
                    assert begun["begin"] == number
                    self._adopt(writer, begun, ids)
                    self.acknowledged[begun["verb"]] += 1
                case {"error": text}:
                    self._findings.append(Finding("error", f"{writer}: {text}"))
                case _:
                    pass  # progress, of interest to others

    def is_pending(self, writer: str) -> bool:
        """Whether the last change that a writer announced was not acknowledged, as far as it was heard."""
        return writer in self._announced

    def copy(self) -> Ledger:
        """A ledger of its own for a copy of the store."""
        entries = {id: replace(entry) for id, entry in self.entries.items()}
        return Ledger(entries, seq=self.seq, _owned={owner: list(ids) for owner, ids in self._owned.items()})

    def sample(self, owner: str, most: int, chance: random.Random) -> list[tuple[str, Entry]]:
        """Some live items of a writer that do not expire."""
        ids = self._owned.get(owner, [])
        chosen = {id: self.entries[id] for id in chance.sample(ids, min(len(ids), most))}
        return [(id, entry) for id, entry in chosen.items() if entry.state == "live" and entry.expires is None]

    def settle(self, store: recollect.Store) -> list[Finding]:
        """Looks at all that was changed since the last time. Nobody may write meanwhile.

        Whatever was announced and not acknowledged is decided here, so its writers have ended.
        """
        for writer, begun in sorted(self._announced.items()):
            self._settle_one(store, writer, begun)
        self._announced.clear()
        self._look_at_changes(store)
        for id in sorted(self._touched):
            self._look_at_item(store, id)
        self._look_at_vectors(store, [id for id in sorted(self._touched) if self.entries[id].state == "live"])
        self._touched.clear()
        return self._reported()

    def verify(self, store: recollect.Store) -> list[Finding]:
        """Compares the whole store with the whole ledger, both ways. Nobody may write meanwhile."""
        findings = self.settle(store)
        seen: set[str] = set()
        for kind in KINDS:
            for deleted in (False, True):
                for item in collection(store, kind).iterate(deleted=deleted):
                    seen.add(item.id)
                    self._compare(item.id, kind, "deleted" if deleted else "live", said_by(item))
        now = time.time()
        for id, entry in self.entries.items():
            if entry.state != "gone" and id not in seen and not _may_be_gone(entry, now):
                self._find("lost", f"{entry.state} {entry.kind} {id} ({entry.label}) is not listed")
        live = [id for id, entry in self.entries.items() if entry.state == "live"]
        for place in range(0, len(live), 1_000):
            self._look_at_vectors(store, live[place : place + 1_000])
        return findings + self._reported()

    def count(self, store: recollect.Store) -> list[Finding]:
        """Compares how many items there are and should be. Nobody may write meanwhile."""
        stats = store.stats()
        # Refs may expire at any time; rules and docs change only by what was announced.
        for kind, count in (("rule", stats.rules), ("doc", stats.docs)):
            held = sum(entry.kind == kind and entry.state == "live" for entry in self.entries.values())
            if held != count:
                self._find("lost" if count < held else "phantom", f"{held} live {kind}s are known, {count} are there")
        return self._reported()

    def _reported(self) -> list[Finding]:
        found, self._findings = self._findings, []
        return found

    def _find(self, sort: Literal["lost", "torn", "phantom"], text: str) -> None:
        self._findings.append(Finding(sort, text))

    def _adopt(self, writer: str, begun: dict[str, Any], ids: list[str]) -> None:
        match begun["verb"]:
            case "add":
                for number, id in zip(begun["numbers"], ids, strict=True):
                    label = Label(begun["tag"], number)
                    owner = writer.partition(".")[0]
                    self.entries[id] = Entry(begun["kind"], label, "live", begun["expires"], owner)
                    self._owned.setdefault(owner, []).append(id)
                    self._touched.add(id)
            case "sweep":
                for id, entry in self.entries.items():
                    if entry.state == "live" and entry.expires is not None and entry.expires < begun["due"]:
                        entry.state = "gone"
                        self._touched.add(id)
            case _:
                for id, (tag, number, state) in begun["after"].items():
                    entry = self.entries[id]
                    entry.label, entry.state = Label(tag, number), state
                    self._touched.add(id)

    def _settle_one(self, store: recollect.Store, writer: str, begun: dict[str, Any]) -> None:
        name = f"{begun['verb']} {begun['begin']} of {writer}"
        if begun["verb"] == "sweep":
            return  # what is due may be gone, whoever swept
        if begun["verb"] == "add":
            items = list(collection(store, begun["kind"]).iterate(tags=[begun["tag"]]))
            by_text = {said_by(item): item.id for item in items}
            texts = [text_of(Label(begun["tag"], number)) for number in begun["numbers"]]
            if not items:
                return
            if sorted(by_text) == sorted(texts):
                self._adopt(writer, begun, [by_text[text] for text in texts])
            else:
                self._find("torn", f"{name}: {len(items)} of {len(texts)} items are there")
                self._touched.update(self._adopt_torn(writer, begun, by_text))
            return
        after = {id: (state, text_of(Label(tag, number))) for id, (tag, number, state) in begun["after"].items()}
        found = {id: observe(store, self.entries[id].kind, id) for id in after}
        arrived = [_fits(found[id], *expected) for id, expected in after.items()]
        if all(arrived):
            self._adopt(writer, begun, [])
        elif any(arrived):
            self._find("torn", f"{name}: {sum(arrived)} of {len(arrived)} items were changed")
        self._touched.update(after)

    def _adopt_torn(self, writer: str, begun: dict[str, Any], by_text: dict[str, str]) -> Iterator[str]:
        for number in begun["numbers"]:
            id = by_text.get(text_of(Label(begun["tag"], number)))
            if id is not None:
                self._adopt(writer, begun | {"numbers": [number]}, [id])
                yield id

    def _look_at_item(self, store: recollect.Store, id: str) -> None:
        entry = self.entries[id]
        state, text = observe(store, entry.kind, id)
        self._compare(id, entry.kind, state, text)

    def _compare(self, id: str, kind: Kind, state: State, text: str) -> None:
        entry = self.entries.get(id)
        if entry is None:
            self._find("phantom", f"{state} {kind} {id} was never announced: {text[:40]!r}")
        elif state == "gone" and _may_be_gone(entry, time.time()):
            entry.state = "gone"
        elif not _fits((state, text), entry.state, text_of(entry.label)):
            said = f"{entry.kind} {id} should be {entry.state} with {entry.label}"
            self._find("lost", f"{said}; it is {state} with {text[:40]!r}")

    def _look_at_vectors(self, store: recollect.Store, ids: list[str]) -> None:
        try:
            held = store.embeddings.get(ids)
        except recollect.NotFoundError:
            # Something expired meanwhile, or is missing, which was found already: one by one.
            if len(ids) > 1:
                for id in ids:
                    self._look_at_vectors(store, [id])
            return
        if held.item_index.tolist() != list(range(len(ids))):
            self._find("lost", f"{len(ids)} items with one vector each have {len(held)} vectors")
            return
        expected = [vector_of(self.entries[id].label) for id in ids]
        for place in np.flatnonzero((held.vectors != np.array(expected)).any(axis=1)) if ids else ():
            self._find("lost", f"the vector of {ids[place]} is not the one that was given")

    def _look_at_changes(self, store: recollect.Store) -> None:
        while changes := store.changes(self.seq, limit=_CHANGES_AT_ONCE):
            for change in changes:
                if change.seq not in {self.seq, self.seq + 1}:
                    self._find("lost", f"the log goes from commit {self.seq} to {change.seq}")
                self.seq = change.seq
                if change.item is not None and change.item not in self.entries:
                    self._find("phantom", f"commit {change.seq}: {change.operation} of unknown {change.item}")


def observe(store: recollect.Store, kind: Kind, id: str) -> tuple[State, str]:
    """The state of one item, and its text where it is live."""
    items = collection(store, kind)
    try:
        return "live", said_by(items.get(id))
    except recollect.NotFoundError:
        try:
            items.history(id)
        except recollect.NotFoundError:
            return "gone", ""
        return "deleted", ""


def _fits(found: tuple[State, str], state: State, text: str) -> bool:
    return found == (state, text) or (state != "live" and found[0] == state)


def _may_be_gone(entry: Entry, now: float) -> bool:
    return entry.expires is not None and entry.expires < now
