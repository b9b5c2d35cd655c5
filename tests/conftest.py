"""What every test may use: stores that vanish afterwards, and an environment without the developer's settings."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import recollect

# Timing is judged by benchmarks; a property must not fail because the machine was busy.
settings.register_profile("recollect", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("recollect")


def pytest_configure() -> None:
    """Heeds Ctrl-C even where whoever started the tests ignores it, as shells do for what runs in the background.

    Programs that the tests start inherit it.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes the settings of the developer, which would decide in place of the tests."""
    for name in list(os.environ):
        if name.startswith("RECOLLECT_"):
            monkeypatch.delenv(name)


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    """Where a store may be made; nothing is there yet."""
    return tmp_path / "memory.db"


@pytest.fixture
def store(store_path: Path) -> Iterator[recollect.Store]:
    """An empty store in a file of its own, with the built-in embedder."""
    with recollect.open(store_path) as opened:
        yield opened


@pytest.fixture
def memory_store() -> Iterator[recollect.Store]:
    """An empty store in memory, with the built-in embedder."""
    with recollect.open(":memory:") as opened:
        yield opened
