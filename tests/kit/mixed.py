"""A program that reads and writes a store, posts what was acknowledged to it, and looks for what others posted.

    python -m tests.kit.mixed STORE BOARD NAME [--timeout S] [--writes SHARE] [--seed N] [--fault FAULT] [--mirror COPY]

It opens the store, prints `{"opened": AT}`, waits for a line on its standard input, and works until there is a second
one or the input ends. Then it prints a `Report` as one JSON object and ends.

The faults make it what a store must not be, to show that it is noticed: `forgetful` posts changes that it never makes,
`slow` pauses after each write, and with a mirror it reads from a copy that does not change.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import select
import sys
import time
import uuid
from dataclasses import asdict, dataclass, field

from tests.kit.board import Board, Posted
from tests.kit.instructions import Instructions, say
from tests.kit.items import Label, add, collection, open_store, update, vector_of

import recollect
from recollect.records import Kind

MOST_OF_A_BATCH = 20
# So many of the last posts, of all processes, a reader chooses from: what is newest is most likely not to be seen.
NEWEST = 8
SLOW_SECONDS = 0.05


@dataclass
class Report:
    """What one process did and saw. Times are in seconds, moments by the monotonic clock.

    Attributes:
        writes: For each acknowledged change: when it was acknowledged, and how long it took.
        failures: For each call that failed: when it ended, how long it took, its error, and whether it was a write.
        reads: How many reads were answered.
        longest_read: The longest time that an answered read took.
        unseen: What had been posted before a read began, and was not found by it.
    """

    writes: list[tuple[float, float]] = field(default_factory=list)
    failures: list[tuple[float, float, str, bool]] = field(default_factory=list)
    reads: int = 0
    longest_read: float = 0.0
    unseen: list[str] = field(default_factory=list)


class Mixed:
    """One process at work."""

    def __init__(self, store: recollect.Store, mirror: recollect.Store, board: Board, name: str, seed: int) -> None:
        self.store, self.mirror, self.board, self.name = store, mirror, board, name
        self.chance = random.Random(seed)
        self.report = Report()
        self.own: list[tuple[Posted, Kind]] = []
        self.count = 0

    def write(self) -> None:
        """Adds, changes or deletes, in one transaction, and posts what was acknowledged."""
        self.count += 1
        tag = f"{self.name}-{self.count}"
        kind: Kind = self.chance.choice(("rule", "doc", "ref"))
        choice = self.chance.random()
        if choice < 0.3 and self.own:
            place = self.chance.randrange(len(self.own))
            posted, kind = self.own[place]
            if choice < 0.1:
                del self.own[place]
                collection(self.store, kind).delete(posted.id)
                self.board.post(posted._replace(version=0))
                return
            changed = Posted(posted.id, posted.version + 1, Label(tag, 0))
            update(self.store, kind, posted.id, changed.label)
            self.own[place] = (changed, kind)
            self.board.post(changed)
            return
        count = self.chance.randint(2, MOST_OF_A_BATCH) if choice > 0.9 else 1
        for number, added in enumerate(add(self.store, kind, tag, range(count))):
            new = Posted(added.id, added.version, Label(tag, number))
            self.board.post(new)
            self.own.append((new, kind))

    def forget(self) -> None:
        """Posts a change that nobody makes."""
        self.board.post(Posted(str(uuid.uuid4()), 1, Label(self.name, self.count)))

    def read(self) -> None:
        """Looks for something that was posted, in one of the ways there are."""
        newest = {posted.id: posted for posted in self.board.latest(NEWEST)}
        if not newest:
            self.mirror.stats()
            return
        posted = self.chance.choice(list(newest.values()))
        version, is_live = self._state_of(posted.id)
        if version < posted.version or (is_live and not posted.version):
            self.report.unseen.append(f"{posted} was posted, and get finds version {version}")
        if self.chance.random() < 0.3 and posted.version:
            found = self.mirror.search(vector=vector_of(posted.label), k=3)
            # Whoever changed it since has taken its old vector away; then it has another state by now.
            if all(hit.id != posted.id for hit in found) and self._state_of(posted.id) == (posted.version, True):
                self.report.unseen.append(f"{posted} was posted, and search does not find it")

    def _state_of(self, id: str) -> tuple[int, bool]:
        """The last version of an item, 0 where there never was one, and whether it is live."""
        try:
            return self.mirror.get(id).version, True
        except recollect.NotFoundError:
            # Its writer may have deleted it since it was posted; what never came has no history.
            return self._last_of(id), False

    def _last_of(self, id: str) -> int:
        for items in (self.mirror.rules, self.mirror.docs, self.mirror.refs):
            with contextlib.suppress(recollect.NotFoundError):
                return items.history(id)[-1].item.version
        return 0


def work(mixed: Mixed, writes: float, fault: str) -> None:
    """Reads and writes until the crew says something."""
    report = mixed.report
    while not select.select([sys.stdin], [], [], 0)[0]:
        is_write = mixed.chance.random() < writes
        begun = time.monotonic()
        try:
            if is_write:
                mixed.write()
                report.writes.append((time.monotonic(), time.monotonic() - begun))
            else:
                mixed.read()
                report.reads += 1
                report.longest_read = max(report.longest_read, time.monotonic() - begun)
        except recollect.RecollectError as error:
            ended = time.monotonic()
            report.failures.append((ended, ended - begun, f"{type(error).__name__}: {error}", is_write))
        if is_write and fault == "forgetful":
            mixed.forget()
        if is_write and fault == "slow":
            time.sleep(SLOW_SECONDS)


def main() -> int:
    """Obeys the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store")
    parser.add_argument("board")
    parser.add_argument("name")
    parser.add_argument("--timeout", type=float, default=10.0, help="how long a write waits for other writers")
    parser.add_argument("--writes", type=float, default=0.5, help="the share of writes, from 0 to 1")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", choices=("", "forgetful", "slow"), default="")
    parser.add_argument("--mirror", default="", help="the store to read from, if it is another one")
    options = parser.parse_args()
    instructions = Instructions()
    with contextlib.ExitStack() as opened:
        store = opened.enter_context(open_store(options.store, timeout=options.timeout))
        mirror = opened.enter_context(open_store(options.mirror)) if options.mirror else store
        board = opened.enter_context(Board(options.board))
        mixed = Mixed(store, mirror, board, options.name, options.seed)
        say({"opened": time.monotonic()})
        if instructions.wait() is not None:
            work(mixed, options.writes, options.fault)
        say(asdict(mixed.report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
