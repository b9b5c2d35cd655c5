"""The artifacts of a release, built once, and fresh environments to put them into."""

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*words: str | Path, cwd: Path) -> str:
    """What the command prints; a failure shows all of it."""
    done = subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution of the working tree."""
    folder = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "maturin", "sdist", "--out", folder, cwd=ROOT)
    (archive,) = folder.glob("recollect-*.tar.gz")
    return archive


@pytest.fixture(scope="session")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the unpacked source distribution, far from the repository."""
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (source,) = folder.glob("recollect-*/")
    # The finished dependencies, libSQL among them, are those of the ordinary build, which has the same profile. The
    # archive's times lie in the past, and Cargo would take our own crates for finished too.
    for path in source.rglob("*"):
        os.utime(path)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    run(
        *(sys.executable, "-m", "maturin", "build", "--release", "--locked"),
        *("--out", folder / "wheels", "--target-dir", target),
        cwd=source,
    )
    (built,) = (folder / "wheels").glob("recollect-*.whl")
    return built


@pytest.fixture
def fresh_environment(tmp_path: Path) -> Callable[..., Path]:
    """Makes an environment that holds what is named and nothing of this one, and gives its interpreter."""

    def make(*requirements: str | Path) -> Path:
        folder = tmp_path / "environment"
        run(sys.executable, "-m", "venv", folder, cwd=tmp_path)
        python = folder / "bin" / "python"
        run(python, "-m", "pip", "install", "--quiet", *requirements, cwd=tmp_path)
        return python

    return make


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder from which no file of the repository can be seen."""
    folder = tmp_path / "elsewhere"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder
