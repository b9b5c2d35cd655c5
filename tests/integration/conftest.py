"""The `recollect` command, run as a process of its own on a store of the test."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(store_path: Path) -> Run:
    """Runs the command on a store of the test."""

    def run(
        *words: str, status: int = 0, text: str | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"RECOLLECT_STORE": str(store_path)} | variables
        ended = subprocess.run(
            [sys.executable, "-m", "recollect", *words],
            capture_output=True,
            text=True,
            check=False,
            input=text,
            env=environment,
            timeout=60,
        )
        assert ended.returncode == status, (words, ended.stdout, ended.stderr)
        assert "Traceback" not in ended.stderr
        return ended

    return run


@pytest.fixture
def made(run: Run) -> Run:
    """The command, with the store created."""
    run("init")
    return run
