"""Prove what the write guard is for: without it a store is damaged within seconds, with it never.

Every libSQL release can lose acknowledged rows, or damage the file, when a checkpoint runs while another connection
commits and begins the write-ahead log anew. This program runs writers and checkpointers through the store's own code,
with a pause (300 us) at the one place where the two meet, once with the guard and once built without it. It is never
scaled down. Standard library only.

    python tests/prove/wal_reset.py

The last line is ``wal-reset: ok ...`` (status 0) or ``wal-reset: short ...`` (status 1).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "build" / "prove"
SECONDS = 4
MOST_UNGUARDED_RUNS = 10
GUARDED_RUNS_PER_LOAD = 3
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Load:
    """Who works on one store: each process with its writers and its checkpointers, all of them threads."""

    name: str
    processes: tuple[tuple[int, int], ...]


LOADS = (
    Load("processes 1 writer + 2 checkpointers", ((1, 0), (0, 1), (0, 1))),
    Load("threads 1 writer + 2 checkpointers", ((1, 2),)),
    Load("2 processes x (2 writers + 1 checkpointer)", ((2, 1), (2, 1))),
)


@dataclass
class Run:
    """One run of one load, and what was found after it."""

    load: str
    guarded: bool
    acknowledged: int = 0
    readable: int = 0
    checkpoints: int = 0
    findings: list[str] = field(default_factory=list)
    disturbances: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """``corrupt``, else ``disturbed`` when the run itself did not work, else ``sound``."""
        if self.findings:
            return "corrupt"
        return "disturbed" if self.disturbances else "sound"


def build(*, guarded: bool) -> Path:
    """Build the driver and return a copy that the next build does not replace."""
    features = "amplifier" if guarded else "amplifier,unguarded"
    command = ["cargo", "build", "--release", "--locked", "--quiet", "-p", "recollect-storage"]
    subprocess.run([*command, "--example", "wal_reset", "--features", features], cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    driver = RESULTS / f"wal_reset-{'guarded' if guarded else 'unguarded'}"
    shutil.copy2(ROOT / target / "release" / "examples" / "wal_reset", driver)
    return driver


def start(driver: Path, *arguments: object) -> subprocess.Popen[str]:
    """Start the driver with its output in a pipe."""
    command = [str(driver), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process: subprocess.Popen[str]) -> list[list[str]]:
    """Wait for a driver and return its lines as words; a driver that hangs or dies says so in a line of its own."""
    try:
        output, _ = process.communicate(timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        output += "\nfailed hung no end was reached"
    if process.returncode < 0:
        output += f"\nfailed died of signal {-process.returncode}"
    return [words for line in output.splitlines() if (words := line.split())]


def note_work(run: Run, lines: list[list[str]]) -> dict[str, int]:
    """Enter what a worker said, and return how many rows of each writer were acknowledged to it."""
    acknowledged: dict[str, int] = {}
    for words in lines:
        match words:
            case ["acknowledged", writer, count]:
                acknowledged[writer] = int(count)
            case ["checkpoints", count]:
                run.checkpoints += int(count)
            case ["failed", "corrupt", *text]:
                run.findings.append(" ".join(text))
            case ["failed", "locked", *_] if not run.guarded:
                pass  # without the guard, opening and closing meet other writers too, and give up
            case _:
                run.disturbances.append(" ".join(words))
    return acknowledged


def note_rest(run: Run, lines: list[list[str]]) -> dict[str, int]:
    """Enter what the look afterwards found, and return how many rows of each writer are readable."""
    readable: dict[str, int] = {}
    for words in lines:
        match words:
            case ["readable", writer, count]:
                readable[writer] = int(count)
            case ["finding", *text] | ["failed", *text]:
                run.findings.append(" ".join(text))
            case _:
                run.disturbances.append(" ".join(words))
    return readable


def perform(driver: Path, load: Load, folder: Path, *, guarded: bool) -> Run:
    """Run a load on a new store and look at what is left."""
    run = Run(load.name, guarded)
    with tempfile.TemporaryDirectory(prefix="recollect-wal-reset-", dir=folder) as place:
        store = Path(place) / "store.db"
        if lines := finish(start(driver, "prepare", store)):
            run.disturbances += [" ".join(words) for words in lines]
            return run
        workers, first = [], 0
        for writers, checkpointers in load.processes:
            workers.append(start(driver, "run", store, writers, checkpointers, first, SECONDS))
            first += writers
        acknowledged: dict[str, int] = {}
        for worker in workers:
            acknowledged |= note_work(run, finish(worker))
        readable = note_rest(run, finish(start(driver, "verify", store)))
    run.acknowledged, run.readable = sum(acknowledged.values()), sum(readable.values())
    run.findings += [
        f"writer {writer}: {count} rows acknowledged, {readable.get(writer, 0)} readable"
        for writer, count in acknowledged.items()
        if readable.get(writer, 0) < count
    ]
    if not (run.acknowledged and run.checkpoints):
        run.disturbances.append("nothing was written, or nothing checkpointed")
    return run


def show(run: Run) -> None:
    """Print one row of the table, and the first finding beneath it."""
    kind = "guarded" if run.guarded else "unguarded"
    counts = f"{run.acknowledged:>12,}{run.readable:>12,}{run.checkpoints:>13,}"
    print(f"{run.load:<44}{kind:<11}{counts}  {run.verdict}", flush=True)
    for finding in (*run.findings, *run.disturbances)[:1]:
        print(f"    {finding[:110]}", flush=True)


def main() -> int:
    """Run everything, write ``build/prove/wal-reset.json``, and return the exit status."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    memory = Path("/dev/shm")  # noqa: S108 - a file system in memory is what makes the race show
    folder = memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())
    unguarded, guarded = build(guarded=False), build(guarded=True)
    print(f"{'load':<44}{'build':<11}{'acknowledged':>12}{'readable':>12}{'checkpoints':>13}  verdict", flush=True)
    runs: list[Run] = []
    for number in range(MOST_UNGUARDED_RUNS):
        run = perform(unguarded, LOADS[number % len(LOADS)], folder, guarded=False)
        show(run)
        runs.append(run)
        if number + 1 >= len(LOADS) and any(run.verdict == "corrupt" for run in runs):
            break
    for load in LOADS:
        for _ in range(GUARDED_RUNS_PER_LOAD):
            run = perform(guarded, load, folder, guarded=True)
            show(run)
            runs.append(run)
    without = [run.verdict for run in runs if not run.guarded]
    with_guard = [run.verdict for run in runs if run.guarded]
    is_ok = "corrupt" in without and set(with_guard) == {"sound"}
    counts = (
        f"unguarded {without.count('corrupt')} of {len(without)} corrupt, "
        f"guarded {with_guard.count('sound')} of {len(with_guard)} sound"
    )
    report = {
        "ok": is_ok,
        "seconds_per_run": SECONDS,
        "folder": str(folder),
        "runs": [{**asdict(run), "verdict": run.verdict} for run in runs],
    }
    (RESULTS / "wal-reset.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"wal-reset: {'ok' if is_ok else 'short'} {counts}")
    return 0 if is_ok else 1


if __name__ == "__main__":
    sys.exit(main())
