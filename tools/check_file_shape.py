"""Checks the length of source files, and that facades hold no logic.

A file holds one noun or one operation. Past 800 lines (600 for a test) it holds more, and facades that only re-export
are where such growth begins.
"""

import ast
import re
import sys
from pathlib import Path

MOST_LINES = 800
MOST_LINES_OF_A_TEST = 600
ROOTS = ("rust", "python", "tests", "tools", "examples", "asv_benchmarks/benchmarks")
RUST_LOGIC = re.compile(r"^\s*(?:pub(?:\([^)]*\))?\s+)?(?:const\s+|async\s+|unsafe\s+)*(?:fn|impl)\b", re.MULTILINE)

# What a compiled module runs on import has no other place than the module.
MODULE_INIT = re.compile(r"#\[pymodule_init\]\s*fn\b")


def complaint_about_length(name: str, source: str) -> str | None:
    """A sentence if the file is longer than its kind may be."""
    lines = source.count("\n")
    most = MOST_LINES_OF_A_TEST if "tests/" in name else MOST_LINES
    return f"{name}: {lines} lines, where {most} are the most: split it by noun" if lines > most else None


def complaint_about_facade(name: str, source: str) -> str | None:
    """A sentence if the file is a facade and defines something."""
    stem = Path(name).name
    # Cargo takes each file of a `tests` folder for a test of its own, so what tests share has to be in a `mod.rs`.
    if stem in {"lib.rs", "mod.rs"} and "tests/" not in name:
        has_logic = RUST_LOGIC.search(MODULE_INIT.sub("", source)) is not None
    elif stem == "__init__.py":
        definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        has_logic = any(isinstance(node, definitions) for node in ast.walk(ast.parse(source)))
    else:
        has_logic = False
    return f"{name}: a facade re-exports and holds no logic" if has_logic else None


def main() -> int:
    """Prints the complaints, and returns 1 if there are any."""
    root = Path(__file__).resolve().parent.parent
    found = 0
    for folder in ROOTS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in {".rs", ".py", ".pyi"} or "target" in path.parts:
                continue
            name = path.relative_to(root).as_posix()
            source = path.read_text(encoding="utf-8")
            for complaint in (complaint_about_length(name, source), complaint_about_facade(name, source)):
                if complaint is not None:
                    print(complaint, file=sys.stderr)
                    found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
