"""Prove that many processes share a store: none sees "locked", none starves, and each sees what others have written.

Four processes work for 60 s and eight for 30 s, reading and writing in equal parts: single changes and batches of all
kinds. What is acknowledged is posted on a board before anyone reads it; whoever reads something there must find it in
the store, by its id and by its vector. No call may fail, no acknowledged change may be missing at the end, 99 % of the
writes take at most 250 ms, and the process with the fewest commits has at least half as many as the one with the most.

Then a process is stopped (SIGSTOP) for 5 s while it holds the write guard, as the kernel's list of locks shows. Writers
that wait at most 1 s get `LockedError` in that time, readers do not notice, and afterwards everyone goes on: no wait
that begins then ends in vain, and each writes (unless a plain write to the disk stalls, too). A process that panics or
ends otherwise than it should fails the proof.

What proves that the measure can fail: a process that pauses between its writes, one that reads from a stale copy, one
that posts what it never wrote, and a stranger who holds the lock file must all be found out.

    python tests/prove/processes.py

`SCALE` scales the seconds; below a fifth, times and shares of commits are not judged. The last line is
`processes: ok ...` (status 0) or `processes: short ...` (status 1).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.kit.board import Board  # noqa: E402
from tests.kit.items import add, open_store, said_by, text_of  # noqa: E402
from tests.kit.mixed import Report  # noqa: E402
from tests.kit.processes import Crew, Worker  # noqa: E402
from tests.kit.strikes import stop_with_lock  # noqa: E402

import recollect  # noqa: E402

SCALES = True
SCALE = float(os.environ.get("SCALE", "1"))
LOADS = ((4, max(1.5, 60 * SCALE)), (8, max(1.5, 30 * SCALE)))
STOPPED_SECONDS = max(2.5, 5 * SCALE)
TEETH_SECONDS = max(1.5, min(6.0, 10 * SCALE))
ITEMS_BEFORE = 1_000
MOST_WRITE_SECONDS = 0.25
LEAST_SHARE = 0.5
# Below that scale, percentiles and shares are printed and not judged: in a second or two one busy neighbour decides.
FAIR_SCALE = 0.2
# How long a writer waits that meets the stopped process, and what its call may take in all.
PATIENCE_SECONDS, MOST_WAIT_SECONDS = 1.0, 1.5
# A read may take that long while a writer is stopped: it does not wait for it.
MOST_READ_SECONDS = 0.5
# What the disk alone may keep a plain write waiting for, for the waits of others to be judged.
MOST_STALL_SECONDS = 0.25
# After the stopped one goes on: how long they are watched, and how many writes each must then have made.
AFTER_SECONDS, LEAST_WRITES = max(2.5, 4 * SCALE), 3
RESULTS = ROOT / "build" / "prove"

STRANGER = """
import fcntl, sys, time
with open(sys.argv[1], "ab") as lock:
    print("ready", flush=True)
    while True:
        # Longer than the writers wait, then long enough to make them slow; so short a while between that few are quick.
        for seconds in (1.3, 0.4, 0.4):
            fcntl.flock(lock, fcntl.LOCK_EX)
            time.sleep(seconds)
            fcntl.flock(lock, fcntl.LOCK_UN)
            time.sleep(0.02)
"""

# What the machine itself takes for a durable write, with everything else that runs on it.
PROBE = """
import os, sys, time
took = []
with open(sys.argv[1], "wb", buffering=0) as file:
    print("ready", flush=True)
    until = time.monotonic() + float(sys.argv[2])
    while time.monotonic() < until:
        begun = time.monotonic()
        file.write(bytes(16_384))
        os.fsync(file.fileno())
        took.append(time.monotonic() - begun)
        time.sleep(0.02)
print(sorted(took)[int(0.99 * len(took))], max(took), flush=True)
"""


@dataclass
class Outcome:
    """What one load showed.

    Attributes:
        name: What was run.
        reports: What each process says of itself.
        lost: Acknowledged changes that are not in the store afterwards.
        problems: What the store's own examination complains of, and what else is wrong.
        notes: What else was measured, for the report.
    """

    name: str
    reports: list[Report] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: dict[str, object] = field(default_factory=dict)

    @property
    def commits(self) -> int:
        """How many writes were acknowledged."""
        return sum(len(report.writes) for report in self.reports)

    @property
    def failures(self) -> list[str]:
        """The errors of all calls that failed."""
        return [error for report in self.reports for _, _, error, _ in report.failures]

    @property
    def unseen(self) -> list[str]:
        """What readers did not find."""
        return [said for report in self.reports for said in report.unseen]

    @property
    def slow_write_seconds(self) -> float:
        """99 % of the writes took at most that long."""
        took = sorted(seconds for report in self.reports for _, seconds in report.writes)
        return took[int(0.99 * len(took))] if took else 0.0

    @property
    def slowest_write_seconds(self) -> float:
        """All of the writes took at most that long."""
        return max((seconds for report in self.reports for _, seconds in report.writes), default=0.0)

    @property
    def share(self) -> float:
        """The fewest commits of a process, divided by the most."""
        counts = [len(report.writes) for report in self.reports]
        return min(counts) / max(1, *counts) if counts else 0.0

    def shortcomings(self, *, judges_speed: bool = True) -> dict[str, object]:
        """What breaks a promise; empty is what is to be shown."""
        return {
            name: value
            for name, value in {
                "failed": len(self.failures),
                "lost": len(self.lost),
                "unseen": len(self.unseen),
                "unsound": self.problems,
                "slow": judges_speed and self.slow_write_seconds > MOST_WRITE_SECONDS,
                "unfair": judges_speed and self.share < LEAST_SHARE,
            }.items()
            if value
        }


def start(crew: Crew, folder: Path, count: int, *options: Mapping[str, object]) -> list[Worker]:
    """Starts so many processes on the store and lets them begin together; options are those of one process each."""
    workers = []
    for number in range(count):
        own: Mapping[str, object] = options[number] if number < len(options) else {}
        flags = [word for name, value in own.items() for word in (f"--{name}", value)]
        command = ("-m", "tests.kit.mixed", folder / "store.db", folder / "board", f"p{number}", "--seed", number)
        workers.append(crew.start(f"p{number}", *command, *flags))
    for worker in workers:
        worker.wait_for('{"opened"')
    for worker in workers:
        worker.tell("go")
    return workers


def reports_of(workers: list[Worker]) -> list[Report]:
    """Ends the processes together, and returns what they say."""
    for worker in workers:
        worker.tell("end")
    return [Report(**json.loads(worker.finish()[-1].text)) for worker in workers]


def compare(folder: Path, outcome: Outcome) -> None:
    """Compares the store with the board."""
    with Board(folder / "board") as board, open_store(folder / "store.db") as store:
        for posted in {posted.id: posted for posted in board.all()}.values():
            try:
                item = store.get(posted.id)
                found = (item.version, said_by(item))
            except recollect.NotFoundError:
                found = (0, "")
            if found != (posted.version, text_of(posted.label) if posted.version else ""):
                outcome.lost.append(f"{posted} was posted, the store has version {found[0]}")
        report = store.check()
        outcome.problems += report.problems
        seqs = [0]
        while changes := store.changes(seqs[-1], limit=10_000):
            seqs.extend(sorted({change.seq for change in changes}))
        if seqs != list(range(len(seqs))):
            outcome.problems.append("the numbers of the commits have gaps")
        # One commit was made before the processes began.
        if not outcome.lost and len(seqs) - 2 != outcome.commits:
            outcome.problems.append(f"{outcome.commits} commits were acknowledged, the log has {len(seqs) - 2}")


def prepare(place: Path, name: str) -> Path:
    """Makes a folder with a store that has some items."""
    folder = place / name.replace(" ", "-")
    folder.mkdir()
    with open_store(folder / "store.db", durability="normal") as store:
        add(store, "rule", "before", range(ITEMS_BEFORE))
        assert not store.checkpoint().busy
    return folder


def share_a_store(place: Path, count: int, seconds: float) -> Outcome:
    """Lets so many processes work for so many seconds."""
    outcome = Outcome(f"{count} processes, {seconds:g} s")
    folder = prepare(place, outcome.name)
    with Crew(seconds=seconds + 120) as crew:
        workers = start(crew, folder, count)
        probe = crew.start("probe", "-c", PROBE, folder / "probe", seconds)
        time.sleep(seconds)
        outcome.reports = reports_of(workers)
        outcome.notes["a plain fsync takes, p99 ms"] = round(1_000 * float(probe.finish()[-1].text.split()[0]))
        outcome.problems += crew.crashes()
    compare(folder, outcome)
    return outcome


def judge_the_waits(outcome: Outcome, stopped: float, continued: float, *, is_stalled: bool) -> tuple[list[float], int]:
    """Enters what is wrong with the three writers; returns how long waits were, and how many were in vain besides.

    Where the disk itself stalled afterwards, nobody can say why a wait ended in vain then, so that is not judged.
    """
    waited, late = list[float](), 0
    for report in outcome.reports[1:3]:
        inside = [(at, took, error) for at, took, error, _ in report.failures if stopped < at < continued + took]
        waited += [took for _, took, _ in inside]
        if not inside or not all(error.startswith("LockedError") for _, _, error in inside):
            outcome.problems.append(f"a writer that waits got {Counter(error for _, _, error in inside)}")
        # A wait that ends in vain before or after ends as a wait does.
        late += len(report.failures) - len(inside)
        if not all(error.startswith("LockedError") for _, _, error, _ in report.failures):
            outcome.problems.append(f"a writer failed: {report.failures}")
        # A wait that began while the holder was stopped may still end in vain; one that began later may not.
        vain = [at - continued for at, *_ in report.failures if at > continued + MOST_WAIT_SECONDS]
        if vain and not is_stalled:
            outcome.problems.append(f"a writer failed {max(vain):.2f} s after the stopped one went on")
        # What was acknowledged just before is reported a moment later.
        if any(stopped + 0.5 < at < continued for at, _ in report.writes):
            outcome.problems.append("a writer wrote while the guard was another's")
    if any(took > MOST_WAIT_SECONDS for took in waited):
        outcome.problems.append(f"a writer waited {max(waited):.2f} s")
    for report in outcome.reports[:3]:
        count = sum(at > continued for at, _ in report.writes)
        if count < (1 if is_stalled else LEAST_WRITES):
            outcome.problems.append(f"a writer made {count} writes after the stopped one went on")
    return waited, late


def stop_the_holder(place: Path) -> Outcome:
    """Stops a process while it holds the guard: two writers and two readers go on as they can."""
    outcome = Outcome(f"holder stopped, {STOPPED_SECONDS:g} s")
    folder = prepare(place, outcome.name)
    waits = {"timeout": PATIENCE_SECONDS}
    with Crew(seconds=STOPPED_SECONDS + 120) as crew:
        workers = start(crew, folder, 5, {}, waits, waits, {"writes": 0}, {"writes": 0})
        time.sleep(0.5)
        stopped = stop_with_lock(workers[0], folder / "store.db.lock")
        time.sleep(STOPPED_SECONDS)
        continued = time.monotonic()
        workers[0].signal(signal.SIGCONT)
        probe = crew.start("probe", "-c", PROBE, folder / "probe", AFTER_SECONDS)
        time.sleep(AFTER_SECONDS)
        reports = reports_of(workers)
        stall = float(probe.finish()[-1].text.split()[1])
        outcome.problems += crew.crashes()
    outcome.reports = reports
    compare(folder, outcome)
    waited, late = judge_the_waits(outcome, stopped, continued, is_stalled=stall > MOST_STALL_SECONDS)
    if any(report.failures for report in (reports[0], *reports[3:])):
        outcome.problems.append(f"the stopped process or a reader failed: {outcome.failures}")
    if any(report.longest_read > MOST_READ_SECONDS or not report.reads for report in reports[3:]):
        outcome.problems.append(f"a reader waited {max(report.longest_read for report in reports[3:]):.2f} s")
    outcome.notes = {
        "waits": len(waited),
        "longest wait, s": round(max(waited, default=0.0), 3),
        "waits in vain besides": late,
        "longest read, s": round(max(report.longest_read for report in reports[3:]), 3),
        "a plain fsync takes, max s": round(stall, 3),
    }
    return outcome


def lie(place: Path) -> Outcome:
    """One process pauses, one reads a stale copy, one posts what it never wrote."""
    outcome = Outcome("liars")
    folder = prepare(place, outcome.name)
    stale = folder / "stale.db"
    shutil.copyfile(folder / "store.db", stale)
    with Crew(seconds=TEETH_SECONDS + 120) as crew:
        workers = start(crew, folder, 4, {"fault": "slow"}, {"mirror": stale}, {"fault": "forgetful"})
        time.sleep(TEETH_SECONDS)
        outcome.reports = reports_of(workers)
        outcome.problems += crew.crashes()
    compare(folder, outcome)
    return outcome


def hold_the_lock(place: Path) -> Outcome:
    """A stranger holds the lock file for longer than the writers wait, again and again."""
    outcome = Outcome("stranger with the lock")
    folder = prepare(place, outcome.name)
    with Crew(seconds=TEETH_SECONDS + 120) as crew:
        workers = start(crew, folder, 2, *2 * ({"timeout": PATIENCE_SECONDS},))
        stranger = crew.start("stranger", "-c", STRANGER, folder / "store.db.lock")
        stranger.wait_for("ready")
        time.sleep(2 * TEETH_SECONDS)
        stranger.kill()
        outcome.reports = reports_of(workers)
        outcome.problems += crew.crashes()
    compare(folder, outcome)
    return outcome


def show(outcome: Outcome) -> None:
    """Prints one row of the table, and the first complaints beneath it."""
    reads = sum(report.reads for report in outcome.reports)
    counts = (
        f"{outcome.commits:>9,}{reads:>11,}{len(outcome.failures):>8}{len(outcome.lost):>6}{len(outcome.unseen):>8}"
    )
    times = f"{1_000 * outcome.slow_write_seconds:>8.0f}{1_000 * outcome.slowest_write_seconds:>8.0f}"
    print(f"{outcome.name:<24}{counts}{times}{outcome.share:>7.2f}", flush=True)
    if outcome.notes:
        print(f"    {', '.join(f'{name}: {value}' for name, value in outcome.notes.items())}", flush=True)
    for said in (*outcome.problems[:2], *outcome.failures[:1], *outcome.lost[:1], *outcome.unseen[:1]):
        print(f"    {said[:200]}", flush=True)


def main() -> int:
    """Runs everything, writes `build/prove/processes.json`, and returns the exit status."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    head = f"{'commits':>9}{'reads':>11}{'failed':>8}{'lost':>8}{'unseen':>8}{'p99 ms':>8}{'max ms':>8}{'share':>7}"
    print(f"{'run':<24}{head}", flush=True)
    with tempfile.TemporaryDirectory(prefix="recollect-processes-") as name:
        place = Path(name)
        shared = [share_a_store(place, count, seconds) for count, seconds in LOADS]
        for outcome in shared:
            show(outcome)
        stopped = stop_the_holder(place)
        show(stopped)
        liars = lie(place)
        show(liars)
        stranger = hold_the_lock(place)
        show(stranger)
    expected = {"liars": {"lost", "unseen", "unfair"}, "stranger": {"failed", "slow"}}
    found = set(liars.shortcomings()) & expected["liars"] | set(stranger.shortcomings()) & expected["stranger"]
    missed = set().union(*expected.values()) - found
    short = [outcome.shortcomings(judges_speed=SCALE >= FAIR_SCALE) for outcome in shared]
    is_ok = not any(short) and not stopped.problems and not stopped.lost and not stopped.unseen and not missed
    outcomes = (*shared, stopped, liars, stranger)
    report = {
        "ok": is_ok,
        "runs": [
            {
                "name": outcome.name,
                "commits": [len(report.writes) for report in outcome.reports],
                "p99_write_seconds": outcome.slow_write_seconds,
                "slowest_write_seconds": outcome.slowest_write_seconds,
                "share": outcome.share,
                "shortcomings": outcome.shortcomings(),
                "notes": outcome.notes,
                "failures": outcome.failures[:20],
                "lost": outcome.lost[:20],
                "unseen": outcome.unseen[:20],
            }
            for outcome in outcomes
        ],
    }
    (RESULTS / "processes.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    counts = f"{sum(outcome.commits for outcome in shared):,} commits of {sum(count for count, _ in LOADS)} processes"
    waits = f"{stopped.notes['waits']} waits of at most {stopped.notes['longest wait, s']} s for a stopped one"
    missing = f"; not found out: {', '.join(sorted(missed))}" if missed else ""
    print(f"processes: {'ok' if is_ok else 'short'} {counts}, {waits}, {len(found)} of 5 lies found out{missing}")
    return 0 if is_ok else 1


if __name__ == "__main__":
    sys.exit(main())
