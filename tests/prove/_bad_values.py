"""The values that `bad_input.py` passes: by the name of a parameter what belongs there, and what does not.

Everything is drawn from one generator of random numbers, so that a seed gives the same calls again.
"""

import array
import ctypes
import math
import random
from collections import OrderedDict, UserDict, UserList, UserString
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any, Final

import numpy as np

import recollect

__all__ = ["DIMENSION", "Known", "describe", "hostile", "sound"]

DIMENSION: Final = 8
_CREATED_BY_US: Final = "01890a5d-ac96-774b-bcce-b302099a8057"


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


@dataclass
class Known:
    """What the store is known to hold, so that calls can mean it."""

    ids: list[str] = field(default_factory=list)
    chunks: list[int] = field(default_factory=list)
    cursors: list[str] = field(default_factory=list)
    folder: Path = Path()


_ODD_CHARACTERS: Final = "\ufeff\u2028\u202e\u0301\x85\x7f\u200d\ufffe\U0010ffff\ue000𝄞👩‍👩‍👧字éßİ\t\n\r  '\"\\%_*;-/"
_WORDS: Final = (
    *("alpha", "beta", "gamma", "never", "always", "commit", "secret", "path.py"),
    *("DROP", "TABLE", "items", "--", "x'", "OR", "'1'='1"),
)


def _text(chance: random.Random, most: int = 12) -> str:
    """A text that can be kept, plain or outlandish."""
    if chance.random() < 0.5:
        return " ".join(chance.choice(_WORDS) for _ in range(chance.randint(1, 6))) + f" {chance.randint(0, 999)}"
    odd = "".join(chance.choice(_ODD_CHARACTERS) for _ in range(chance.randint(0, most)))
    return f"{odd}{chance.choice(_WORDS)}{odd[::-1]}"


def _line(chance: random.Random) -> str:
    return chance.choice(
        ["a", "b", "key/é", "字", "Ünïcödé", "a b", "x" * 128, "\u202eabc", "a\u0301", "-", "%", "👩‍👩‍👧"]
    )


def _long(chance: random.Random) -> str:
    """A text about as long as some limit allows, in bytes."""
    limit = chance.choice([128, 512, 1024, 4096, 65_536])
    character = chance.choice(["x", "é", "字", "𝄞"])
    count = (limit + chance.choice([-1, 0, 1, 4])) // len(character.encode())
    return character * max(count, 1)


def _time(chance: random.Random) -> datetime:
    zone: tzinfo = timezone(timedelta(minutes=chance.randint(-1439, 1439)))
    if chance.random() < 0.3:
        zone = OddZone(timedelta(seconds=chance.randint(-86_399, 86_399)))
    year = chance.choice([2, 1969, 1970, 2026, 9998])
    return datetime(year, 1 + chance.randrange(12), 1, 2, 3, 4, chance.randrange(10**6), tzinfo=zone, fold=1)


def _json(chance: random.Random, depth: int = 0) -> Any:
    if depth < 3 and chance.random() < 0.4:
        count = chance.randint(0, 3)
        if chance.random() < 0.5:
            return [_json(chance, depth + 1) for _ in range(count)]
        return {_text(chance, 3): _json(chance, depth + 1) for _ in range(count)}
    numbers = [0, -1, 2**53 + 1, 2**63, -(2**64), 10**300, 0.1, -0.0, 1e308, 5e-324, 1.0, 1e16, 123456789.123456789]
    return chance.choice([None, True, False, _text(chance), "", *numbers])


def _array(chance: random.Random, shape: tuple[int, ...]) -> Any:
    """An array of some type and layout; most can be read as vectors."""
    values = np.array([chance.uniform(-2, 2) for _ in range(math.prod(shape))]).reshape(shape)
    dtype = chance.choice(["f4", "f4", "f4", "f8", ">f4", "f2", "i4", "u2", ">i8", "g", "i1"])
    made = (values * 50).astype(dtype) + np.ones(shape).astype(dtype)
    layout = chance.randrange(8)
    if layout == 0:
        made = np.asfortranarray(made)
    elif layout == 1:
        made = np.repeat(made, 2, axis=-1)[..., ::2]
    elif layout == 2:
        made = made[..., ::-1]
    elif layout == 3:
        made.flags.writeable = False
    elif layout == 4:
        return made.tolist()
    elif layout == 5 and len(shape) == 1:
        return array.array("f", [float(value) for value in made])
    elif layout == 6 and len(shape) == 1:
        return made.astype("<f4").tobytes()
    return made


def _vector(chance: random.Random) -> Any:
    if chance.random() < 0.1:
        tiny = chance.choice([1e-45, 1e-38, 3.4e38, -1e-44])
        return np.full(DIMENSION, tiny, dtype=np.float32)
    return _array(chance, (DIMENSION,))


def _some(chance: random.Random, known: list[Any], otherwise: Any) -> Any:
    return chance.choice(known) if known and chance.random() < 0.9 else otherwise


def _items(chance: random.Random) -> Any:
    names = ("text", "key", "project", "tags", "metadata", "priority", "source")
    drafts: list[Any] = []
    for _ in range(chance.randint(0, 3)):
        if chance.random() < 0.3:
            drafts.append(_text(chance))
        else:
            picked = {"text", *chance.sample(names, 2)}
            drafts.append({name: SOUND[name](chance, Known()) for name in sorted(picked)})
    return chance.choice([drafts, tuple(drafts), iter(drafts)])


def _refs(chance: random.Random) -> Any:
    names = ("note", "key", "project", "tags", "metadata", "priority", "applies_to")
    drafts = [
        {name: SOUND[name](chance, Known()) for name in ("target", *chance.sample(names, 2))}
        for _ in range(chance.randint(0, 3))
    ]
    return chance.choice([drafts, tuple(drafts), iter(drafts)])


def _path(chance: random.Random, known: Known) -> Any:
    name = chance.choice(
        ["a.db", "b c.db", "é字.db", "deep/er/a.db", "UPPER.DB", "-", "%20?x=1&mode=ro#frag", "'q'.db"]
    )
    return chance.choice([":memory:", str(known.folder / name), known.folder / name])


Sound = Callable[[random.Random, Known], Any]


def _one(*values: Any) -> Sound:
    return lambda chance, _known: chance.choice(values)


def _optional(make: Callable[[random.Random], Any]) -> Sound:
    return lambda chance, _known: None if chance.random() < 0.2 else make(chance)


def _plain(make: Callable[[random.Random], Any]) -> Sound:
    return lambda chance, _known: make(chance)


def _tags(chance: random.Random) -> Any:
    tags = [_line(chance) for _ in range(chance.randint(0, 4))]
    return chance.choice([tags, tuple(tags), frozenset(tags), set(tags), iter(tags), UserList(tags)])


SOUND: Final[dict[str, Sound]] = {
    "text": _plain(_text),
    "texts": _plain(lambda chance: [_text(chance) for _ in range(chance.randint(0, 3))]),
    "note": _plain(_text),
    "target": _one("a.py", "src/b.rs:10-20", "https://a.b/c?d=é", "commit:1a2b3c4", "owner/name#12", "字.md"),
    "target_kind": _one(None, None, None, None, "file", "url"),
    "applies_to": _one([], ["*.py"], ["src/**/*.{ts,tsx}", "docs/[a-c]*.md"], ("a?b",)),
    "modes": _one([], ["edit"], ("review", "edit", "edit")),
    "always_on": _one(True, False),
    "checked_at": _optional(_time),
    "state": _one(None, "unchecked", "fresh", "stale", "broken"),
    "path": _one(None, "docs/a.md", "b.txt", "é/字.md"),
    "title": _one(None, "Title", "字 é"),
    "media_type": _one("text/markdown", "text/plain"),
    "key": _optional(_line),
    "project": _one(None, "", "p", "p/q", "acme/web.site_1-x", "字/é"),
    "tags": _plain(_tags),
    "metadata": _optional(lambda chance: {_text(chance, 3): _json(chance) for _ in range(chance.randint(0, 3))}),
    "channel": _one(None, None, "room"),
    "tier": _one(None, "public", "internal", "confidential", "restricted", Colour.RED),
    "priority": _one(0, 1, -1000, 1000, np.int64(7), np.int8(-3)),
    "source": _optional(_line),
    "trust": _one(None, "trusted", "unverified", "untrusted"),
    "valid_from": _one(None, datetime(2020, 1, 1, tzinfo=UTC), datetime(3, 1, 1, tzinfo=UTC)),
    "valid_until": _one(None, datetime(9990, 1, 1, tzinfo=UTC)),
    "expires_at": _optional(_time),
    "vector": _plain(_vector),
    "vectors": _plain(lambda chance: _array(chance, (1, DIMENSION))),
    "timeout": _one(None, 5, 2.5, timedelta(seconds=9), timedelta.max, math.inf, 1e300),
    "cancel": _one(None, recollect.CancelToken()),
    "id": lambda chance, known: _some(chance, known.ids, _CREATED_BY_US),
    "ids": lambda chance, known: [_some(chance, known.ids, _CREATED_BY_US) for _ in range(chance.randint(0, 3))],
    "to": _one(1, 2),
    "version": _one(None, None, 1, 2),
    "items": _plain(_items),
    "refs": _plain(_refs),
    "threads": _one(None, 1, 4, 64),
    "order": _one("created", "updated", "priority", "key"),
    "descending": _one(True, False),
    "limit": _one(1, 2, 100, 10_000),
    "cursor": lambda chance, known: _some(chance, known.cursors, None),
    "since": _one(0, 1, 10, 2**63 - 1),
    "query": _plain(_text),
    "kinds": _one([], ["rule"], ("doc", "ref")),
    "k": _one(1, 10, 10_000),
    "chunks": lambda chance, known: [_some(chance, known.chunks, 1)],
    "name": _one("room", "hall", "p", "字"),
    "parent": _one("", "p", "acme"),
    "recursive": _one(True, False),
    "expected": _one(None, 0, 1),
    "dry_run": _one(True, False),
    "repair": _one(True, False),
    "read_only": _one(True, False, False),
    "create": _one(True, True, False),
    "sweep": _one(True, False),
    "embedder": _one(None, "auto", recollect.ExternalVectors("mine", DIMENSION)),
    "durability": _one("full", "normal"),
    "readers": _one(1, 8),
    "principal": _one("owner", "字 é"),
    "dimension": _one(DIMENSION, 2, 4096),
    "revision": _one("", "1"),
    "key_prefix": _one(None, "", "a"),
    "path_prefix": _one(None, "", "a", "%"),
    "deleted": _one(True, False),
}
"""What belongs into a parameter, by its name."""


def sound(name: str, chance: random.Random, known: Known, *, of_open: bool = False) -> Any:
    """A value that belongs into a parameter."""
    if of_open and name == "path":
        return _path(chance, known)
    return SOUND[name](chance, known)


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
    _long,
    lambda chance: _long(chance) + "\0",
    _text,
)

_HOSTILE_TEXTS: Final[tuple[Callable[[random.Random], Any], ...]] = (
    lambda chance: _text(chance) + chance.choice(["\0", "\0 more", "\ud800", "\udfff tail"]),
    lambda chance: FalseText(_text(chance)),
    lambda chance: chance.choice([" ", "\n", "\x01", "\x85"]) + _line(chance),
    lambda chance: _line(chance) + chance.choice([" ", "\n", "\x01", "\u3000"]),
    _long,
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
        return [*_items(chance), chance.choice(_HOSTILE)(chance)]
    if name == "timeout" and chance.random() < 0.5:
        return chance.choice(
            [-1, -0.1, math.nan, -math.inf, timedelta(seconds=-1), timedelta.min, "1", True, 0, 10**400]
        )
    if name == "path" and chance.random() < 0.3:
        return chance.choice([known.folder, str(known.folder / "garbage"), known.folder / "garbage", ""])
    return chance.choice(chance.choice(pools))(chance)


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
