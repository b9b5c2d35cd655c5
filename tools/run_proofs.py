"""Lists and runs the proofs: the long programs in `tests/prove/`.

A proof is a program of its own. The first line of its docstring says what it proves, its exit status whether it did.
One that says `SCALES = True` at its top reads the factor for its work from the environment variable `SCALE` and is run,
scaled down, with the tests; the others are run only by name, and always in full.
"""

import argparse
import ast
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Proof:
    """One program of `tests/prove/`.

    Attributes:
        path: Where it is.
        summary: The first line of its docstring.
        scales: Whether it obeys `SCALE`.
    """

    path: Path
    summary: str
    scales: bool

    @property
    def name(self) -> str:
        """The name in `make prove-NAME`."""
        return self.path.stem.replace("_", "-")

    def run(self) -> bool:
        """Runs the proof with its output on the terminal; whether it succeeded."""
        started = time.monotonic()
        status = subprocess.run([sys.executable, str(self.path)], cwd=ROOT, check=False).returncode
        outcome = "ok" if status == 0 else f"failed with exit status {status}"
        print(f"prove-{self.name}: {outcome} in {time.monotonic() - started:.1f} s", flush=True)
        return status == 0


def read(path: Path) -> Proof:
    """Reads what the program says of itself, without running it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    summary = (ast.get_docstring(tree) or "").partition("\n")[0]
    if not summary:
        raise SystemExit(f"{path}: a proof says in its docstring what it proves")
    return Proof(path, summary, any(is_scales(node) for node in tree.body))


def is_scales(node: ast.stmt) -> bool:
    """Whether the statement is `SCALES = True`, with or without a type."""
    match node:
        case ast.Assign(targets=[ast.Name(id="SCALES")], value=ast.Constant(value=True)):
            return True
        case ast.AnnAssign(target=ast.Name(id="SCALES"), value=ast.Constant(value=True)):
            return True
        case _:
            return False


def main() -> int:
    """Obeys the command line; the exit status is 1 if a proof failed."""
    parser = argparse.ArgumentParser(description="Lists and runs the proofs.")
    parser.add_argument("verb", choices=("list", "run", "scaled"))
    parser.add_argument("name", nargs="?", help="which proof to run")
    arguments = parser.parse_args()
    proofs = [read(path) for path in sorted(ROOT.glob("tests/prove/*.py")) if not path.stem.startswith("_")]
    match arguments.verb:
        case "list":
            for proof in proofs:
                print(f"  make prove-{proof.name:<16} {proof.summary}")
            return 0
        case "scaled":
            outcomes = [proof.run() for proof in proofs if proof.scales]
            if outcomes:
                print(f"{sum(outcomes)} passed, {outcomes.count(False)} failed")
            return 0 if all(outcomes) else 1
        case _:
            for proof in proofs:
                if proof.name == arguments.name:
                    return 0 if proof.run() else 1
            known = ", ".join(proof.name for proof in proofs)
            return parser.error(f"there is no proof named {arguments.name}; there are: {known}")


if __name__ == "__main__":
    sys.exit(main())
