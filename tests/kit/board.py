"""A board on which processes post what was acknowledged to them, for all others to read.

It is a file that is only appended to, with records of one length, so that a record is there as a whole or not at all.
Whoever reads it and asks the store afterwards must find at least what was posted.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

from tests.kit.items import Label

_RECORD_BYTES = 96


class Posted(NamedTuple):
    """What was acknowledged about one item.

    Attributes:
        id: The item.
        version: Its version; 0 where it was deleted, which is for good.
        label: What its content is made from.
    """

    id: str
    version: int
    label: Label


class Board:
    """The board in that file, which is made where there is none."""

    def __init__(self, path: str | Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)

    def post(self, posted: Posted) -> None:
        """Adds a record."""
        line = f"{posted.id} {posted.version} {posted.label.tag} {posted.label.number}"
        record = line.ljust(_RECORD_BYTES - 1).encode() + b"\n"
        assert len(record) == _RECORD_BYTES
        os.write(self._descriptor, record)

    def latest(self, count: int) -> list[Posted]:
        """The last so many records, oldest first. Items may be among them several times."""
        records = os.fstat(self._descriptor).st_size // _RECORD_BYTES
        first = max(0, records - count)
        return list(self._read(first, records - first))

    def all(self) -> list[Posted]:
        """Every record, oldest first."""
        return list(self._read(0, os.fstat(self._descriptor).st_size // _RECORD_BYTES))

    def _read(self, first: int, count: int) -> Iterator[Posted]:
        content = os.pread(self._descriptor, count * _RECORD_BYTES, first * _RECORD_BYTES).decode()
        for place in range(0, len(content), _RECORD_BYTES):
            id, version, tag, number = content[place : place + _RECORD_BYTES].split()
            yield Posted(id, int(version), Label(tag, int(number)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)
