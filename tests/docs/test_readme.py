"""The README shows what the demo prints, but for figures that differ from run to run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def normalised(block: str) -> str:
    """The block without its figures: timings and sizes, and scores, whose last digit depends on the processor."""
    return NUMBER.sub("#", block.strip())


@pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="the demo reads the library of its Python; the README's: 3.11"
)
def test_demo_in_the_readme_is_what_the_demo_prints() -> None:
    command = [sys.executable, "-m", "recollect", "demo"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    (shown,) = re.findall(r"^```text\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)

    blocks = [normalised(block) for block in shown.split("\n\n")]

    assert len(blocks) == 3
    assert [block for block in map(normalised, printed.split("\n\n")) if block in blocks] == blocks


def test_readme_has_no_links_that_lead_nowhere_on_the_package_index() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README.read_text(encoding="utf-8"))

    assert [link for link in links if not link.startswith("https://")] == []
