"""Prove that no argument brings recollect down: every refusal is typed, and what is accepted comes back exactly.

Calls are generated for every public method, property and class that introspection finds, of the store for asyncio too,
with a value of the right sort for each parameter
and, in most calls, a wrong one for some: types, sizes, encodings, numbers, times, arrays, objects that fail or lie.
They run in processes of their own, which write down each call before they make it, so that an abort is counted too.

What counts as a failure: a panic, an abort, a call that does not end; an exception that is no `RecollectError`, but for
the `TypeError` of Python itself where the arguments do not fit the signature; an `InternalError`; a warning of numpy;
something accepted that is read back otherwise; a refused write that left a trace; a store that is not sound afterwards.
Records are left out: they are plain dataclasses, which take what they are given.

Its teeth: faults put into the Python layer (a bare `ValueError`, a text cut at NUL, a vector rounded, an abort, a
panic, a batch whose texts are altered, a deletion that does nothing), each of which must be found. A public class
that is neither called nor on the written list of those that are not (`tests/prove/_bad_targets.py`) fails the proof.

    SCALE=1 python tests/prove/bad_input.py            SEED chooses other calls
    python tests/prove/bad_input.py --block 17         the calls of one block again, printed one by one

The last line is ``bad-input: ok ...`` (status 0) or ``bad-input: short ...`` (status 1).
"""

import argparse
import inspect
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.prove._bad_calls import BLOCK, SEED, Block  # noqa: E402
from tests.prove._bad_targets import targets, uncovered  # noqa: E402

from recollect import store as layer  # noqa: E402 - the path of the tests comes first
from recollect.store import channels, items, rules  # noqa: E402
from recollect.store import store as store_module  # noqa: E402

SCALES = True
SCALE: Final = float(os.environ.get("SCALE", "1"))
RESULTS: Final = ROOT / "build" / "prove"

CALLS: Final = 100_000
WORKERS: Final = 2
TOOTH_BLOCKS: Final = 90
HANG_SECONDS: Final = 120


class PanicException(BaseException):
    """Stands for a panic."""


def raise_bare_error() -> None:
    """A time limit below zero raises a bare `ValueError`."""
    right: Callable[[Any], Any] = getattr(items, "seconds")  # noqa: B009 - the name is imported there, not exported

    def wrong(timeout: Any) -> Any:
        if isinstance(timeout, (int, float, timedelta)) and right(timeout) < 0:
            raise ValueError("below zero")
        return right(timeout)

    setattr(items, "seconds", wrong)  # noqa: B010 - as above


def cut_at_nul() -> None:
    """The text of a rule ends at its first NUL."""
    right = layer.Rules.add

    def wrong(self: Any, text: Any, **options: Any) -> Any:
        return right(self, str.split(text, "\0")[0] if isinstance(text, str) else text, **options)

    wrong.__signature__ = inspect.signature(right)  # type: ignore[attr-defined]
    layer.Rules.add = wrong  # type: ignore[method-assign]


def alter_batches() -> None:
    """The texts of a batch of rules are kept otherwise."""
    right = layer.Rules.add_many

    def wrong(self: Any, items: Any, **options: Any) -> Any:
        if isinstance(items, (list, tuple)):
            items = [item + "!" if type(item) is str else item for item in items]
        return right(self, items, **options)

    wrong.__signature__ = inspect.signature(right)  # type: ignore[attr-defined]
    layer.Rules.add_many = wrong  # type: ignore[method-assign]


def keep_the_deleted() -> None:
    """What is deleted by filter stays."""
    right = layer.Rules.delete_many

    def wrong(self: Any, **options: Any) -> Any:
        is_dry = options.pop("dry_run", False)
        return replace(right(self, dry_run=True, **options), dry_run=is_dry)

    wrong.__signature__ = inspect.signature(right)  # type: ignore[attr-defined]
    layer.Rules.delete_many = wrong  # type: ignore[method-assign]


def round_vectors() -> None:
    """The vector of a rule is kept with half of its digits."""
    right = getattr(rules, "single_row")  # noqa: B009 - the name is imported there, not exported

    def wrong(vector: Any) -> Any:
        row = right(vector)
        return None if row is None else row.astype(np.float16).astype(np.float32)

    setattr(rules, "single_row", wrong)  # noqa: B010 - as above


def abort() -> None:
    """The process ends when the log is asked for something odd."""
    right = store_module.Store.changes

    def wrong(self: Any, since: Any = 0, **options: Any) -> Any:
        if not isinstance(since, int):
            os.abort()
        return right(self, since, **options)

    wrong.__signature__ = inspect.signature(right)  # type: ignore[attr-defined]
    store_module.Store.changes = wrong  # type: ignore[method-assign]


def panic() -> None:
    """The core panics at a channel whose name is no text."""
    right = channels.Channels.create

    def wrong(self: Any, name: Any, **options: Any) -> Any:
        if not isinstance(name, str):
            raise PanicException("called `Option::unwrap()` on a `None` value")
        return right(self, name, **options)

    wrong.__signature__ = inspect.signature(right)  # type: ignore[attr-defined]
    channels.Channels.create = wrong  # type: ignore[method-assign]


TEETH: Final[dict[str, tuple[Callable[[], None], str]]] = {
    "bare ValueError": (raise_bare_error, "untyped error: ValueError"),
    "text cut at NUL": (cut_at_nul, "text came back as"),
    "batch altered": (alter_batches, "text came back as"),
    "deletion kept": (keep_the_deleted, "is removed, and still there"),
    "vector rounded": (round_vectors, "the vector came back as"),
    "abort": (abort, "ended by signal 6"),
    "panic": (panic, "panic: PanicException"),
}


def work(first: int, last: int, step: int, journal: Path, tooth: str) -> None:
    """Runs blocks, and prints what came of each as one line of JSON; with a tooth, until it was found."""
    found = targets()
    with journal.open("r+b") as file:
        for number in range(first, last, step):
            block = Block(number, found, file.fileno())
            block.run()
            report = {
                "block": number,
                "calls": block.calls,
                "accepted": block.accepted,
                "refused": block.refused,
                "compared": block.compared,
                "findings": block.findings,
            }
            print(json.dumps(report), flush=True)
            if tooth and hits(block.findings, tooth):
                return


def hits(findings: list[str], tooth: str) -> list[str]:
    """The findings that a tooth must lead to."""
    return [finding for finding in findings if TEETH[tooth][1] in finding.partition("  in  ")[0]]


@dataclass
class Tally:
    """What all blocks came to."""

    calls: int = 0
    compared: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def enter(self, report: Mapping[str, Any]) -> None:
        """Adds one block."""
        self.calls += report["calls"]
        self.compared += report["compared"]
        self.accepted.update(report["accepted"])
        self.refused.update(report["refused"])
        self.findings += report["findings"]


def drive(tally: Tally, first: int, last: int, step: int, tooth: str) -> None:
    """Runs blocks in another process, and goes on behind the block that ended it."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "RUST_BACKTRACE": "0"}
    with tempfile.TemporaryDirectory(prefix="recollect-journal-") as folder:
        journal = Path(folder) / "journal"
        while first < last:
            journal.write_bytes(b"")
            words = ["--work", str(first), str(last), str(step), str(journal), "--tooth", tooth]
            process = subprocess.Popen(
                [sys.executable, __file__, *words],
                cwd=folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
            listener = threading.Thread(target=listen, args=(process, lines), daemon=True)
            listener.start()
            ending = ""
            while True:
                try:
                    line = lines.get(timeout=HANG_SECONDS)
                except queue.Empty:
                    ending = f"no answer for {HANG_SECONDS} s"
                    process.kill()
                    break
                if line is None:
                    break
                report = json.loads(line)
                tally.enter(report)
                first = report["block"] + step
            error = process.stderr.read() if process.stderr else ""
            status = process.wait()
            listener.join(10)
            if status == 0:
                return
            ending = ending or (f"ended by signal {-status}" if status < 0 else f"ended with status {status}")
            said = journal.read_text(errors="replace").strip()
            tally.findings.append(f"{ending}: {error.strip()[-300:]}  in  {said[:600]}")
            first += step
            if tooth:
                return


def listen(process: subprocess.Popen[str], lines: "queue.SimpleQueue[str | None]") -> None:
    """Passes on what a process prints."""
    for line in process.stdout or ():
        lines.put(line)
    lines.put(None)


def show(tally: Tally) -> None:
    """Prints the tables, and each sort of finding once."""
    print(f"{'accepted':<28}{'calls':>8}", flush=True)
    for label, count in sorted(tally.accepted.items()):
        print(f"{label:<28}{count:>8,}")
    print(f"{'refused with':<28}{'calls':>8}")
    for code, count in sorted(tally.refused.items()):
        print(f"{code:<28}{count:>8,}")
    sorts: dict[str, list[str]] = {}
    for finding in tally.findings:
        what, _, where = finding.partition("  in  ")
        sorts.setdefault(f"{what[:60]} {where.partition(': ')[2].partition('(')[0]}", []).append(finding)
    for finding, *others in sorts.values():
        print(f"FOUND {finding[:700]}" + (f"  (and {len(others)} more)" if others else ""))


def bite() -> dict[str, bool]:
    """Runs blocks with each fault, and says which of them were found."""
    teeth = {}
    bitten = {name: Tally() for name in TEETH}
    biters = [threading.Thread(target=drive, args=(bitten[name], 0, TOOTH_BLOCKS, 1, name)) for name in TEETH]
    for biter in biters:
        biter.start()
    for biter in biters:
        biter.join()
    for name, own in bitten.items():
        found = hits(own.findings, name)
        teeth[name] = bool(found)
        print(f"tooth {name:<18}{'found' if found else 'NOT FOUND'}  {(found or [''])[0][:200]!r}", flush=True)
    return teeth


def main() -> int:
    """Runs the blocks and the teeth, writes ``build/prove/bad-input.json``, and returns the exit status."""
    parser = argparse.ArgumentParser(description="See the docstring.")
    parser.add_argument("--work", nargs=4)
    parser.add_argument("--tooth", default="")
    parser.add_argument("--block", type=int)
    options = parser.parse_args()
    if options.work or options.block is not None:
        if options.tooth:
            TEETH[options.tooth][0]()
        if options.work:
            first, last, step, journal = options.work
            work(int(first), int(last), int(step), Path(journal), options.tooth)
            return 0
        with tempfile.TemporaryFile() as journal:
            block = Block(options.block, targets(), journal.fileno(), is_shown=True)
            block.run()
        print("\n".join(block.findings) or "nothing was found")
        return 1 if block.findings else 0
    RESULTS.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    blocks = max(2, round(CALLS * SCALE / BLOCK))
    print(f"seed {SEED}, {blocks * BLOCK:,} calls on {len({target.label for target in targets()})} methods", flush=True)
    tally = Tally()
    drivers = [threading.Thread(target=drive, args=(tally, worker, blocks, WORKERS, "")) for worker in range(WORKERS)]
    for driver in drivers:
        driver.start()
    for driver in drivers:
        while driver.is_alive():
            driver.join(15)
            if driver.is_alive():
                print(f"  {tally.calls:,} calls, {len(tally.findings)} findings", flush=True)
    seconds = time.monotonic() - begun
    show(tally)
    teeth = bite()
    missed = uncovered()
    print("\n".join(f"neither called nor named as not to be: {name}" for name in missed), end="\n" if missed else "")
    never = {target.label for target in targets()} - tally.accepted.keys() if SCALE >= 0.5 else set()
    is_ok = not tally.findings and all(teeth.values()) and not never and not missed and tally.calls >= blocks * BLOCK
    report = {
        "ok": is_ok,
        "seed": SEED,
        "seconds": round(seconds, 1),
        "calls": tally.calls,
        "accepted": tally.accepted,
        "refused": tally.refused,
        "compared": tally.compared,
        "findings": tally.findings[:200],
        "never_accepted": sorted(never),
        "uncovered": missed,
        "teeth": teeth,
    }
    (RESULTS / "bad-input.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(
        f"bad-input: {'ok' if is_ok else 'short'} {tally.calls:,} calls in {seconds:.0f} s: "
        f"{tally.accepted.total():,} accepted ({tally.compared:,} read back), "
        f"{tally.refused.total():,} refused, {len(tally.findings)} findings, "
        f"{sum(teeth.values())} of {len(teeth)} teeth"
    )
    return 0 if is_ok else 1


if __name__ == "__main__":
    sys.exit(main())
