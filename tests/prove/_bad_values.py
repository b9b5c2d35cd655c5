"""The values that `bad_input.py` passes: by the name of a parameter what most likely does not belong there."""

import array
import ctypes
import math
import random
from collections import OrderedDict, UserDict, UserString
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any, Final

import numpy as np
from tests.prove._bad_objects import (
    ArraySubclass,
    BadEmbedder,
    Colour,
    FalseDict,
    FalseInt,
    FalseText,
    FalseTime,
    LateFailure,
    Lying,
    OddZone,
    Raising,
    WrongTypes,
    endless,
    nested,
    released_view,
)
from tests.prove._sound_values import DIMENSION, Known, a_line, a_long_text, a_text, some_items

import recollect

__all__ = ["hostile"]


_CONSTANTS: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**32, 2**63, 2**64, -(2**63) - 1, 10**400),
    *(0.0, -0.0, 1.5, math.nan, math.inf, -math.inf, 1e308, 5e-324, 1j),
    *("", " ", "\0", "a\0b", "\ud800", "a\udfffb", "\ud83d\ude00", "\n", "a\n"),
    *(b"", b"abc", b"\xff\x00", bytearray(b"x"), memoryview(b"abcd"), ...),
    *([], (), {}, set(), [None], [[]], [1], {"a": 1}, {1: 2}, ["a", None], [["a"]], range(3)),
    *(object, object(), Decimal("NaN"), Fraction(1, 3), date(2026, 1, 1), len, int),
    *(Raising(), Lying(), WrongTypes(), LateFailure(), Colour.RED),
    *(PurePosixPath("a"), UserString("abc"), UserDict({"a": 1})),
)

_HOSTILE: Final[tuple[Callable[[random.Random], Any], ...]] = (
    *[lambda chance: chance.choice(_CONSTANTS)] * 40,
    lambda _c: FalseText("kept as it is"),
    lambda _c: FalseInt(5),
    lambda _c: FalseDict(a=1),
    lambda _c: [FalseText("a"), FalseText("b")],
    lambda _c: OrderedDict(a=1),
    lambda _c: iter(["a", "b"]),
    lambda _c: (part for part in ("a", 1)),
    lambda _c: ["t"] * 100_000,
    lambda _c: {f"k{number}": number for number in range(20_000)},
    lambda _c: "x" * 3_000_000,
    lambda _c: np.str_("abc"),
    lambda _c: np.bool_(True),
    lambda _c: np.float64(3.0),
    lambda _c: np.datetime64("2026-01-01"),
    lambda _c: recollect.CancelToken(),
    lambda _c: recollect.LEAVE,
    a_long_text,
    lambda chance: a_long_text(chance) + "\0",
    a_text,
)

_HOSTILE_TEXTS: Final[tuple[Callable[[random.Random], Any], ...]] = (
    lambda chance: a_text(chance) + chance.choice(["\0", "\0 more", "\ud800", "\udfff tail"]),
    lambda chance: FalseText(a_text(chance)),
    lambda chance: chance.choice([" ", "\n", "\x01", "\x85"]) + a_line(chance),
    lambda chance: a_line(chance) + chance.choice([" ", "\n", "\x01", "\u3000"]),
    a_long_text,
)

_TEXTS: Final = frozenset(
    {
        *("text", "note", "target", "path", "title", "key", "project", "channel", "source"),
        *("name", "parent", "query", "principal", "key_prefix", "path_prefix"),
    }
)

_HOSTILE_JSON: Final[tuple[Callable[[random.Random], Any], ...]] = (
    lambda chance: nested(chance.choice([31, 32, 33, 10_000]), is_list=False),
    lambda chance: nested(chance.choice([31, 32, 33, 10_000]), is_list=True),
    lambda _c: endless(),
    lambda chance: {"a": chance.choice([math.nan, math.inf, b"", {1}, (1,), datetime.now(UTC), 1j, Raising()])},
    lambda chance: {"a": chance.choice([10**4200, -(10**4299), 10**4400, 2**1000])},
    lambda chance: {chance.choice(["\ud800", "\0", "", FalseText("k"), 1, None, b"k"]): 1},
    lambda _c: {FalseText("same"): 1, "same": 2},
    lambda chance: {"a": "x" * (65_536 - chance.choice([7, 8, 9, 10]))},
    lambda _c: {"a": FalseText("text"), "b": FalseInt(1), "c": FalseDict(x=1), "d": UserDict()},
    lambda _c: {"a": [Lying()], "b": True, "c": np.float64(1.5), "d": np.int64(2)},
    lambda _c: FalseDict(a=1, b=[2]),
    lambda _c: {"__proto__": {}, "$ref": "#", "\\u0000": "\\ud800", "NaN": "NaN"},
    lambda _c: {f"k{number}": [[]] * 50 for number in range(60)},
)

_HOSTILE_TIMES: Final[tuple[Callable[[random.Random], Any], ...]] = (
    lambda _c: datetime(2026, 1, 1),  # noqa: DTZ001 - that is the point
    lambda chance: chance.choice([datetime.min, datetime.max]),  # noqa: DTZ901 - as above
    lambda chance: datetime.min.replace(tzinfo=timezone(timedelta(minutes=chance.choice([-1439, 0, 1439])))),
    lambda chance: datetime.max.replace(tzinfo=timezone(timedelta(minutes=chance.choice([-1439, 0, 1439])))),
    lambda chance: datetime(
        2026, 1, 1, tzinfo=OddZone(chance.choice([None, 5, "x", timedelta(days=2), ZeroDivisionError(), timedelta(1)]))
    ),
    lambda _c: FalseTime(2026, 1, 1, tzinfo=UTC),
    lambda chance: chance.choice(["2026-01-01T00:00:00Z", 1767225600, 1e18, timedelta(1), date(2026, 1, 1)]),
)

_HOSTILE_VECTORS: Final[tuple[Callable[[random.Random], Any], ...]] = (
    lambda chance: np.ones(chance.choice([0, 1, 7, 9, 16, 5000]), dtype=np.float32),
    lambda chance: np.full(DIMENSION, chance.choice([0.0, -0.0, math.nan, math.inf, -math.inf]), dtype=np.float32),
    lambda chance: np.array([1.0] * (DIMENSION - 1) + [chance.choice([math.nan, math.inf, 1e300, -1e39])]),
    lambda chance: np.ones(DIMENSION).astype(chance.choice(["?", "c8", "O", "U3", "S3", "m8[s]", "M8[s]", "u1", "V4"])),
    lambda chance: np.ones(chance.choice([(), (1, 1, DIMENSION), (DIMENSION, 1), (0, DIMENSION), (2, DIMENSION)])),
    lambda _c: np.zeros(DIMENSION, dtype=[("a", "f4"), ("b", "i4")]),
    lambda _c: np.broadcast_to(np.float32(1), (DIMENSION,)),
    lambda _c: np.broadcast_to(np.float32(1), (3, DIMENSION)),
    lambda _c: np.lib.stride_tricks.as_strided(np.ones(64, dtype=np.float32), (DIMENSION,), (-0,)),
    lambda _c: np.ma.masked_array(np.ones(DIMENSION), mask=[True] + [False] * (DIMENSION - 1)),
    lambda _c: np.ones((1, DIMENSION)).view(ArraySubclass),
    lambda _c: np.matrix(np.ones((1, DIMENSION))),
    lambda _c: np.frombuffer(bytearray(4 * DIMENSION + 1), dtype="<f4", count=DIMENSION, offset=1) + 1,
    lambda _c: np.frombuffer(b"\x01" * (4 * DIMENSION + 1), dtype="<f4", count=DIMENSION, offset=1),
    lambda _c: [1.0] * (DIMENSION - 1) + ["x"],
    lambda _c: [[1.0] * DIMENSION, [1.0] * (DIMENSION - 1)],
    lambda _c: [10**400] * DIMENSION,
    lambda _c: [True] * DIMENSION,
    lambda _c: [None] * DIMENSION,
    lambda _c: [Decimal(1)] * DIMENSION,
    lambda _c: [Raising()] * DIMENSION,
    lambda _c: (ctypes.c_float * DIMENSION)(*([1.0] * DIMENSION)),
    lambda _c: (ctypes.c_double * DIMENSION)(*([1.0] * DIMENSION)),
    lambda _c: array.array("d", [1.0] * DIMENSION),
    lambda _c: array.array("i", [1] * DIMENSION),
    lambda _c: memoryview(bytes(range(4 * DIMENSION))).cast("f"),
    lambda _c: memoryview(bytes(range(8 * DIMENSION)))[::2],
    lambda _c: released_view(),
    lambda chance: bytes(chance.choice([0, 1, 31, 32, 33])),
    lambda _c: range(DIMENSION),
)

_HOSTILE_EMBEDDERS: Final[tuple[Callable[[random.Random], Any], ...]] = (
    lambda chance: BadEmbedder(chance.choice(["ok", "", "\0", 7, None, "\ud800", "n" * 129]), DIMENSION, None),
    lambda chance: BadEmbedder("ok", chance.choice([0, 1, -1, 2**40, 2**70, "8", None, 4097, True, 8.0]), None),
    lambda _c: BadEmbedder,
    lambda chance: recollect.ExternalVectors("ok", chance.choice([0, 1, -1, 2**70, "8", None, 4097, True])),  # type: ignore[arg-type]
    lambda chance: recollect.ExternalVectors(chance.choice(["", "\0", 7, None, "\ud800", "n" * 129]), DIMENSION),  # type: ignore[arg-type]
)


def hostile(name: str, chance: random.Random, known: Known) -> Any:
    """A value that most likely does not belong into a parameter."""
    pools = [_HOSTILE]
    if name in _TEXTS:
        pools += [_HOSTILE_TEXTS] * 2
    if name == "metadata":
        pools += [_HOSTILE_JSON] * 3
    if name in {"valid_from", "valid_until", "expires_at", "checked_at"}:
        pools += [_HOSTILE_TIMES] * 3
    if name in {"vector", "vectors", "chunks"}:
        pools += [_HOSTILE_VECTORS] * 3
    if name == "embedder":
        pools += [_HOSTILE_EMBEDDERS] * 3
    if name == "items" and chance.random() < 0.5:
        return [*some_items(chance), chance.choice(_HOSTILE)(chance)]
    if name == "timeout" and chance.random() < 0.5:
        return chance.choice(
            [-1, -0.1, math.nan, -math.inf, timedelta(seconds=-1), timedelta.min, "1", True, 0, 10**400]
        )
    if name == "path" and chance.random() < 0.3:
        return chance.choice([known.folder, str(known.folder / "garbage"), known.folder / "garbage", ""])
    return chance.choice(chance.choice(pools))(chance)
