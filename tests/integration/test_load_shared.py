"""The example that loads rule files and a book: it works on a small folder, and says what is wrong with another."""

import gzip
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "load_shared.py"

RULES: list[Mapping[str, object]] = [
    {
        "id": "a/python.mdc",
        "description": "How functions in Python are named and annotated",
        "globs": ["**/*.py"],
        "always_apply": False,
        "text": "# Python\n\n## Names\n\nFunctions are named in lower case.\n\n## Types\n\nAnnotate parameters.",
    },
    {
        "id": "b/sql.mdc",
        "description": "How database queries and migrations are written",
        "globs": None,
        "always_apply": True,
        "text": "# SQL\n\nEvery value in a query is a bound parameter; each migration is one transaction.",
    },
]
DOCS = [{"id": "ch01.md", "title": "Getting started"}]
BLOCKS = [{"doc": "ch01.md", "text": "# Getting started"}, {"doc": "ch01.md", "text": "Install the compiler first."}]


def write(path: Path, records: Sequence[Mapping[str, object]]) -> None:
    """Writes gzipped JSON lines."""
    path.parent.mkdir(exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of data of the right form."""
    folder = tmp_path / "data"
    folder.mkdir()
    write(folder / "rules" / "rules.jsonl.gz", RULES)
    write(folder / "docs_rustbook" / "docs.jsonl.gz", DOCS)
    write(folder / "docs_rustbook" / "blocks.jsonl.gz", BLOCKS)
    return folder


def load(folder: Path, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Runs the example."""
    command = [sys.executable, str(PROGRAM), str(folder), *words]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == status, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended


def test_small_folder_is_loaded_and_its_rules_are_found(data: Path, store_path: Path) -> None:
    report = json.loads(load(data, "--json", "--store", str(store_path)).stdout)

    assert (report["rule_files"], report["docs"]) == (2, 1)
    assert report["rules"] >= 3
    assert (report["queries"], report["hits_at_10"]) == (2, 2)
    assert store_path.exists()
    assert "2 of 2 descriptions" in load(data).stdout


def test_folder_that_is_missing_or_empty_is_told(tmp_path: Path) -> None:
    for folder in (tmp_path / "none", tmp_path):
        ended = load(folder, status=2)
        assert ended.stdout == ""
        assert "rules/rules.jsonl.gz" in ended.stderr
        assert "\nhint: " in ended.stderr


@pytest.mark.parametrize("content", [b"no gzip", gzip.compress(b"{"), gzip.compress(b'{"id": "a"}\n'), b"\x1f\x8b"])
def test_file_of_another_form_is_told(data: Path, content: bytes) -> None:
    (data / "rules" / "rules.jsonl.gz").write_bytes(content)

    ended = load(data, status=2)

    assert ended.stderr.startswith("error: the data cannot be read: ")
