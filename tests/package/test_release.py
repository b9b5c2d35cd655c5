"""The source distribution holds what the build reads, and the wheel alone works in a fresh environment."""

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.package.programs import WORK as AUDITED_WORK
from tests.package.programs import audited, check_import_time

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

WORK = """
import recollect, sys
with recollect.open("memory.db") as store:
    store.rules.add("Run the tests before every commit.", tags=["git"])
    store.refs.add("https://example.org/guide", note="the recipe for apple pie")
    hits = store.search("when must tests run?", k=1).hits
assert "tests" in hits[0].snippet, hits
assert "site-packages" in recollect.__file__, recollect.__file__
print(recollect.__version__)
"""


def test_sdist_holds_all_that_the_build_reads(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"Cargo.toml", "Cargo.lock", "pyproject.toml", "README.md", "LICENSE-MIT", "LICENSE-APACHE"}
    for pattern in ("migrations/*.sql", "rust/*/Cargo.toml", "rust/*/src/**/*.rs", "python/recollect/**/*.py"):
        found = {path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern)}
        assert found, f"nothing in the repository matches {pattern}"
        needed |= found
    assert needed - held == set()
    assert {name for name in held if name.endswith((".so", ".pyc"))} == set()


def test_wheel_holds_the_package_and_no_sources_of_the_core(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = archive.namelist()
    assert "-cp311-abi3-" in wheel.name
    assert "recollect/_core.abi3.so" in held
    assert "recollect/_core.pyi" in held
    assert "recollect/py.typed" in held
    assert {name for name in held if name.endswith((".rs", ".sql"))} == set()
    assert {name.partition("/")[0] for name in held if not name.startswith("recollect-")} == {"recollect"}
    licences = {name.rpartition("/")[2] for name in held if "/licenses/" in name}
    assert {"LICENSE-MIT", "LICENSE-APACHE"} <= licences


def test_wheel_holds_nothing_of_the_file_system_that_fails_on_purpose(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        core = archive.read("recollect/_core.abi3.so")
    assert b"recollect" in core
    assert b"recollect-faults" not in core


def test_wheel_alone_works_in_a_fresh_environment(
    wheel: Path,
    fresh_environment: Callable[..., Path],
    elsewhere: Path,
) -> None:
    python = fresh_environment(wheel)
    printed = subprocess.run([python, "-I", "-c", WORK], cwd=elsewhere, check=True, capture_output=True, text=True)
    version = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]["version"]
    assert printed.stdout.split() == [version]
    command = python.with_name("recollect")
    told = subprocess.run([command, "--version"], cwd=elsewhere, check=True, capture_output=True, text=True)
    assert told.stdout.split() == ["recollect", version]

    assert audited(python, AUDITED_WORK, elsewhere / "audited.db", cwd=elsewhere) == ""
    check_import_time(python, cwd=elsewhere)


def test_python_of_this_environment_is_not_that_of_the_fresh_one(
    fresh_environment: Callable[..., Path],
    elsewhere: Path,
) -> None:
    python = fresh_environment("pip")
    assert python != Path(sys.executable)
    missing = subprocess.run([python, "-I", "-c", "import recollect"], cwd=elsewhere, check=False, capture_output=True)
    assert missing.returncode == 1
