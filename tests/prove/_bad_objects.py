"""Objects that fail, lie or are not what they seem, for `bad_input.py` to pass."""

import math
from collections.abc import Iterator
from datetime import datetime, tzinfo
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

import numpy as np

__all__ = [
    "ArraySubclass",
    "BadEmbedder",
    "Colour",
    "FalseDict",
    "FalseInt",
    "FalseText",
    "FalseTime",
    "LateFailure",
    "Lying",
    "OddZone",
    "Raising",
    "WrongTypes",
    "describe",
    "endless",
    "nested",
    "released_view",
]


class Raising:
    """Fails whatever is asked of it."""

    def _fail(self, *_arguments: object) -> Any:
        raise ZeroDivisionError("this object fails")

    __str__ = __len__ = __iter__ = __index__ = __int__ = __float__ = __bool__ = __hash__ = __eq__ = _fail
    __getitem__ = __fspath__ = __array__ = __contains__ = __call__ = __enter__ = _fail

    def __repr__(self) -> str:
        return "Raising()"


class Lying:
    """Says of itself what is not so."""

    def __len__(self) -> int:
        return 2**62

    def __getitem__(self, place: object) -> Any:
        if isinstance(place, int) and place > 3:
            raise IndexError
        return "x"

    def __index__(self) -> Any:
        return 2**70

    def __float__(self) -> float:
        return math.nan

    def __fspath__(self) -> Any:
        return "\0"


class WrongTypes:
    """Answers every protocol with a value of the wrong type."""

    def __str__(self) -> Any:
        return 7  # noqa: PLE0307 - the wrong type is the point, here and below

    def __index__(self) -> Any:
        return "seven"  # noqa: PLE0305

    def __len__(self) -> Any:
        return -1  # noqa: PLE0303

    def __iter__(self) -> Any:
        return 7

    def __fspath__(self) -> Any:
        return 7

    def __array__(self, *_arguments: object, **_options: object) -> Any:
        return "no array"


class LateFailure:
    """Gives some values, then fails."""

    def __iter__(self) -> Iterator[Any]:
        yield "first"
        yield "second"
        raise RuntimeError("no third")


class FalseText(str):
    """A str whose methods lie about what it holds."""

    __slots__ = ()

    def __str__(self) -> str:
        return "something else"

    def __len__(self) -> int:
        return 0

    def encode(self, *_arguments: Any) -> Any:
        return b"something else"

    def strip(self, *_arguments: Any) -> str:
        return ""


class FalseInt(int):
    """An int that lies about its value."""

    def __index__(self) -> int:
        return 99

    def __int__(self) -> int:
        return 98

    def __str__(self) -> str:
        return "97"

    __repr__ = __str__


class FalseDict(dict[str, Any]):
    """A dict that lies about what it holds."""

    def items(self) -> Any:
        return [("false", 1)]

    def __iter__(self) -> Any:
        raise ValueError("not to be iterated")

    def __len__(self) -> int:
        return 0


class FalseTime(datetime):
    """A datetime whose difference to another is no difference."""

    def __sub__(self, _other: object) -> Any:
        return SimpleNamespace(days=2**62, seconds=2**62, microseconds=-(2**62))


class OddZone(tzinfo):
    """A time zone that answers what a generator of random numbers drew."""

    def __init__(self, offset: object) -> None:
        self.offset = offset

    def utcoffset(self, _when: datetime | None) -> Any:
        if isinstance(self.offset, Exception):
            raise self.offset
        return self.offset

    def dst(self, _when: datetime | None) -> Any:
        return None

    def tzname(self, _when: datetime | None) -> Any:
        return "odd"


class Colour(StrEnum):
    """A str that is an enum member."""

    RED = "public"


class ArraySubclass(np.ndarray):
    """An array that fails when it is looked at."""

    def __array_finalize__(self, _other: object) -> None:
        """Does nothing: making it works."""

    def __len__(self) -> int:
        raise RuntimeError("no length")


class BadEmbedder:
    """An embedder with wrong properties, or wrong answers."""

    def __init__(self, name: Any, dimension: Any, answer: Any) -> None:
        self.name = name
        self.dimension = dimension
        self.answer = answer

    def embed_documents(self, _texts: Any, /) -> Any:
        """Gives what it was told to, or fails."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    embed_queries = embed_documents


def released_view() -> memoryview:
    """A view of a buffer that is gone."""
    view = memoryview(bytearray(32))
    view.release()
    return view


def endless() -> dict[str, Any]:
    """Metadata that contains itself."""
    value: dict[str, Any] = {}
    value["self"] = [value]
    return value


def nested(depth: int, *, is_list: bool) -> dict[str, Any]:
    """Metadata of that many levels."""
    value: Any = 1
    for _ in range(depth - 1):
        value = [value] if is_list else {"a": value}
    return {"a": value}


def describe(value: object, width: int = 60) -> str:
    """A value in a few characters, whatever its own methods do."""
    try:
        if isinstance(value, np.ndarray):
            return f"array(shape={value.shape}, dtype={value.dtype}, strides={value.strides})"
        shown = repr(value)
    except Exception as error:  # noqa: BLE001 - hostile objects fail in every way
        shown = f"<fails to show itself: {type(error).__name__}>"
    if len(shown) > width:
        shown = f"{shown[:width]}… ({len(shown)} characters)"
    return f"{type(value).__name__} {shown}" if type(value).__module__ == __name__ else shown
