"""Checks that `unsafe` stands only where it is reviewed and sanitised: in three places, and in one for tests alone."""

import re
import sys
from pathlib import Path

ALLOWED = ("rust/vector/src/kernels", "rust/segment/", "rust/storage/src/raw", "rust/faults/src")

# What is no code: comments, raw strings, strings, characters. Block comments of Rust nest, but `unsafe` in a nested one
# is reported rather than missed.
NO_CODE = re.compile(
    r"""//[^\n]* | /\*.*?\*/ | \bb?c?r(?P<hashes>\#*)".*?"(?P=hashes) | "(?:\\.|[^"\\])*" | '(?:\\.[^']*|[^'\\])'""",
    re.VERBOSE | re.DOTALL,
)
UNSAFE = re.compile(r"\bunsafe\b")


def unsafe_lines(source: str) -> list[int]:
    """The numbers of the lines of Rust `source`, from 1, whose code says `unsafe`."""
    code = NO_CODE.sub(lambda match: "\n" * match.group().count("\n"), source)
    return [number for number, line in enumerate(code.split("\n"), start=1) if UNSAFE.search(line)]


def main() -> int:
    """Prints each `unsafe` outside the allowed places, and returns 1 if there are any."""
    root = Path(__file__).resolve().parent.parent
    misplaced = 0
    for path in sorted(root.glob("rust/*/**/*.rs")):
        name = path.relative_to(root).as_posix()
        if name.startswith(ALLOWED):
            continue
        for number in unsafe_lines(path.read_text(encoding="utf-8")):
            print(f"{name}:{number}: unsafe is kept to {', '.join(ALLOWED)}", file=sys.stderr)
            misplaced += 1
    return 1 if misplaced else 0


if __name__ == "__main__":
    sys.exit(main())
