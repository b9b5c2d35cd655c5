"""The reference pages say what the program does: each command, option, variable, error and limit."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import recollect

ROOT = Path(__file__).resolve().parents[2]


def load(path: Path) -> ModuleType:
    """The program at the path, as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["errors.md", "limits.md", "command-line.md"])
def test_reference_page_equals_what_the_program_says(name: str) -> None:
    made = load(ROOT / "tools" / "write_reference.py").PAGES[name]()
    written = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert made == written, "run `python tools/write_reference.py`"


def test_every_public_name_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8").split()
    missing = [name for name in recollect.__all__ if name != "__version__" and f"recollect.{name}" not in page]
    assert missing == []
