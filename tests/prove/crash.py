"""Prove that killing processes loses nothing: no acknowledged change, no part of a batch, no sound file.

Two processes change a store of 100,000 items (single changes and batches of every verb), a third checkpoints and reads
it, and again and again some or all of them are killed (SIGKILL), at random moments: while they work, after so many
acknowledgements, while they are stopped, while they open the store. After each kill a fresh process opens the store,
reads and writes, which is timed from the kill on, and apart where nobody was left; then all that was announced or
acknowledged since the kill before is compared with the store, and at intervals the store examines the whole of itself.
Half of the cycles run with `durability="full"`, half with `"normal"`: a process that dies loses nothing in either.

Only cycles in which a writer was killed are counted. Of the killed so many must have been opening the store, in the
middle of a change, and in the middle of a checkpoint; and sometimes nobody clears the log before all are killed, so
that it is long.

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
from collections.abc import Sequence
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
# Of the times that all were killed: how often nobody clears the log that follows, and how long it then grows.
LONG_SHARE, LONG_CHANGES, LONG_SECONDS = 0.25, 400, 4.0
VERBS_OF_LONG_LOGS = ("add", "add_many", "update", "delete", "restore")
# How often those who have just been started are killed at once.
EARLY_SHARE = 0.2
# So many of the killed, for each hundred cycles, must have been in the middle of that.
LEAST_MOMENTS = {"before it had opened": 5, "in a change": 50, "in a checkpoint": 5}
LONG_BYTES = 2**20
# From the kill to the first acknowledged write of a fresh process: 99 % must be faster.
MOST_RECOVERY_SECONDS = 5.0
SORTS = ("lost", "torn", "phantom", "corrupt", "error")
RESULTS = ROOT / "build" / "prove"


@dataclass
class Outcome:
    """What a number of cycles found.

    Attributes:
        name: What was run.
        cycles: How many were completed in which a writer was killed.
        others: How many were completed in which only the checkpointer was.
        kills: How many processes were killed.
        moments: How many of the killed were in which state, by name.
        checks: How often the store examined itself.
        acknowledged: How many changes were acknowledged.
        verbs: The same by verb.
        findings: The broken promises.
        read_seconds: From each kill to the first read of a fresh process.
        write_seconds: From each kill to its first acknowledged write.
        all_killed: For each cycle in which nobody was left: the same, and how many bytes the log had at the kill.
    """

    name: str
    cycles: int = 0
    others: int = 0
    kills: int = 0
    checks: int = 0
    moments: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LEAST_MOMENTS, 0))
    acknowledged: int = 0
    verbs: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    read_seconds: list[float] = field(default_factory=list)
    write_seconds: list[float] = field(default_factory=list)
    all_killed: list[tuple[float, int]] = field(default_factory=list)

    def count(self, sort: str) -> int:
        """How many findings of that sort there are."""
        return sum(finding.sort == sort for finding in self.findings)


def percentile(values: Sequence[float], share: float) -> float:
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
        # Who was started last, and whether it is so that the log grows.
        self.fresh: tuple[str, ...] = ()
        self.is_long = False

    def start_all(self, names: tuple[str, ...]) -> None:
        """Starts processes; now and then, where it is all of them, such that nobody clears the log."""
        self.fresh = names
        self.is_long = set(names) == {*WRITERS, OTHER} and self.chance.random() < LONG_SHARE and not self.fault
        for name in names:
            self.start(name)
        if self.is_long:
            self.crew[OTHER].tell("pause")

    def start(self, name: str) -> None:
        """Starts a process, for the first time or again."""
        self.generation += 1
        self.heard[name] = 0
        if name == OTHER:
            self.crew.start(name, "-m", "tests.kit.checkpointer", self.path, *self.options)
            return
        self.lives[name] = f"{name}.{self.generation}"
        command = ("-m", "tests.kit.writer", self.path, self.lives[name], *self.options)
        verbs = ",".join(VERBS_OF_LONG_LOGS) if self.is_long else ""
        self.crew.start(name, *command, "--seed", self.generation, "--fault", self.fault, "--only", verbs)
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
        if self.is_long:
            return Strike(AfterLines(LONG_CHANGES, '{"done"', seconds=LONG_SECONDS), everyone)
        if self.chance.random() < EARLY_SHARE:
            # The newcomer was started after them and is ready to open the store; they are about to.
            return Strike(Within(0.15), self.fresh)
        victims = self.chance.choices((everyone, WRITERS, WRITERS[:1], WRITERS[1:], (OTHER,)), (8, 3, 3, 3, 2))[0]
        mark = '{"checkpointing"' if OTHER in victims and self.chance.random() < 0.5 else '{"done"'
        if victims == (OTHER,):
            mark = '{"checkpointing"'
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
        strike, everyone = self.plan(), (*WRITERS, OTHER)
        if strike.victims != self.fresh or not isinstance(strike.moment, Within):
            for name in everyone:
                self.crew[name].wait_for('{"opened"')
            if self.chance.random() < 0.2 and not self.is_long:
                Strike(Within(0.2), strike.victims, signal.SIGSTOP).carry_out(self.crew, self.chance)
        killed_at = strike.carry_out(self.crew, self.chance)
        self._time_the_newcomer(outcome, killed_at, is_all=set(strike.victims) == set(everyone))
        survivors = [name for name in everyone if name not in strike.victims]
        for name in survivors:
            self.crew[name].tell("pause")
        for name in survivors:
            self.crew[name].wait_for('{"paused"', since=self.heard[name])
        for name in ("newcomer", *everyone):
            self.listen(name)
        self._count(outcome, strike.victims)
        with open_store(self.path, durability=self.durability, timeout=STALL_SECONDS) as store:
            outcome.findings += self.ledger.settle(store)
            if (outcome.cycles + outcome.others) % CHECK_EVERY == 0:
                self._check(store, outcome)
        outcome.findings += [Finding("error", said) for said in self.crew.crashes()]
        self.start_all(strike.victims)
        for name in survivors:
            self.crew[name].tell("go")

    def _count(self, outcome: Outcome, victims: tuple[str, ...]) -> None:
        """Enters who was killed, and in the middle of what."""
        if set(victims) & set(WRITERS):
            outcome.cycles += 1
        else:
            outcome.others += 1
        outcome.kills += len(victims)
        for name in victims:
            said = [line.text for line in self.crew[name].said()]
            if not any(text.startswith('{"opened"') for text in said):
                outcome.moments["before it had opened"] += 1
            elif name == OTHER:
                outcome.moments["in a checkpoint"] += said[-1].startswith('{"checkpointing"')
            else:
                outcome.moments["in a change"] += self.ledger.is_pending(self.lives[name])

    def _time_the_newcomer(self, outcome: Outcome, killed_at: float, *, is_all: bool) -> None:
        log_bytes = self._log_bytes()
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
                if is_all:
                    outcome.all_killed.append((said["wrote"] - killed_at, log_bytes))

    def _log_bytes(self) -> int:
        log = self.path.with_name(f"{self.path.name}-wal")
        return log.stat().st_size if log.exists() else 0

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
        outcome.findings += [Finding("error", said) for said in self.crew.crashes()]
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
        stage.start_all((*WRITERS, OTHER))
        while outcome.cycles < cycles:
            try:
                stage.cycle(outcome)
            except WorkerFailedError as error:
                outcome.findings.append(Finding("error", str(error)))
                return outcome
            if (done := outcome.cycles + outcome.others) % 25 == 0:
                elapsed = time.monotonic() - started
                print(f"  {name}: {done} cycles, {len(outcome.findings)} findings, {elapsed:.0f} s", flush=True)
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
    verbs = sum((Counter(run.verbs) for run in durable), Counter[str]())
    slowest = max(percentile(run.write_seconds, 0.99) for run in durable)
    alone = [recovery for run in durable for recovery in run.all_killed]
    seconds, sizes = [second for second, _ in alone], [size for _, size in alone]
    moments = {moment: sum(run.moments[moment] for run in durable) for moment in LEAST_MOMENTS}
    print("killed: " + ", ".join(f"{count:,} {moment}" for moment, count in moments.items()))
    print(
        f"write after all were killed ({len(alone)} cycles), ms: p50 {1_000 * percentile(seconds, 0.5):.0f}, "
        f"p99 {1_000 * percentile(seconds, 0.99):.0f}, max {1_000 * percentile(seconds, 1):.0f}; the log had, KiB: "
        f"p50 {percentile(sizes, 0.5) / 1024:,.0f}, max {max(sizes, default=0) / 1024:,.0f}"
    )
    is_thorough = CYCLES < CYCLES_FOR_ALL_VERBS or (
        verbs.keys() >= VERBS
        and all(100 * moments[moment] >= least * CYCLES for moment, least in LEAST_MOMENTS.items())
        and max(sizes, default=0) >= LONG_BYTES
    )
    print("acknowledged: " + ", ".join(f"{verb} {count:,}" for verb, count in verbs.most_common()))
    is_ok = (
        not any(run.findings for run in durable)
        and all(run.acknowledged and len(run.write_seconds) == run.cycles + run.others for run in durable)
        and max(slowest, percentile(seconds, 0.99)) <= MOST_RECOVERY_SECONDS
        and all(run.count(sort) for sort, run in lies.items())
        and is_thorough
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
