"""The calls that `bad_input.py` makes: on what, with which arguments, and what is asked of the answer."""

import asyncio
import copy
import inspect
import os
import random
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from tests.prove._bad_answers import Answers
from tests.prove._bad_objects import describe
from tests.prove._bad_targets import Target
from tests.prove._bad_values import hostile
from tests.prove._sound_values import DIMENSION, SOUND, Known, sound

import recollect
from recollect import InternalError, RecollectError
from recollect.aio.threads import Threads
from recollect.store import fields

__all__ = ["BLOCK", "SEED", "Block"]

SEED: Final = int(os.environ.get("SEED", "20260101"))
BLOCK: Final = 250
FILTERS: Final = sorted(fields.RuleFilters.__annotations__.keys() | fields.DocFilters.__annotations__.keys())


@dataclass
class Block(Answers):
    """Some calls on one store.

    Attributes:
        number: Which block; it alone, with the seed, decides about the calls.
        journal: Where each call is written down before it is made.
    """

    number: int
    targets: list[Target]
    journal: int
    is_shown: bool = False
    calls: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    compared: int = 0
    findings: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Makes the calls."""
        self.chance = random.Random(f"{SEED} {self.number}")
        with tempfile.TemporaryDirectory(prefix="recollect-bad-input-") as folder:
            (Path(folder) / "garbage").write_bytes(bytes(range(256)) * 20)
            self.known = Known(folder=Path(folder))
            sort = self.number % 3
            embedder = None if sort == 1 else recollect.ExternalVectors("mine", DIMENSION)
            location = Path(folder) / "store.db" if sort == 2 else ":memory:"
            # A path that is accepted may be a relative one: what is made there goes with the folder.
            with (
                chdir(folder),
                asyncio.Runner() as self.loop,
                recollect.open(
                    location, embedder=embedder or recollect.StaticEmbedder(), durability="normal", sweep=False
                ) as self.store,
            ):
                self.threads = Threads(2, 5)
                self.store.channels.create("room")
                for _ in range(BLOCK):
                    self.call()
                self.learn()
                if problems := self.store.check().problems:
                    self.findings.append(f"block {self.number}: the store is not sound: {problems}")
                self.threads.end()

    def learn(self) -> None:
        """Looks at what the store holds, so that later calls can mean it."""
        cursor = self.store.rules.list(limit=1).next_cursor
        self.ids = {
            owner: [item.id for item in getattr(self.store, owner).list(limit=20, descending=True)]
            for owner in ("rules", "docs", "refs")
        }
        self.ids["deleted"] = [
            item.id for owner in ("rules", "docs", "refs") for item in getattr(self.store, owner).list(deleted=True)
        ]
        self.ids["all"] = [id_ for owner in ("rules", "docs", "refs") for id_ in self.ids[owner]]
        self.known.cursors = [cursor] if cursor else []
        self.known.chunks = [chunk for chunk, _ in self.store.embeddings.missing(20)]
        self.known.chunks += [int(chunk) for chunk in self.store.embeddings.get(self.ids["all"][:20]).chunks]

    def arguments(self, target: Target) -> tuple[list[Any], dict[str, Any]]:
        """The arguments of a call: all sound, one of them hostile, or many."""
        chance = self.chance
        place = target.owner if target.owner in self.ids else "all"
        self.known.ids = self.ids["deleted" if target.label.endswith(".restore") else place or "all"]
        chosen: list[tuple[str, bool]] = []
        for name, parameter in inspect.signature(target.function).parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                filters = chance.sample(FILTERS, chance.choice([0, 1, 1, 2]))
                chosen += [(known, False) for known in filters if known not in dict(chosen)]
            elif name != "self" and parameter.kind is not parameter.VAR_POSITIONAL:
                is_optional = parameter.default is not parameter.empty
                if not is_optional or chance.random() < (0.3 if target.label.endswith("add") else 0.4):
                    chosen.append((name, parameter.kind is not parameter.KEYWORD_ONLY))
        if target.name == "search" and "vector" in dict(chosen):
            chosen = [one for one in chosen if one[0] != "query"]
        mode = chance.choice(["sound"] * 4 + ["one"] * 5 + ["many"])
        spoiled = {chance.choice(chosen)[0]} if mode == "one" and chosen else set()
        if mode == "many":
            spoiled = {name for name, _ in chosen if chance.random() < 0.6}
        placed: list[Any] = []
        named: dict[str, Any] = {}
        for name, may_be_placed in chosen:
            value = self.value(name, target, is_spoiled=name in spoiled)
            if may_be_placed and not named and chance.random() < 0.8:
                placed.append(value)
            else:
                named[name] = value
        if chance.random() < 0.01:
            named[chance.choice(["no_such_argument", "self", "id"])] = 1
        return placed, named

    def value(self, name: str, target: Target, *, is_spoiled: bool) -> Any:
        """A value for a parameter."""
        is_open = target.name == "open"
        sort = "project" if name == "path" and target.owner == "projects" else name
        if (target.owner, name) == ("refs", "items"):
            sort = "refs"
        if is_spoiled or (sort not in SOUND and not is_open):
            return hostile(name, self.chance, self.known)
        brings_no_vectors = self.number % 3 == 1 and target.name != "embeddings.put"
        if name in {"vector", "vectors"} and brings_no_vectors:
            return None
        if target.label.endswith(".update") and name not in {"text", "target", "id"} and self.chance.random() < 0.1:
            return None
        return sound(sort, self.chance, self.known, of_open=is_open)

    def call(self) -> None:
        """Makes one call and judges what came of it."""
        chance = self.chance
        if self.calls % 10 == 0:
            self.learn()
        target = chance.choice(self.targets)
        placed, named = self.arguments(target)
        self.calls += 1
        text = ", ".join([*map(describe, placed), *(f"{name}={describe(value)}" for name, value in named.items())])
        self.said = f"block {self.number} call {self.calls}: {target.label}({text})"
        os.pwrite(self.journal, self.said.encode(errors="replace")[:4000].ljust(4000), 0)
        if self.is_shown:
            print(self.said, flush=True)
        bound = target.bound(self.store, self.threads, self.loop)
        wanted = self.wanted(bound, placed, named)
        seq = self.store.stats().seq
        if target.owner == "projects":
            self.before = self.counts()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", RuntimeWarning)
                value = bound(*placed, **named)
                if isinstance(value, Iterator):
                    value = list(islice(value, 3))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a panic of the core is no Exception
            self.judge(error, bound, placed, named)
            if target.owner != "" and self.store.stats().seq != seq and not isinstance(error, recollect.LockedError):
                self.find(f"{type(error).__name__} was raised, but something was written")
        else:
            self.accepted[target.label] += 1
            self.look(target, wanted, value)

    def judge(
        self, error: BaseException, bound: Callable[..., Any], placed: list[Any], named: Mapping[str, Any]
    ) -> None:
        """Says whether an exception may be raised."""
        match error:
            case InternalError():
                self.find(f"internal error: {error}")
            case RecollectError():
                self.refused[error.code] += 1
            case TypeError() if not fits(bound, placed, named):
                self.refused["TypeError (signature)"] += 1
            case Exception():
                self.find(f"untyped error: {type(error).__name__} {origin(error)}: {error}")
            case _:
                self.find(f"panic: {type(error).__name__}: {error}")

    def find(self, what: str) -> None:
        """Writes a finding down."""
        self.findings.append(f"{what[:200]}  in  {self.said[:600]}")

    def wanted(self, bound: Callable[..., Any], placed: list[Any], named: Mapping[str, Any]) -> dict[str, Any] | None:
        """The arguments by name, with iterators copied before they are used up; None where they do not fit."""
        try:
            given = dict(inspect.signature(bound).bind(*placed, **named).arguments)
        except TypeError:
            return None
        for name, value in given.items():
            if isinstance(value, Iterator):
                with suppress(TypeError):
                    given[name] = copy.copy(value)
            if name == "items" and type(given[name]) in {list, tuple, type(iter([]))}:
                # What a draft holds may be an iterator, too.
                given[name] = [unused(draft) for draft in copy.copy(given[name])]
        return given


def unused(draft: Any) -> Any:
    """A draft with copies of the iterators that are to be used up."""
    if type(draft) is not dict:
        return draft
    return {name: copy.copy(value) if type(value) is type(iter([])) else value for name, value in draft.items()}


def origin(error: BaseException) -> str:
    """Where in recollect an error came through last."""
    places = [frame for frame in traceback.extract_tb(error.__traceback__) if "recollect" in Path(frame.filename).parts]
    return f"at {Path(places[-1].filename).name}:{places[-1].lineno}" if places else "from outside"


def fits(bound: Callable[..., Any], placed: list[Any], named: Mapping[str, Any]) -> bool:
    """Whether arguments fit a signature."""
    if "self" in named:
        # A bound method has a `self` already, which `inspect` does not know of.
        return False
    try:
        inspect.signature(bound).bind(*placed, **named)
    except TypeError:
        return False
    return True
