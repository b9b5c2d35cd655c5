"""A program that changes a store without end, announces every change and says when it was acknowledged.

    python -m tests.kit.writer STORE NAME [--durability normal] [--seed N] [--timeout S] [--only VERBS] [--fault FAULT]

It prints `{"ready": AT}` and waits for a line on its standard input: a JSON object with `items`, a list of items it may
change (id, kind, tag, number), and `most`, after how many changes it ends (null: never). Then it opens the store,
prints `{"opened": AT}`, reads one item, prints `{"read": AT}`, and begins; the times are those of the monotonic clock.
Each change is one line before it is made and one after it was acknowledged; `tests.kit.ledger` understands them. After
the first it prints `{"wrote": AT}`.

A line `pause` on its standard input is answered with `{"paused": N}`, and another line lets it go on; where its
standard input ends, it closes the store and ends.

The faults make it a liar, to show that the lie is found: `early` acknowledges changes and deletes before they are
made, `piecewise` adds what it calls one transaction item by item.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.kit.instructions import Instructions, say
from tests.kit.items import Label, add, collection, open_store, update

import recollect
from recollect.records import Kind

MOST_OF_A_BATCH = 40
LIFE_SECONDS = 0.3
EARLY_SECONDS = 0.02


@dataclass
class Held:
    """An item the writer knows."""

    id: str
    kind: Kind
    label: Label


@dataclass
class Writer:
    """One writer and what it may change.

    Attributes:
        store: Where it writes.
        name: Unique among all writers that a store ever has.
        chance: Decides what it does.
        fault: How it lies; empty is not at all.
        live: Items it may change or delete.
        deleted: Items it may restore.
        batches: Batches that are as they were added, by their tag.
    """

    store: recollect.Store
    name: str
    chance: random.Random
    fault: str = ""
    live: list[Held] = field(default_factory=list)
    deleted: list[Held] = field(default_factory=list)
    batches: dict[str, tuple[Kind, list[str]]] = field(default_factory=dict)
    count: int = 0

    def add(self) -> None:
        """Adds one item."""
        kind: Kind = self.chance.choice(("rule", "rule", "doc", "ref"))
        self._add(kind, 1)

    def add_many(self) -> None:
        """Adds a batch; of every second the writer forgets the items, and deletes them together later."""
        kind: Kind = self.chance.choice(("rule", "doc", "ref"))
        self._add(kind, self.chance.randint(2, MOST_OF_A_BATCH), as_batch=self.chance.random() < 0.5)

    def add_expiring(self) -> None:
        """Adds a ref that may soon be swept away."""
        self._add("ref", 1, expires=time.time() + LIFE_SECONDS)

    def update(self) -> None:
        """Gives an item other content."""
        held = self.chance.choice(self.live)
        label = Label(self._tag(), 0)
        self._change("update", {held.id: (*label, "live")}, lambda: update(self.store, held.kind, held.id, label))
        held.label = label

    def delete(self) -> None:
        """Deletes an item."""
        held = self._take(self.live)
        items = collection(self.store, held.kind)
        self._change("delete", {held.id: (*held.label, "deleted")}, lambda: items.delete(held.id))
        self.deleted.append(held)

    def restore(self) -> None:
        """Brings a deleted item back."""
        held = self._take(self.deleted)
        items = collection(self.store, held.kind)
        self._change("restore", {held.id: (*held.label, "live")}, lambda: items.restore(held.id))
        self.live.append(held)

    def delete_many(self) -> None:
        """Deletes a whole batch by its tag."""
        tag = self.chance.choice(sorted(self.batches))
        kind, ids = self.batches.pop(tag)
        after = {id: (tag, number, "deleted") for number, id in enumerate(ids)}
        items = collection(self.store, kind)
        self._change("delete_many", after, lambda: items.delete_many(expected=len(ids), tags=[tag]))

    def purge(self) -> None:
        """Removes an item for good, live or deleted."""
        held = self._take(self.chance.choice([pool for pool in (self.live, self.deleted) if pool]))
        items = collection(self.store, held.kind)
        self._change("purge", {held.id: (*held.label, "gone")}, lambda: self._until_erased(items.purge, held.id))

    def purge_many(self) -> None:
        """Removes a batch for good."""
        tag = self.chance.choice(sorted(self.batches))
        kind, ids = self.batches.pop(tag)
        after = {id: (tag, number, "gone") for number, id in enumerate(ids)}
        items = collection(self.store, kind)
        self._change("purge_many", after, lambda: self._until_erased(items.purge_many, ids))

    def sweep(self) -> None:
        """Removes what has expired."""
        self.count += 1
        say({"begin": self.count, "verb": "sweep", "due": time.time()})
        self.store.sweep()
        say({"done": self.count, "ids": []})

    def choose(self, verbs: frozenset[str]) -> Callable[[], None]:
        """One of the changes that can be made now."""
        weights = {
            self.add: 8,
            self.add_many: 4,
            self.add_expiring: 1,
            self.update: 6 if self.live else 0,
            self.delete: 3 if self.live else 0,
            self.restore: 1 if self.deleted else 0,
            self.delete_many: 1 if self.batches else 0,
            self.purge: 1 if self.live or self.deleted else 0,
            self.purge_many: 1 if self.batches else 0,
            self.sweep: 1,
        }
        able = {verb: weight for verb, weight in weights.items() if not verbs or verb.__name__ in verbs}
        if not any(able.values()):
            return self.add
        return self.chance.choices(list(able), list(able.values()))[0]

    def _add(self, kind: Kind, count: int, *, as_batch: bool = False, expires: float | None = None) -> None:
        tag, numbers = self._tag(), list(range(count))
        verb = {"verb": "add", "kind": kind, "tag": tag, "numbers": numbers, "expires": expires}
        say({"begin": self.count, **verb})
        if self.fault == "piecewise":
            ids = [add(self.store, kind, tag, [number], expires=expires)[0].id for number in numbers]
        else:
            ids = [added.id for added in add(self.store, kind, tag, numbers, expires=expires)]
        say({"done": self.count, "ids": ids})
        if as_batch:
            self.batches[tag] = (kind, ids)
        elif expires is None:
            self.live += [Held(id, kind, Label(tag, number)) for number, id in enumerate(ids)]

    def _change(self, verb: str, after: dict[str, tuple[str, int, str]], make: Callable[[], object]) -> None:
        if verb != "update":
            self.count += 1
        say({"begin": self.count, "verb": verb, "after": after})
        if self.fault == "early":
            say({"done": self.count, "ids": []})
            time.sleep(EARLY_SECONDS)
            make()
            return
        make()
        say({"done": self.count, "ids": []})

    def _until_erased(self, purge: Callable[[Any], object], what: object) -> None:
        """A purge that a reader hinders is to be repeated, as its hint says."""
        while True:
            try:
                purge(what)
            except recollect.LockedError:
                continue
            return

    def _tag(self) -> str:
        self.count += 1
        return f"{self.name}-{self.count}"

    def _take(self, pool: list[Held]) -> Held:
        return pool.pop(self.chance.randrange(len(pool)))


def main() -> int:
    """Obeys the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store")
    parser.add_argument("name")
    parser.add_argument("--durability", choices=("full", "normal"), default="full")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--timeout", type=float, default=10.0)
    parser.add_argument("--only", default="", help="the verbs it may use, with commas; none given are all")
    parser.add_argument("--fault", choices=("", "early", "piecewise"), default="")
    options = parser.parse_args()
    verbs = frozenset(filter(None, options.only.split(",")))
    instructions = Instructions()
    say({"ready": time.monotonic()})
    line = instructions.wait()
    if line is None:
        return 0
    told = json.loads(line)
    items = [Held(id, kind, Label(tag, number)) for id, kind, tag, number in told["items"]]
    with open_store(options.store, durability=options.durability, timeout=options.timeout) as store:
        say({"opened": time.monotonic()})
        if items:
            store.get(items[0].id)
            say({"read": time.monotonic()})
        writer = Writer(store, options.name, random.Random(options.seed), options.fault, items)
        changes = 0
        try:
            while instructions.allow(changes) and changes != told["most"]:
                writer.choose(verbs)()
                changes += 1
                if changes == 1:
                    say({"wrote": time.monotonic()})
        except recollect.RecollectError as error:
            say({"error": f"{type(error).__name__}: {error}"})
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
