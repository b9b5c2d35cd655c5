"""Prove that a power cut takes no acknowledged write with full durability, and only the newest ones with normal.

A store does every kind of write over a layer that knows what of its files is not yet on the disk. At 500 moments each
for `durability="full"` and `"normal"`, chosen by chance among all writes, truncations and syncs, the folder is written
that a power cut would leave: unsynced work lost, kept or torn at sectors of 512 bytes, in any order between files. A
process without that layer opens each of them, checks it, compares every row of every table with the states the store
went through, writes to it, and looks for content that was purged before the cut, which must not be in any file. A
third of the stores begin as one of the first release, which is migrated.

What counts as acknowledged is what the calls answered, item by item, and for an old store what its ledger file says.
With normal durability nothing may be lost from before the last checkpoint, close or purge that went well. Cuts before
anything was acknowledged are not counted.

What proves that the measure can fail: with `synchronous` off, with a disk that says it has synced and has not, and with
normal durability judged as if it were full, acknowledged writes must be found missing; updates that are refused and
reported as done must be found out; and content that is purged only after a cut must be found.

    python tests/prove/power.py

`SCALE` scales the number of cuts. The last line is `power: ok ...` (status 0) or `power: short ...` (status 1).
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
CUTS = max(20, round(500 * SCALE))
TEETH_CUTS = max(20, round(100 * SCALE))
CUTS_PER_RUN = 25
MOST_ROUNDS = 5
WORKERS = 2
VERDICTS = ("sound", "behind", "lost", "foreign", "remains", "damaged")
# Where cuts of the two real loads must have fallen at full scale.
PLACES = ("Write:log", "Sync:log", "Write:database", "Sync:database", "Truncate:log")
STEPS = ("Checkpoint", "Migration", "Purge")


@dataclass(frozen=True)
class Load:
    """One line of the table: how the store is kept, on which disk, and what may be left.

    Attributes:
        durability: How the store is opened.
        disk: `honest`, `lying` about its syncs, or `refusing` updates that the session is told were done.
        cuts: How many cuts at least.
        allowed: The verdicts that may come; one of the others must come where this is a test of the measure.
        is_teeth: Whether it is such a test.
    """

    durability: str
    disk: str
    cuts: int
    allowed: frozenset[str]
    is_teeth: bool


LOADS = (
    Load("full", "honest", CUTS, frozenset({"sound"}), is_teeth=False),
    Load("normal", "honest", CUTS, frozenset({"sound", "behind"}), is_teeth=False),
    Load("off", "honest", TEETH_CUTS, frozenset({"sound"}), is_teeth=True),
    Load("full", "lying", TEETH_CUTS, frozenset({"sound"}), is_teeth=True),
    Load("full", "refusing", TEETH_CUTS, frozenset({"sound"}), is_teeth=True),
)


@dataclass
class Outcome:
    """What the cuts of one load left.

    Attributes:
        load: The load.
        verdicts: How often each verdict came.
        moments: How often each kind of call to each kind of file was cut.
        steps: How often each step was cut.
        idle: Cuts before anything was acknowledged, which count for nothing unless they find damage.
        later: In how many folders content was found that was purged only after the cut.
        findings: The lines with a verdict that is not allowed, with the seed of their run.
    """

    load: Load
    verdicts: Counter[str] = field(default_factory=Counter)
    moments: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    idle: int = 0
    later: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def cuts(self) -> int:
        """How many cuts were judged."""
        return sum(self.verdicts.values())

    @property
    def is_as_promised(self) -> bool:
        """Whether the load gave what it must."""
        return bool(self.findings) if self.load.is_teeth else self.cuts >= self.load.cuts and not self.findings


def perform(program: Path, load: Load, seed: int) -> list[list[str]]:
    """Run a store with its cuts, look at what they left, and return the words of each cut."""
    with tempfile.TemporaryDirectory(prefix="recollect-power-", dir=faults.working_folder()) as place:
        folder = Path(place)
        old = faults.OLD_STORE if seed % 3 == 0 else "new"
        rounds = 1 + seed % MOST_ROUNDS
        said = faults.run(program, "run", folder, seed, rounds, CUTS_PER_RUN, load.durability, load.disk, old)
        lines = [words for words in said if words[0] != "changes"]
        lines += faults.run(program, "verify", folder, "normal" if load.durability == "normal" else "full")
        if not load.is_teeth:
            for words in lines:
                if words[0] == "cut" and words[7] not in load.allowed:
                    faults.keep(folder / f"cut-{words[1]}", f"power-{load.durability}-{seed}-{words[1]}")
        return lines


def command_of(load: Load, seed: int) -> str:
    """What to run again; `verify FOLDER` with the same durability follows it."""
    old = faults.OLD_STORE if seed % 3 == 0 else "new"
    return f"run FOLDER {seed} {1 + seed % MOST_ROUNDS} {CUTS_PER_RUN} {load.durability} {load.disk} {old}"


def judge(program: Path, load: Load) -> Outcome:
    """Perform runs until there were enough cuts."""
    outcome = Outcome(load)
    seeds = iter(range(1, 10_000))
    with ThreadPoolExecutor(WORKERS) as pool:
        while outcome.cuts < load.cuts:
            wanted = max(1, min(WORKERS, (load.cuts - outcome.cuts + CUTS_PER_RUN - 1) // CUTS_PER_RUN))
            batch = [next(seeds) for _ in range(wanted)]
            for seed, lines in zip(batch, pool.map(lambda seed: perform(program, load, seed), batch), strict=True):
                for words in lines:
                    again = f"[{program} {command_of(load, seed)}]"
                    match words:
                        case ["later", count]:
                            outcome.later += int(count)
                        case ["cut", _, operation, file, step, done, _, verdict, *_]:
                            if done == "-1" and verdict in load.allowed:
                                outcome.idle += 1
                            else:
                                outcome.verdicts[verdict] += 1
                                outcome.moments[f"{operation}:{file}"] += 1
                                outcome.steps[step] += 1
                            if verdict not in load.allowed:
                                outcome.findings.append(f"seed {seed}: {' '.join(words)} {again}")
                        case _:
                            outcome.findings.append(f"seed {seed}: {' '.join(words)} {again}")
    return outcome


def show(outcome: Outcome) -> None:
    """Print one row of the table, and the first findings beneath it."""
    load = outcome.load
    counts = "".join(f"{outcome.verdicts[verdict]:>9}" for verdict in VERDICTS)
    purpose = "must be found out" if load.is_teeth else "must hold"
    result = "yes" if outcome.is_as_promised else "NO"
    print(f"{load.durability:<12}{load.disk:<8}{outcome.cuts:>6}{counts}  {purpose:<18}{result}", flush=True)
    if not load.is_teeth:
        for finding in outcome.findings[:3]:
            print(f"    {finding[:500]}", flush=True)


def main() -> int:
    """Run every load, write `build/prove/power.json`, and return the exit status."""
    program = faults.build()["power"]
    print(f"{'durability':<12}{'disk':<8}{'cuts':>6}{''.join(f'{verdict:>9}' for verdict in VERDICTS)}", flush=True)
    outcomes = []
    for load in LOADS:
        outcome = judge(program, load)
        show(outcome)
        outcomes.append(outcome)
    full, normal, off, lying, refusing = outcomes
    behind = normal.verdicts["behind"]
    print(f"normal judged as full: {behind} of {normal.cuts} cuts lost acknowledged writes (must be found out)")
    later = full.later + normal.later
    print(f"purged after the cut: found in {later} of {full.cuts + normal.cuts} folders (must be found out)")
    moments, steps = full.moments + normal.moments, full.steps + normal.steps
    left_out = [place for place in PLACES if not moments[place]] + [step for step in STEPS if not steps[step]]
    fell = " ".join(f"{name}:{count}" for name, count in (moments + steps).most_common())
    print(f"cuts fell on {fell}; on none of: {' '.join(left_out) or '-'} (at full scale each must be cut)")
    is_covered = not left_out or SCALE < 1
    is_ok = all(outcome.is_as_promised for outcome in outcomes) and behind > 0 and later > 0 and is_covered
    report = {
        "ok": is_ok,
        "scale": SCALE,
        "loads": [
            {
                "durability": outcome.load.durability,
                "disk": outcome.load.disk,
                "must_be_found_out": outcome.load.is_teeth,
                "as_promised": outcome.is_as_promised,
                "verdicts": outcome.verdicts,
                "moments": outcome.moments,
                "steps": outcome.steps,
                "idle": outcome.idle,
                "purged_later_found": outcome.later,
                "findings": outcome.findings[:20],
            }
            for outcome in outcomes
        ],
    }
    (faults.RESULTS / "power.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    counts = (
        f"full {full.verdicts['sound']} of {full.cuts} cuts without loss, normal {normal.cuts - len(normal.findings)} "
        f"of {normal.cuts} a prefix of history; teeth: off {len(off.findings)} of {off.cuts}, lying disk "
        f"{len(lying.findings)} of {lying.cuts}, refused updates {len(refusing.findings)} of {refusing.cuts}, "
        f"normal as full {behind} of {normal.cuts} found out"
    )
    print(f"power: {'ok' if is_ok else 'short'} {counts}")
    return 0 if is_ok else 1


if __name__ == "__main__":
    sys.exit(main())
