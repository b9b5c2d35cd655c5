"""Every example of the documentation runs: Python blocks of the pages, and sessions in docstrings."""

import contextlib
import doctest
import importlib
import io
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import recollect

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^(?P<indent> *)```python[^\n]*\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[int, str]]:
    """The Python blocks of the page, each with the number of its first line."""
    text = page.read_text(encoding="utf-8")
    found: list[tuple[int, str]] = []
    for match in BLOCK.finditer(text):
        code = "".join(line.removeprefix(match["indent"]) for line in match["code"].splitlines(keepends=True))
        found.append((text.count("\n", 0, match.start("code")) + 1, code))
    return found


def docstring_examples() -> Iterator[doctest.DocTest]:
    """The examples in the docstrings of the whole package."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    names = [module.name for module in pkgutil.walk_packages(recollect.__path__, "recollect.")]
    for name in ["recollect", *sorted(names)]:
        if name.endswith(("._core", ".__main__")):
            continue
        for example in finder.find(importlib.import_module(name), name):
            if example.examples:
                yield example


def run_doctest(test: doctest.DocTest) -> None:
    """Runs the session; a difference fails with both the expected and the printed."""
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    outcome = runner.run(test, out=report.write)
    assert outcome.attempted > 0
    assert outcome.failed == 0, report.getvalue()


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if blocks(page)],
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
def test_python_blocks_of_a_page_run_in_order(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for line, code in blocks(page):
        if ">>>" in code:
            run_doctest(doctest.DocTestParser().get_doctest(code, names, page.name, str(page), line))
        else:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile("\n" * (line - 1) + code, page, "exec"), names)


@pytest.mark.parametrize("example", list(docstring_examples()), ids=lambda example: example.name)
def test_docstring_example_prints_what_it_says(
    example: doctest.DocTest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    run_doctest(example)


def test_examples_are_found_at_all() -> None:
    assert any(blocks(page) for page in PAGES)
    assert list(docstring_examples())
