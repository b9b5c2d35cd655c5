"""The programs that work on a disk which fails on command: building them, running them, keeping what they found.

They are examples of the Rust engine (`rust/engine/examples/`) over the layer in `rust/faults`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "build" / "prove"
OLD_STORE = ROOT / "rust" / "storage" / "tests" / "fixtures" / "filled-0001.db"
NAMES = ("power", "io_faults")
PATIENCE_SECONDS = 1_800


class DriverFailedError(Exception):
    """A program came to no orderly end, so nothing is proven."""


def build() -> dict[str, Path]:
    """Builds the programs, and returns copies that the next build does not replace."""
    command = ["cargo", "build", "--release", "--locked", "--quiet", "-p", "recollect-engine"]
    examples = [word for name in NAMES for word in ("--example", name)]
    subprocess.run([*command, "--features", "amplifier", *examples], cwd=ROOT, check=True)
    RESULTS.mkdir(parents=True, exist_ok=True)
    built = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "release" / "examples"
    return {name: Path(shutil.copy2(built / name, RESULTS / f"{name}-driver")) for name in NAMES}


def working_folder() -> Path:
    """Where stores are made and broken: in memory, since nothing has to survive."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of the run's own is made in it
    return memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())


def run(program: Path, *arguments: object) -> list[list[str]]:
    """Runs a program to its end, and returns its lines as words.

    Raises:
        DriverFailedError: It failed, died or did not end in time.
    """
    command = [str(program), *map(str, arguments)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise DriverFailedError(f"{' '.join(command)}: no end in {PATIENCE_SECONDS} s") from error
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines()[-3:]
        raise DriverFailedError(f"{' '.join(command)}: exit status {done.returncode}: {' / '.join(said)}")
    return [words for line in done.stdout.splitlines() if (words := line.split())]


def keep(folder: Path, name: str) -> Path:
    """Copies what a run has left for people to look at, and returns where it is."""
    kept = RESULTS / name
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(folder, kept)
    return kept
