"""Prove that killing processes loses nothing: no acknowledged change, no part of a batch, no sound file.

Two processes change a store of 100,000 items (single changes and batches of every verb), a third checkpoints and reads
it, and again and again some or all of them are killed (SIGKILL), at random moments: while they work, after so many
acknowledgements, while they are stopped, while they open the store. After each kill a fresh process opens the store,
reads and writes, which is timed from the kill on; then all that was announced or acknowledged since the kill before is
compared with the store, and at intervals the store examines the whole of itself. Half of the cycles run with
`durability="full"`, half with `"normal"`: a process that dies loses nothing in either.

What proves that the measure can fail: writers that acknowledge before they commit, writers that add one by one what
they call a batch, and a copy of the store with one damaged page must all be found out.

    python tests/prove/crash.py

`SCALE` scales the cycles and the items. The last line is `crash: ok ...` (status 0) or `crash: short ...` (status 1).
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.kit.items import Durability, add, open_store  # noqa: E402
from tests.kit.ledger import Finding, Ledger  # noqa: E402
from tests.kit.processes import Crew, WorkerFailedError  # noqa: E402
from tests.kit.strikes import AfterLines, Strike, Within  # noqa: E402

import recollect  # noqa: E402

SCALES = True
SCALE = float(os.environ.get("SCALE", "1"))
CYCLES = max(4, round(300 * SCALE))
ITEMS = max(1_000, round(100_000 * SCALE))
BATCH = 500
CHECK_EVERY = 10
TEETH_CYCLES = 12
WRITERS = ("writer0", "writer1")
OTHER = "checkpointer"
SAMPLE = 100
# Every one of these must have been acknowledged at least once by the time so many cycles are over.
VERBS = {"add", "update", "delete", "restore", "delete_many", "purge", "purge_many", "sweep"}
CYCLES_FOR_ALL_VERBS = 50
# A disk that others use may keep a commit waiting for longer than the usual 10 s; that is no matter of crashes.
STALL_SECONDS = 50.0
# From the kill to the first acknowledged write of a fresh process: 99 % must be faster.
MOST_RECOVERY_SECONDS = 5.0
SORTS = ("lost", "torn", "phantom", "corrupt", "error")
RESULTS = ROOT / "build" / "prove"


@dataclass
class Outcome:
    """What a number of cycles found.

    Attributes:
        name: What was run.
        cycles: How many were completed.
        kills: How many processes were killed.
        checks: How often the store examined itself.
        acknowledged: How many changes were acknowledged.
        verbs: The same by verb.
        findings: The broken promises.
        read_seconds: From each kill to the first read of a fresh process.
        write_seconds: From each kill to its first acknowledged write.
    """

    name: str
    cycles: int = 0
    kills: int = 0
    checks: int = 0
    acknowledged: int = 0
    verbs: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    read_seconds: list[float] = field(default_factory=list)
    write_seconds: list[float] = field(default_factory=list)

    def count(self, sort: str) -> int:
        """How many findings of that sort there are."""
        return sum(finding.sort == sort for finding in self.findings)


def percentile(values: list[float], share: float) -> float:
    """The smallest value that so many of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def build(path: Path) -> Ledger:
    """Makes the store that every run begins with a copy of."""
    ledger = Ledger()
    with open_store(path, durability="normal") as store:
        for first in range(0, ITEMS, BATCH):
            numbers = range(first, min(first + BATCH, ITEMS))
            owner, verb = WRITERS[first // BATCH % len(WRITERS)], {"verb": "add", "kind": "rule", "tag": f"base{first}"}
            begin = {"begin": first, **verb, "numbers": list(numbers), "expires": None}
            ids = [added.id for added in add(store, "rule", f"base{first}", numbers)]
            ledger.hear(owner, (json.dumps(begin), json.dumps({"done": first, "ids": ids})))
        assert not ledger.settle(store)
        assert not store.checkpoint().busy
    ledger.acknowledged.clear()
    return ledger


class Stage:
    """One store, the processes that work on it, and the ledger of what they were promised."""

    def __init__(self, crew: Crew, path: Path, ledger: Ledger, durability: Durability, fault: str) -> None:
        self.crew, self.path, self.ledger = crew, path, ledger
        self.durability, self.fault = durability, fault
        self.options = ("--durability", durability, "--timeout", STALL_SECONDS)
        self.chance = random.Random(len(fault))
        self.generation = 0
        # How far each running process was listened to, by its name in the crew.
        self.heard: dict[str, int] = {}
        # The full names of the writers, by their name in the crew: each life has a name of its own.
        self.lives: dict[str, str] = {}

    def start(self, name: str) -> None:
        """Starts a process, for the first time or again."""
        self.generation += 1
        self.heard[name] = 0
        if name == OTHER:
            self.crew.start(name, "-m", "tests.kit.checkpointer", self.path, *self.options)
            return
        self.lives[name] = f"{name}.{self.generation}"
        command = ("-m", "tests.kit.writer", self.path, self.lives[name], *self.options)
        self.crew.start(name, *command, "--seed", self.generation, "--fault", self.fault)
        sample = self.ledger.sample(name, SAMPLE, self.chance)
        items = [(id, entry.kind, *entry.label) for id, entry in sample]
        self.crew[name].tell(json.dumps({"items": items, "most": None}))

    def summon(self) -> None:
        """Starts the process that will be the first to come after the kill."""
        self.generation += 1
        self.lives["newcomer"] = f"newcomer.{self.generation}"
        command = ("-m", "tests.kit.writer", self.path, self.lives["newcomer"], *self.options)
        self.crew.start("newcomer", *command, "--only", "add")
        self.heard["newcomer"] = 0
        self.crew["newcomer"].wait_for('{"ready"')

    def plan(self) -> Strike:
        """Who dies next, and when."""
        everyone = (*WRITERS, OTHER)
        victims = self.chance.choices((everyone, WRITERS, WRITERS[:1], WRITERS[1:], (OTHER,)), (8, 3, 3, 3, 2))[0]
        mark = '{"checkpoint"' if victims == (OTHER,) else '{"done"'
        soon = AfterLines(self.chance.randint(1, 60), mark, seconds=1.0)
        return Strike(self.chance.choice((soon, Within(0.4))), victims)

    def listen(self, name: str) -> None:
        """Enters in the ledger what a process has said since it was last listened to."""
        lines = self.crew[name].said(self.heard[name])
        self.heard[name] += len(lines)
        self.ledger.hear(self.lives.get(name, name), [line.text for line in lines])

    def cycle(self, outcome: Outcome) -> None:
        """Lets everyone work, kills some, times the newcomer, and compares store and ledger."""
        self.summon()
        is_early = self.chance.random() < 0.1
        if not is_early:
            for name in (*WRITERS, OTHER):
                self.crew[name].wait_for('{"opened"')
        strike = self.plan()
        if self.chance.random() < 0.2:
            Strike(Within(0.2), strike.victims, signal.SIGSTOP).carry_out(self.crew, self.chance)
        killed_at = strike.carry_out(self.crew, self.chance)
        outcome.kills += len(strike.victims)
        self._time_the_newcomer(outcome, killed_at)
        survivors = [name for name in (*WRITERS, OTHER) if name not in strike.victims]
        for name in survivors:
            self.crew[name].tell("pause")
        for name in survivors:
            self.crew[name].wait_for('{"paused"', since=self.heard[name])
        for name in ("newcomer", *WRITERS, OTHER):
            self.listen(name)
        outcome.cycles += 1
        with open_store(self.path, durability=self.durability, timeout=STALL_SECONDS) as store:
            outcome.findings += self.ledger.settle(store)
            if outcome.cycles % CHECK_EVERY == 0:
                self._check(store, outcome)
        for name in strike.victims:
            self.start(name)
        for name in survivors:
            self.crew[name].tell("go")

    def _time_the_newcomer(self, outcome: Outcome, killed_at: float) -> None:
        newcomer = self.crew["newcomer"]
        sample = self.ledger.sample(self.chance.choice(WRITERS), SAMPLE, self.chance)
        items = [(id, entry.kind, *entry.label) for id, entry in sample]
        newcomer.tell(json.dumps({"items": items, "most": 1}))
        newcomer.wait_for('{"wrote"')
        for line in newcomer.finish():
            said = json.loads(line.text)
            if "read" in said:
                outcome.read_seconds.append(said["read"] - killed_at)
            if "wrote" in said:
                outcome.write_seconds.append(said["wrote"] - killed_at)

    def _check(self, store: recollect.Store, outcome: Outcome) -> None:
        outcome.findings += self.ledger.count(store)
        report = store.check()
        outcome.checks += 1
        outcome.findings += [Finding("corrupt", problem) for problem in report.problems]

    def end(self, outcome: Outcome) -> None:
        """Ends everyone in good order, and compares and examines the whole store."""
        for name in (*WRITERS, OTHER):
            self.crew[name].finish()
            self.listen(name)
        with open_store(self.path, durability=self.durability, timeout=STALL_SECONDS) as store:
            outcome.findings += self.ledger.verify(store)
            self._check(store, outcome)
        outcome.verbs = dict(self.ledger.acknowledged)
        outcome.acknowledged = sum(outcome.verbs.values())


def run(
    name: str, place: Path, source: tuple[Path, Ledger], durability: Durability, cycles: int, fault: str = ""
) -> Outcome:
    """Runs so many cycles on a copy of the store, in the folder; one of liars ends when they are found out."""
    outcome, started = Outcome(name), time.monotonic()
    path = place / f"{name.replace(' ', '-')}.db"
    shutil.copyfile(source[0], path)
    with Crew(seconds=60 + 30 * cycles) as crew:
        stage = Stage(crew, path, source[1].copy(), durability, fault)
        for worker in (*WRITERS, OTHER):
            stage.start(worker)
        while outcome.cycles < cycles:
            try:
                stage.cycle(outcome)
            except WorkerFailedError as error:
                outcome.findings.append(Finding("error", str(error)))
                return outcome
            if outcome.cycles % 25 == 0:
                elapsed = time.monotonic() - started
                print(
                    f"  {name}: {outcome.cycles} cycles, {len(outcome.findings)} findings, {elapsed:.0f} s", flush=True
                )
            if fault and outcome.findings:
                break
        stage.end(outcome)
    return outcome


def examine_a_damaged_copy(folder: Path, source: Path) -> Outcome:
    """Overwrites one page of table rows in a copy of the store, and lets it examine itself."""
    outcome, path = Outcome("one damaged page"), folder / "damaged.db"
    content = bytearray(source.read_bytes())
    page_bytes = int.from_bytes(content[16:18], "big")
    # A page that begins with 13 holds rows of a table (https://www.sqlite.org/fileformat2.html, section 1.6).
    tables = [place for place in range(page_bytes, len(content), page_bytes) if content[place] == 13]
    middle = tables[len(tables) // 2]
    content[middle : middle + page_bytes] = b"\xa5" * page_bytes
    path.write_bytes(content)
    try:
        with open_store(path) as store:
            problems = store.check().problems
    except recollect.CorruptError as error:
        problems = (str(error),)
    outcome.checks = 1
    outcome.findings = [Finding("corrupt", problem) for problem in problems]
    return outcome


def show(outcome: Outcome) -> None:
    """Prints one row of the table, and the first findings beneath it."""
    counts = f"{outcome.cycles:>7}{outcome.kills:>7}{outcome.acknowledged:>9,}{outcome.checks:>7}"
    found = "".join(f"{outcome.count(sort):>8}" for sort in SORTS)
    times = "".join(
        f"{1_000 * percentile(values, share):>7.0f}"
        for values in (outcome.read_seconds, outcome.write_seconds)
        for share in (0.5, 0.99, 1)
    )
    print(f"{outcome.name:<18}{counts}{found}{times}", flush=True)
    for finding in outcome.findings[:3]:
        print(f"    {finding.sort}: {finding.text[:180]}", flush=True)


def main() -> int:
    """Runs everything, writes `build/prove/crash.json`, and returns the exit status."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="recollect-crash-") as place:
        folder = Path(place)
        source = folder / "source.db"
        ledger = build(source)
        print(f"{CYCLES} cycles on {len(ledger.entries):,} items, {source.stat().st_size / 2**20:.1f} MiB", flush=True)
        durable = [
            run("full", folder, (source, ledger), "full", CYCLES - CYCLES // 2),
            run("normal", folder, (source, ledger), "normal", CYCLES // 2),
        ]
        lies = {
            "lost": run("early answers", folder, (source, ledger), "full", TEETH_CYCLES, "early"),
            "torn": run("piecewise batches", folder, (source, ledger), "full", TEETH_CYCLES, "piecewise"),
            "corrupt": examine_a_damaged_copy(folder, source),
        }
    print(f"{'':<18}{'':>30}{'findings':>40}{'  read after, ms':>21}{' write after, ms':>21}")
    head = "".join(f"{sort:>8}" for sort in SORTS)
    print(
        f"{'run':<18}{'cycles':>7}{'kills':>7}{'acked':>9}{'checks':>7}{head}" + f"{'p50':>7}{'p99':>7}{'max':>7}" * 2
    )
    for outcome in (*durable, *lies.values()):
        show(outcome)
    slowest = max(percentile(run.write_seconds, 0.99) for run in durable)
    verbs = sum((Counter(run.verbs) for run in durable), Counter[str]())
    print("acknowledged: " + ", ".join(f"{verb} {count:,}" for verb, count in verbs.most_common()))
    is_ok = (
        not any(run.findings for run in durable)
        and all(run.acknowledged and len(run.write_seconds) == run.cycles for run in durable)
        and slowest <= MOST_RECOVERY_SECONDS
        and all(run.count(sort) for sort, run in lies.items())
        and (verbs.keys() >= VERBS or CYCLES < CYCLES_FOR_ALL_VERBS)
    )
    report = {"ok": is_ok, "items": ITEMS, "verbs": verbs, "runs": [asdict(run) for run in (*durable, *lies.values())]}
    (RESULTS / "crash.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    found = sum(len(run.findings) for run in durable)
    told = sum(bool(run.count(sort)) for sort, run in lies.items())
    counts = f"{sum(run.cycles for run in durable)} cycles, {sum(run.acknowledged for run in durable):,} acknowledged"
    print(f"crash: {'ok' if is_ok else 'short'} {counts}, {found} findings, {told} of {len(lies)} lies found out")
    return 0 if is_ok else 1


if __name__ == "__main__":
    sys.exit(main())
