"""What the steps of the model are made of: drafts, patches, filters and vectors, few and overlapping.

They are drawn once, from a fixed seed, the plain ones first: choosing one of a list is quick, and what Hypothesis
shrinks towards is short to read.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from tests.kit.model_contents import DIMENSION, MEANINGLESS, row

from recollect.records import Kind

__all__ = ["CHANNELS", "DRAFTS", "FILTERS", "KEYS", "NAMES", "PATCHES", "PROJECTS", "QUERIES", "TAGS", "VECTORS"]

PAST: Final = datetime(2020, 2, 29, 12, 0, 0, 123_456, UTC)
"""A time that is over whatever the clock says."""

FUTURE: Final = datetime(2400, 12, 31, 23, 59, 59, 999_999, UTC)
"""A time that is far off."""

KEYS: Final = ("a", "b", "ab/é")
TAGS: Final = ("x", "y", "zé")
CHANNELS: Final = ("room", "hall")
NAMES: Final = ("p", "q")
PROJECTS: Final = ("", "p", "q", "p/p", "p/q", "q/p", "p/p/p")

_TEXTS: Final = ("one", "two words", "three 字", MEANINGLESS)
_LONG: Final = "# Top\n\n" + "alpha beta " * 60 + "\n\n## Inner\n\n" + "gamma delta " * 70
_DOC_TEXTS: Final = (
    *_TEXTS,
    "# Title\n\nbody",
    "# Title\n\nother body\n",
    _LONG,
    f"{_LONG}\n\n## Last\n\n" + "eta theta " * 50,
    "## Inner\n\n" + "gamma delta " * 70 + "\n\n# Top\n\n" + "iota " * 150,
)
_TARGETS: Final = ("a.py", "a.py:1-9", "b/c.rs", "https://a.b/c", "commit:1a2b3c", "o/n#12")

_FIELDS: Final[Mapping[str, Sequence[Any]]] = {
    "key": ("a", "a", "a", "b", "b", "ab/é"),
    "project": (*PROJECTS, "p", "p"),
    "tags": ([], ["x"], ["y", "x"], ["zé", "x", "x"], ["y"]),
    "metadata": ({}, {"a": 1}, {"a": 1.0}, {"b": [None, True, "é", {"c": -0.5}], "a": 2**64}),
    "channel": CHANNELS,
    "tier": ("public", "internal", "restricted"),
    "priority": (0, 1, -1000, 1000),
    "source": ("here", "there é"),
    "trust": ("trusted", "unverified", "untrusted"),
    "valid_from": (PAST, FUTURE),
    "valid_until": (FUTURE.replace(year=2500),),
    "expires_at": (FUTURE, FUTURE, PAST),
}
_OWN_FIELDS: Final[Mapping[Kind, Mapping[str, Sequence[Any]]]] = {
    "rule": {
        "applies_to": ([], ["*.py"], ["src/**", "*.py"]),
        "modes": ([], ["edit"], ["review", "edit"]),
        "always_on": (False, True),
    },
    "doc": {
        "path": ("a.md", "docs/b.md", "c.txt"),
        "title": ("Title", "Own title"),
        "media_type": ("text/markdown", "text/plain"),
    },
    "ref": {"checked_at": (PAST, FUTURE), "state": ("unchecked", "fresh", "stale", "broken")},
}
_REQUIRED: Final[Mapping[Kind, Mapping[str, Sequence[Any]]]] = {
    "rule": {"text": _TEXTS},
    "doc": {"text": _DOC_TEXTS},
    "ref": {"target": _TARGETS, "note": (*_TEXTS, "")},
}
_DRAWN: Final = 240


def _drawn(kind: Kind, chance: random.Random, number: int, *, is_patch: bool) -> dict[str, Any]:
    """One draft or patch; those with a small number have few fields."""
    fields = {**_FIELDS, **_OWN_FIELDS[kind]}
    # Steps meet when they agree on key, project and access: the first is often there, the last seldom.
    chances = {"key": 0.5, "project": 0.3, "tags": 0.4, "tier": 0.08, "channel": 0.08}
    names = [name for name in fields if chance.random() < chances.get(name, 0.15)]
    picked = {name: chance.choice(fields[name]) for name in names[: 1 + number // 20]}
    for name, values in _REQUIRED[kind].items():
        if not is_patch or chance.random() < 0.3:
            picked[name] = chance.choice(values)
    if is_patch:
        picked |= {name: None for name in fields if chance.random() < 0.03}
    return picked


def _pool(seed: int, *, is_patch: bool) -> dict[Kind, list[dict[str, Any]]]:
    chance = random.Random(seed)
    kinds: tuple[Kind, ...] = ("rule", "doc", "ref")
    return {kind: [_drawn(kind, chance, number, is_patch=is_patch) for number in range(_DRAWN)] for kind in kinds}


DRAFTS: Final = _pool(1, is_patch=False)
PATCHES: Final = _pool(2, is_patch=True)

VECTORS: Final = [
    row([1 + number % 2, *(number // 2**place % 3 - 1 for place in range(1, DIMENSION))]) for number in range(16)
]
"""Vectors to bring along; several are equal, and several have equal cosines to others."""

_FILTERS: Final[Sequence[Mapping[str, Any]]] = [
    {},
    *({"project": path} for path in ("", "p", "p/*", "/*", "*", "q/p", "nowhere")),
    *({"tags": tags} for tags in (["x"], ["x", "y"], ["unknown"], [])),
    {"channel": "room"},
    {"tier": "restricted"},
    {"key_prefix": "a"},
    {"key_prefix": ""},
    {"source": "here"},
    {"trust": "untrusted"},
    {"deleted": True},
    {"deleted": True, "project": "p/*"},
    {"project": "p/*", "tags": ["x"]},
    {"tier": "internal", "tags": ["x"], "project": "*"},
]
FILTERS: Final[Mapping[Kind, Sequence[Mapping[str, Any]]]] = {
    "rule": [*_FILTERS, {"always_on": True}, {"always_on": False, "project": "p"}],
    "doc": [*_FILTERS, {"path_prefix": "docs/"}, {"path_prefix": ""}],
    "ref": [*_FILTERS, {"path_prefix": "a.py"}, {"path_prefix": "https://"}],
}

QUERIES: Final[Sequence[Mapping[str, Any]]] = [
    {},
    {"project": "*"},
    {"project": "p/*"},
    {"project": "p/q", "k": 3},
    {"kinds": ["rule"], "project": "*"},
    {"kinds": ["doc", "ref"], "project": "*", "k": 2},
    {"tags": ["x"], "project": "*"},
    {"tags": ["x", "y"]},
    {"tags": ["unknown"], "project": "*"},
    {"project": "nowhere", "k": 1},
]
