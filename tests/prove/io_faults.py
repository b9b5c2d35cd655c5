"""Prove that a disk that fails or fills up at any call gives typed errors, and leaves a store that is whole.

A store does every kind of work while the n-th call of libSQL to the file system fails, for every n until the work is
done before its call comes: a failing device (`EIO`) at any call, a full disk (`ENOSPC`) at any that needs room, a sync
that fails and loses what it should have written; each once, and lasting until it is lifted. The work is opening (of a
new store, and of one of the first release, which is migrated), every verb, checkpoints, closing and opening again.

Each call answers as it should or with an `io` error, never with a panic. A full disk does not lose the handle, which
goes on when there is room; a failed write or sync does: each later call says so, closing works, and opening again
recovers. Everything acknowledged is there, in the store and in what a power cut at the end would leave; what was not
acknowledged is there as a whole or not at all.

What is acknowledged is what the calls answered, item by item, and for an old store what its ledger file says. One sweep
has the background checkpointer and the sweeper at work; a panic of any thread is a failure.

What proves that the measure can fail: a disk whose syncs say all is well and lose everything must be found out, and so
must a failed step that is reported as done.

    python tests/prove/io_faults.py

`SCALE` below 1 tries only every (1 / `SCALE`)-th call. The last line is `io-faults: ok ...` (status 0) or
`io-faults: short ...` (status 1).
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.kit import faults  # noqa: E402

SCALES = True
SCALE = float(os.environ.get("SCALE", "1"))
WORKERS = 2
SEED = 2
MOST_RUNS = 20_000
FEW_SYNCS = 8
CLAIMED_STRIDE = 10


@dataclass(frozen=True)
class Sweep:
    """One line of the table.

    Attributes:
        kind: `device`, `full`, `sync`, `silent` or `claimed`, as the program names them.
        lasts: `once` or `lasting`.
        begins: `new`, or `old` for a filled store of the first schema.
        pace: `busy` where the background checkpointer and the sweeper run too, else `quiet`.
    """

    kind: str
    lasts: str
    begins: str
    pace: str = "quiet"

    @property
    def is_teeth(self) -> bool:
        """Whether nothing can stand this, so that it must be found out."""
        return self.kind in {"silent", "claimed"}

    @property
    def stride(self) -> int:
        """How far one tried call is from the next; there are few syncs, so that fewer of them are left out."""
        stride = max(1, round(1 / SCALE))
        return (
            min(stride, FEW_SYNCS)
            if self.kind in {"sync", "silent"}
            else stride * (CLAIMED_STRIDE if self.kind == "claimed" else 1)
        )


SWEEPS = (
    *(
        Sweep(kind, lasts, begins)
        for kind in ("device", "full", "sync")
        for lasts in ("once", "lasting")
        for begins in ("new", "old")
    ),
    Sweep("silent", "lasting", "new"),
    Sweep("silent", "lasting", "old"),
    Sweep("device", "once", "new", "busy"),
    Sweep("claimed", "once", "new"),
)


@dataclass
class Outcome:
    """What a sweep found.

    Attributes:
        sweep: The sweep.
        is_complete: Whether it came to the run in which the work ended before the fault.
        runs: How many runs had a call fail.
        operations: How often each kind of call failed first.
        findings: What did not hold.
    """

    sweep: Sweep
    is_complete: bool = False
    runs: int = 0
    operations: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    @property
    def is_as_promised(self) -> bool:
        """Whether the sweep gave what it must."""
        return self.is_complete and self.runs > 0 and bool(self.findings) == self.sweep.is_teeth


def perform(program: Path, sweep: Sweep, number: int) -> Outcome:
    """Run a sweep, and read what it says."""
    outcome = Outcome(sweep)
    begins = faults.OLD_STORE if sweep.begins == "old" else "new"
    # Where calls are left out, the sweeps try different ones.
    first = 1 + number % sweep.stride
    with tempfile.TemporaryDirectory(prefix="recollect-io-faults-", dir=faults.working_folder()) as place:
        lines = faults.run(
            program, "sweep", place, SEED, sweep.kind, sweep.lasts, begins, sweep.pace, first, sweep.stride, MOST_RUNS
        )
        for words in lines:
            match words:
                case ["run", number_of_call, operation, file, verdict, *text]:
                    outcome.runs += 1
                    outcome.operations[operation] += 1
                    if verdict != "sound":
                        again = (
                            f"sweep FOLDER {SEED} {sweep.kind} {sweep.lasts} {begins} {sweep.pace} {number_of_call} 1 1"
                        )
                        outcome.findings.append(
                            f"call {number_of_call}, {operation} of {file}: {' '.join(text)} [{program} {again}]"
                        )
                case ["end", _, how]:
                    outcome.is_complete = how == "complete"
                case _:
                    outcome.findings.append(" ".join(words))
        if outcome.findings and not sweep.is_teeth:
            faults.keep(Path(place), f"io-faults-{sweep.kind}-{sweep.lasts}-{sweep.begins}-{sweep.pace}")
    return outcome


def show(outcome: Outcome) -> None:
    """Print one row of the table, and the first findings beneath it."""
    sweep = outcome.sweep
    purpose = "must be found out" if sweep.is_teeth else "must hold"
    result = "yes" if outcome.is_as_promised else "NO"
    kinds = " ".join(f"{name}:{count}" for name, count in outcome.operations.most_common(4))
    counts = f"{outcome.runs:>6}{len(outcome.findings):>9}"
    print(
        f"{sweep.kind:<8}{sweep.lasts:<9}{sweep.begins:<6}{sweep.pace:<7}{counts}  {purpose:<18}{result:<5}{kinds}",
        flush=True,
    )
    if not sweep.is_teeth:
        for finding in outcome.findings[:3]:
            print(f"    {finding[:600]}", flush=True)


def main() -> int:
    """Run every sweep, write `build/prove/io-faults.json`, and return the exit status."""
    program = faults.build()["io_faults"]
    print(f"{'fault':<8}{'lasts':<9}{'store':<6}{'pace':<7}{'runs':>6}{'findings':>9}", flush=True)
    outcomes = []
    with ThreadPoolExecutor(WORKERS) as pool:
        for outcome in pool.map(lambda entry: perform(program, entry[1], entry[0]), enumerate(SWEEPS)):
            show(outcome)
            outcomes.append(outcome)
    is_ok = all(outcome.is_as_promised for outcome in outcomes)
    report = {
        "ok": is_ok,
        "scale": SCALE,
        "sweeps": [
            {
                "fault": outcome.sweep.kind,
                "lasts": outcome.sweep.lasts,
                "store": outcome.sweep.begins,
                "pace": outcome.sweep.pace,
                "must_be_found_out": outcome.sweep.is_teeth,
                "as_promised": outcome.is_as_promised,
                "runs": outcome.runs,
                "operations": outcome.operations,
                "findings": outcome.findings[:20],
            }
            for outcome in outcomes
        ],
    }
    (faults.RESULTS / "io-faults.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    proper = [outcome for outcome in outcomes if not outcome.sweep.is_teeth]
    teeth = [outcome for outcome in outcomes if outcome.sweep.is_teeth]
    runs, bad = (sum(outcome.runs for outcome in proper), sum(len(outcome.findings) for outcome in proper))
    silent, found = (sum(outcome.runs for outcome in teeth), sum(len(outcome.findings) for outcome in teeth))
    counts = f"{runs} faults, {bad} findings; teeth: {found} of {silent} silent losses and false reports found out"
    print(f"io-faults: {'ok' if is_ok else 'short'} {counts}")
    return 0 if is_ok else 1


if __name__ == "__main__":
    sys.exit(main())
