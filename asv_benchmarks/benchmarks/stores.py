"""Stores to measure with, on the disk of the temporary folder."""

import tempfile
from pathlib import Path
from typing import Any, Self

import recollect

DIMENSION = 256


class Folder:
    """A folder that holds one store after the other."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="recollect-bench-")
        self._count = 0

    def path(self) -> Path:
        """A path that is not taken."""
        self._count += 1
        return Path(self._folder.name) / f"{self._count}.db"

    def open(self, **options: Any) -> recollect.Store:
        """A new store."""
        return recollect.open(self.path(), **options)

    def cleanup(self) -> None:
        """Removes everything."""
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cleanup()


def external() -> recollect.ExternalVectors:
    """The space of vectors that the benchmark brings."""
    return recollect.ExternalVectors("benchmark", DIMENSION)
