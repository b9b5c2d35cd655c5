"""What every record shows in a notebook."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from recollect.records.rendering import html_pairs

__all__ = ["Record"]


class Record:
    """The base of every record, for the sake of notebooks: a table of its fields."""

    __slots__ = ()

    def _pairs(self) -> Iterator[tuple[str, object]]:
        """Names and values of the fields that say something."""
        record: Any = self
        for part in fields(record):
            value = getattr(self, part.name)
            if value is not None and value not in ("", (), {}):
                yield part.name, value

    def _repr_html_(self) -> str:
        return html_pairs(type(self).__name__, self._pairs())
