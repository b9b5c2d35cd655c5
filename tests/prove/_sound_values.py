"""The values that `bad_input.py` passes: by the name of a parameter what belongs there.

Everything is drawn from one generator of random numbers, so that a seed gives the same calls again.
"""

import array
import math
import random
from collections import UserList
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any, Final

import numpy as np
from tests.prove._bad_objects import Colour, OddZone

import recollect

__all__ = ["DIMENSION", "SOUND", "Known", "a_line", "a_long_text", "a_text", "some_items", "sound"]

DIMENSION: Final = 8
_CREATED_BY_US: Final = "01890a5d-ac96-774b-bcce-b302099a8057"


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


def a_text(chance: random.Random, most: int = 12) -> str:
    """A text that can be kept, plain or outlandish."""
    if chance.random() < 0.5:
        return " ".join(chance.choice(_WORDS) for _ in range(chance.randint(1, 6))) + f" {chance.randint(0, 999)}"
    odd = "".join(chance.choice(_ODD_CHARACTERS) for _ in range(chance.randint(0, most)))
    return f"{odd}{chance.choice(_WORDS)}{odd[::-1]}"


def a_line(chance: random.Random) -> str:
    return chance.choice(
        ["a", "b", "key/é", "字", "Ünïcödé", "a b", "x" * 128, "\u202eabc", "a\u0301", "-", "%", "👩‍👩‍👧"]
    )


def a_long_text(chance: random.Random) -> str:
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
        return {a_text(chance, 3): _json(chance, depth + 1) for _ in range(count)}
    numbers = [0, -1, 2**53 + 1, 2**63, -(2**64), 10**300, 0.1, -0.0, 1e308, 5e-324, 1.0, 1e16, 123456789.123456789]
    return chance.choice([None, True, False, a_text(chance), "", *numbers])


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


def some_items(chance: random.Random) -> Any:
    names = ("text", "key", "project", "tags", "metadata", "priority", "source")
    drafts: list[Any] = []
    for _ in range(chance.randint(0, 3)):
        if chance.random() < 0.3:
            drafts.append(a_text(chance))
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
    tags = [a_line(chance) for _ in range(chance.randint(0, 4))]
    return chance.choice([tags, tuple(tags), frozenset(tags), set(tags), iter(tags), UserList(tags)])


SOUND: Final[dict[str, Sound]] = {
    "text": _plain(a_text),
    "texts": _plain(lambda chance: [a_text(chance) for _ in range(chance.randint(0, 3))]),
    "note": _plain(a_text),
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
    "key": _optional(a_line),
    "project": _one(None, "", "p", "p/q", "acme/web.site_1-x", "字/é"),
    "tags": _plain(_tags),
    "metadata": _optional(lambda chance: {a_text(chance, 3): _json(chance) for _ in range(chance.randint(0, 3))}),
    "channel": _one(None, None, "room"),
    "tier": _one(None, "public", "internal", "confidential", "restricted", Colour.RED),
    "priority": _one(0, 1, -1000, 1000, np.int64(7), np.int8(-3)),
    "source": _optional(a_line),
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
    "items": _plain(some_items),
    "refs": _plain(_refs),
    "threads": _one(None, 1, 4, 64),
    "order": _one("created", "updated", "priority", "key"),
    "descending": _one(True, False),
    "limit": _one(1, 2, 100, 10_000),
    "cursor": lambda chance, known: _some(chance, known.cursors, None),
    "since": _one(0, 1, 10, 2**63 - 1),
    "query": _plain(a_text),
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
