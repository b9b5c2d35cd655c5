"""Prove that a store under any sequence of calls, restarts, kills and two processes equals a plain-Python model of it.

Hypothesis draws sequences of about thirty steps over every verb; after each step the store must have answered what the
model answers, and the other handle of the same file must see it: numbers, change log, order of lists, ranking bit for
bit. At the end of a sequence everything that can be read is compared. Most stores are in memory; the others are files
that two handles share, one of them or both in processes of their own that are closed, reopened and killed.

Its teeth: a model that forgets that a deleted item frees its key, a store that drops a tag, and one that ranks equal
scores in the wrong order, a second process that answers from an older copy, and a file that is as it was before the
last step when both processes were killed; each must be found. At full scale, every public method must
have been compared at least once, or stand on the written list of those that are not.

    SCALE=1 python tests/prove/model.py

The last line is ``model: ok ...`` (status 0) or ``model: short ...`` (status 1). SEED chooses other sequences;
SHRINK=1 makes a failing one as short as it can be, which takes minutes.
"""

import json
import math
import os
import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Final

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from hypothesis import HealthCheck, Phase, seed, settings  # noqa: E402 - the path of the tests comes first
from hypothesis.reporting import with_reporter  # noqa: E402
from hypothesis.stateful import run_state_machine_as_test  # noqa: E402
from tests.kit.model_handles import Call, Connection, Worker  # noqa: E402
from tests.kit.model_machine import ModelMachine, Place  # noqa: E402
from tests.prove._bad_targets import targets  # noqa: E402

SCALES = True
SCALE: Final = float(os.environ.get("SCALE", "1"))
SEED: Final = int(os.environ.get("SEED", "20260101"))
SHRINKS: Final = bool(os.environ.get("SHRINK"))
RESULTS: Final = ROOT / "build" / "prove"

SEQUENCES: Final = 5_000
STEPS: Final = 30
PARTS: Final = 2
# Files cost several times what memory does: they are opened, synced and killed.
SHARES: Final[dict[Place, float]] = {"memory": 0.6, "shared": 0.24, "crash": 0.16}
# Hypothesis remembers what it drew; a run of its own now and then keeps that small, and tells how far the proof is.
RUN: Final = 50
TOOTH_SEQUENCES: Final = 400
MOST_SHOWN_STEPS: Final = 40
PATIENCE_SECONDS: Final = 3_600


class ForgetsFreedKeys(ModelMachine):
    """Compares with a model that does not know that deleting an item frees its key."""

    frees_keys = False


class Proxy:
    """A store that is not quite one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def call(self, path: str, /, *arguments: Any, **options: Any) -> Any:
        """Calls the store."""
        return self._connection.call(path, *arguments, **options)

    def calls(self, asked: Sequence[Call]) -> list[Any]:
        """Calls the store several times."""
        return self._connection.calls(asked)

    def close(self) -> None:
        """Closes the store."""
        self._connection.close()


class DroppingProxy(Proxy):
    """Loses the last tag of an item that is added alone with two or more."""

    def call(self, path: str, /, *arguments: Any, **options: Any) -> Any:
        """Calls the store with fewer tags."""
        if path.endswith(".add") and len(options.get("tags", ())) > 1:
            options["tags"] = options["tags"][:-1]
        return super().call(path, *arguments, **options)


class RankingProxy(Proxy):
    """Turns the first two hits around if they have equal scores."""

    def call(self, path: str, /, *arguments: Any, **options: Any) -> Any:
        """Calls the store and changes the order of its hits."""
        found = super().call(path, *arguments, **options)
        if path == "search" and len(getattr(found, "hits", ())) > 1 and found[0].score == found[1].score:
            return replace(found, hits=(found[1], found[0], *found[2:]))
        return found


class DropsTag(ModelMachine):
    """Uses a store that drops a tag."""

    def wrapped(self, connection: Connection) -> Connection:
        """The store with the fault."""
        return DroppingProxy(connection)


class MisplacesTies(ModelMachine):
    """Uses a store that ranks equal scores in the wrong order."""

    def wrapped(self, connection: Connection) -> Connection:
        """The store with the fault."""
        return RankingProxy(connection)


class InMemory(ModelMachine):
    """Stores in memory."""

    places: ClassVar[tuple[Place, ...]] = ("memory",)


class Shared(ModelMachine):
    """Files that this process and another one share."""

    places: ClassVar[tuple[Place, ...]] = ("shared",)


class Crash(ModelMachine):
    """Files that two other processes share, which may both be killed."""

    places: ClassVar[tuple[Place, ...]] = ("crash",)


class StaleProxy(Proxy):
    """Answers every question about numbers and log with what was true one question before."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._before: dict[str, list[Any]] = {}

    def calls(self, asked: Sequence[Call]) -> list[Any]:
        """Calls the store, and keeps the answers for the next time."""
        answers = super().calls(asked)
        before = self._before.get(repr(len(asked)), answers)
        self._before[repr(len(asked))] = answers
        return before


class SeesOldCopy(Shared):
    """Shares a file with another process, which answers from an older copy."""

    def wrapped(self, connection: Connection) -> Connection:
        """The store with the fault, where it is in another process."""
        return StaleProxy(connection) if isinstance(connection, Worker) else connection


class LosesLastCommit(Crash):
    """Finds, after both processes were killed, the file as it was before the last step."""

    def _step(self, side: int, path: str, /, *arguments: Any, **options: Any) -> Any:
        self.files = self._content()
        return super()._step(side, path, *arguments, **options)

    def _content(self) -> dict[Path, bytes]:
        places = [Path(f"{self.location}{ending}") for ending in ("", "-wal")]
        return {place: place.read_bytes() for place in places if place.exists()}

    def killed(self, *, both: bool) -> None:
        """Puts the files back."""
        if both and hasattr(self, "files"):
            for ending in ("", "-wal", "-shm"):
                Path(f"{self.location}{ending}").unlink(missing_ok=True)
            for place, content in self.files.items():
                place.write_bytes(content)


MACHINES: Final[dict[Place, type[ModelMachine]]] = {"memory": InMemory, "shared": Shared, "crash": Crash}
TEETH: Final = (ForgetsFreedKeys, DropsTag, MisplacesTies, SeesOldCopy, LosesLastCommit)

NOT_COMPARED: Final[dict[str, str]] = {
    "closed": "tells of the handle, not of what is stored",
    "default_project": "as closed",
    "embeds": "as closed",
    "path": "as closed",
    "read_only": "as closed; no handle of the machine is opened for reading alone",
    "schema_version": "a constant",
    "tiers": "a constant",
    "uuid": "drawn when the store is made",
    "docs.split": "the model asks the store's own splitter",
    "rules.split_sections": "reads nothing of the store",
}
"""Public methods and properties that the machine does not compare, and why."""


def run(machine: type[ModelMachine], count: int, number: int, *, shrinks: bool = False) -> str | None:
    """Runs sequences; returns the failing one, shortly, or None."""
    phases = [Phase.generate, Phase.shrink] if shrinks else [Phase.generate]
    chosen = settings(
        max_examples=count,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=phases,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    lines: list[str] = []
    try:
        with with_reporter(lambda text: lines.append(str(text))):
            run_state_machine_as_test(seed(SEED + number)(machine), settings=chosen)
    except Exception as error:  # noqa: BLE001 - whatever a sequence ended with is what is to be shown
        notes = [line for note in getattr(error, "__notes__", ()) for line in note.splitlines()]
        steps = [line for line in (*lines, *notes) if line.startswith("state.")]
        return "\n".join([f"{type(error).__name__}: {error}", *(f"    {step}" for step in steps[-MOST_SHOWN_STEPS:])])
    return None


def work(part: int) -> int:
    """Runs one part of the sequences and prints what came of it, one JSON object a line."""
    left = {place: max(1, math.ceil(SEQUENCES * SCALE * share / PARTS)) for place, share in SHARES.items()}
    number = 0
    # The places take turns, so that each is met early. A run may make fewer sequences than it is asked for.
    while any(left.values()):
        for place in [place for place, count in left.items() if count]:
            before = ModelMachine.sequences
            failure = run(MACHINES[place], min(left[place], RUN), part * 10_000 + number, shrinks=SHRINKS)
            outcomes = [[*key, times] for key, times in ModelMachine.outcomes.items()]
            ModelMachine.outcomes.clear()
            done = ModelMachine.sequences - before
            print(json.dumps({"place": place, "done": done, "outcomes": outcomes, "failure": failure}), flush=True)
            if failure:
                return 1
            left[place] = max(0, left[place] - done)
            number += 1
    return 0


def start(part: int) -> subprocess.Popen[str]:
    """Starts one part as a process."""
    command = [sys.executable, str(Path(__file__).resolve()), "--part", str(part)]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def bite(machine: type[ModelMachine]) -> tuple[bool, str]:
    """Whether a fault is found, and in which sequence."""
    failure = run(machine, TOOTH_SEQUENCES, 1)
    return bool(failure and failure.startswith("Difference")), failure or "not found"


def gather(parts: list[subprocess.Popen[str]], begun: float) -> tuple[Counter[str], Counter[str], list[str]]:
    """Collects what the parts print: sequences by place, outcomes, failures."""
    done: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    told: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def listen(part: subprocess.Popen[str]) -> None:
        for line in part.stdout or ():
            told.put(line)
        told.put(None)

    for part in parts:
        threading.Thread(target=listen, args=(part,), daemon=True).start()
    left, shown = len(parts), begun
    while left and time.monotonic() - begun < PATIENCE_SECONDS:
        try:
            line = told.get(timeout=5)
        except queue.Empty:
            continue
        if line is None:
            left -= 1
            continue
        report = json.loads(line)
        done[report["place"]] += report["done"]
        outcomes.update({f"{verb} {code}": times for verb, code, times in report["outcomes"]})
        failures += [f"{report['place']}: {report['failure']}"] if report["failure"] else []
        if time.monotonic() - shown > 15:
            shown = time.monotonic()
            print(f"  {done.total():,} sequences, {outcomes.total():,} steps in {shown - begun:.0f} s", flush=True)
    if left:
        for part in parts:
            part.kill()
    failures += [f"a part ended with status {part.returncode}" for part in parts if part.wait() not in (0, 1)]
    return done, outcomes, failures


def main() -> int:
    """Runs the parts and the teeth, writes ``build/prove/model.json``, and returns the exit status."""
    if sys.argv[1:2] == ["--part"]:
        try:
            return work(int(sys.argv[2]))
        finally:
            ModelMachine.end_workers()
    RESULTS.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    print(f"seed {SEED}, {SEQUENCES * SCALE:,.0f} sequences of {STEPS} steps", flush=True)
    parts = [start(part) for part in range(PARTS)]
    done, outcomes, failures = gather(parts, begun)
    seconds = time.monotonic() - begun
    print(f"{'verb':<24}{'ok':>9}{'refused':>9}  refused with", flush=True)
    verbs = sorted({key.rpartition(" ")[0] for key in outcomes})
    for verb in verbs:
        codes = {key.rpartition(" ")[2]: times for key, times in outcomes.items() if key.rpartition(" ")[0] == verb}
        good = codes.pop("ok", 0)
        print(f"{verb:<24}{good:>9,}{sum(codes.values()):>9,}  {', '.join(sorted(codes))}", flush=True)
    for failure in failures:
        print(f"not equal to the model, in {failure}", flush=True)
    teeth = {}
    for machine in TEETH:
        is_found, example = bite(machine)
        teeth[machine.__name__] = is_found
        print(f"tooth {machine.__name__:<20}{'found' if is_found else 'NOT FOUND'}", flush=True)
        print("\n".join(f"    {line[:150]}" for line in example.splitlines()[:9]), flush=True)
    ModelMachine.end_workers()
    public = {target.name for target in targets() if target.owner != "" and not target.is_async}
    missed = {name for name in public - NOT_COMPARED.keys() if not outcomes[f"{name} ok"]} if SCALE >= 1 else set()
    missed |= NOT_COMPARED.keys() - public
    if missed:
        print(f"public, and never compared: {', '.join(sorted(missed))}", flush=True)
    is_ok = not failures and not missed and done.total() >= SEQUENCES * SCALE and all(teeth.values())
    report = {
        "ok": is_ok,
        "seed": SEED,
        "scale": SCALE,
        "seconds": round(seconds, 1),
        "sequences": dict(done),
        "outcomes": dict(outcomes),
        "failures": failures,
        "missed": sorted(missed),
        "teeth": teeth,
    }
    (RESULTS / "model.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(
        f"model: {'ok' if is_ok else 'short'} {done.total():,} sequences ({dict(done)}), {outcomes.total():,} steps "
        f"in {seconds:.0f} s, {len(failures)} not equal, {sum(teeth.values())} of {len(teeth)} teeth"
    )
    return 0 if is_ok else 1


if __name__ == "__main__":
    sys.exit(main())
