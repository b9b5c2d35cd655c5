"""The calls that `bad_input.py` makes: on what, with which arguments, and what is asked of the answer."""

import copy
import inspect
import json
import operator
import os
import random
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from tests.prove._bad_values import DIMENSION, SOUND, Known, describe, hostile, sound

import recollect
from recollect import InternalError, RecollectError, Store
from recollect import store as layer
from recollect.store import fields

__all__ = ["BLOCK", "SEED", "Block", "Target", "targets"]

SEED: Final = int(os.environ.get("SEED", "20260101"))
BLOCK: Final = 250
FILTERS: Final = sorted(fields.RuleFilters.__annotations__.keys() | fields.DocFilters.__annotations__.keys())
LISTS: Final = frozenset({"tags", "modes", "applies_to"})
TIMES: Final = frozenset({"valid_from", "valid_until", "expires_at", "checked_at"})


@dataclass(frozen=True)
class Target:
    """Something public that can be called.

    Attributes:
        label: Its name, such as `rules.add`.
        function: The function, for its signature.
        owner: The attribute of the store that it is a method of; None for the store, "" for what needs no store.
    """

    label: str
    function: Callable[..., Any]
    owner: str | None

    def bound(self, store: Store) -> Callable[..., Any]:
        """The function on a store."""
        if self.owner == "":
            return self.function
        holder = store if self.owner is None else getattr(store, self.owner)
        return getattr(holder, self.label.rpartition(".")[2])  # type: ignore[no-any-return]


def targets() -> list[Target]:
    """Everything that is called, found by introspection; what adds and changes several times as often as the rest."""
    holders: dict[str | None, type] = {
        None: Store,
        "rules": layer.Rules,
        "docs": layer.Docs,
        "refs": layer.Refs,
        "projects": layer.Projects,
        "channels": layer.Channels,
        "embeddings": layer.StoreEmbeddings,
    }
    found = []
    for owner, holder in holders.items():
        for name, function in inspect.getmembers(holder, inspect.isfunction):
            if not name.startswith("_") and (owner, name) != (None, "close"):
                times = 5 if name in {"add", "add_many", "update"} else 1
                found += [Target(f"{owner}.{name}" if owner else name, function, owner)] * times
    embedder = recollect.StaticEmbedder()
    for name in ("embed_documents", "embed_queries", "token_ids", "token_count"):
        found.append(Target(f"StaticEmbedder.{name}", getattr(embedder, name), ""))
    return [*found, Target("open", recollect.open, ""), Target("close", close_another, "")]


def close_another(*, timeout: layer.Timeout = None) -> None:
    """Closes a store of its own; the one of the block stays open."""
    with recollect.open(":memory:", embedder=None) as store:
        store.close(timeout=timeout)


@dataclass
class Block:
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
            with recollect.open(
                location, embedder=embedder or recollect.StaticEmbedder(), durability="normal", sweep=False
            ) as self.store:
                self.store.channels.create("room")
                for _ in range(BLOCK):
                    self.call()
                self.learn()
                if problems := self.store.check().problems:
                    self.findings.append(f"block {self.number}: the store is not sound: {problems}")

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
            elif name != "self":
                is_optional = parameter.default is not parameter.empty
                if not is_optional or chance.random() < (0.3 if target.label.endswith("add") else 0.4):
                    chosen.append((name, parameter.kind is not parameter.KEYWORD_ONLY))
        if target.label == "search" and "vector" in dict(chosen):
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
        is_open = target.label == "open"
        sort = "project" if name == "path" and target.owner == "projects" else name
        if is_spoiled or (sort not in SOUND and not is_open):
            return hostile(name, self.chance, self.known)
        brings_no_vectors = self.number % 3 == 1 and target.label != "embeddings.put"
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
        bound = target.bound(self.store)
        wanted = self.wanted(bound, placed, named)
        seq = self.store.stats().seq
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
        return given

    def look(self, target: Target, wanted: dict[str, Any] | None, value: Any) -> None:
        """Reads back what was accepted."""
        verb = target.label.rpartition(".")[2]
        if wanted is None:
            self.find("accepted, though the arguments do not fit the signature")
            return
        try:
            if target.label == "open":
                self.look_at_store(wanted, value)
            elif verb == "update" or (verb == "add" and value.created):
                self.compare(wanted, value.id)
            elif target.label == "embeddings.put":
                self.compare_vectors(wanted)
            elif target.label == "channels.create" and plain(wanted["name"]) not in self.store.channels.list():
                self.find("the channel is not there")
        except RecollectError as error:
            self.find(f"what was accepted cannot be read: {error}")
        except Exception as error:  # noqa: BLE001 - a value that cannot even be compared should not have been taken
            self.find(f"what was accepted cannot be compared: {type(error).__name__}: {error}")

    def look_at_store(self, wanted: Mapping[str, Any], store: Store) -> None:
        with store:
            if store.default_project != plain(wanted.get("project", "")):
                self.find("another default project")
            if store.rules.count() < 0:
                self.find("a count below zero")

    def compare(self, wanted: dict[str, Any], id_: str) -> None:
        """Compares the fields of an item with those that were given."""
        self.compared += 1
        item: Any = self.store.get(id_)
        for name, value in wanted.items():
            is_taken_away = value is None or value is recollect.LEAVE
            if not hasattr(item, name) or name in {"id", "version"} or is_taken_away:
                continue
            read = getattr(item, name)
            expected = expect(name, value)
            is_same = json.dumps(read) == json.dumps(expected) if name == "metadata" else read == expected
            if not is_same or (name in TIMES and read.tzinfo is not UTC):
                self.find(f"{name} came back as {describe(read)} instead of {describe(expected)}")
        given = wanted.get("vector") if wanted.get("vector") is not None else wanted.get("vectors")
        if given is not None:
            stored = self.store.embeddings.get([id_]).vectors
            if stored.tobytes() != as_floats(given).tobytes():
                self.find(f"the vector came back as {stored!r}")

    def compare_vectors(self, wanted: Mapping[str, Any]) -> None:
        """Compares the vectors of chunks with those that were given, the last of each."""
        self.compared += 1
        rows = as_floats(wanted["vectors"]).reshape(-1, DIMENSION) if len(wanted["chunks"]) else []
        by_chunk = {int(chunk): row for chunk, row in zip(wanted["chunks"], rows, strict=True)}
        live = [item.id for owner in ("rules", "docs", "refs") for item in getattr(self.store, owner).list()]
        found = self.store.embeddings.get(live)
        for chunk, row in zip(found.chunks, found.vectors, strict=True):
            if int(chunk) in by_chunk and row.tobytes() != by_chunk[int(chunk)].tobytes():
                self.find(f"the vector of chunk {chunk} came back as {row!r}")


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


def plain(value: Any) -> Any:
    """What a value really holds, whatever its class says of it."""
    if isinstance(value, str):
        return str.__add__(value, "")
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int.__add__(value, 0)
    if isinstance(value, float):
        return float.__add__(value, 0.0) if value else value
    if isinstance(value, dict):
        return {plain(key): plain(dict.__getitem__(value, key)) for key in dict.keys(value)}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    raise TypeError(f"a {type(value).__name__} was accepted")


def expect(name: str, value: Any) -> Any:
    """What a field must be read as."""
    if name in LISTS:
        parts = [plain(part) for part in value]
        return tuple(parts) if name == "applies_to" else tuple(sorted(set(parts), key=str.encode))
    if name in TIMES:
        offset = value.utcoffset()
        naive = datetime(  # noqa: DTZ001 - the offset is taken off below
            *(value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond)
        )
        return (naive - offset).replace(tzinfo=UTC)
    if name == "priority":
        return plain(value) if isinstance(value, int) else operator.index(value)
    return plain(value)


def as_floats(value: Any) -> Any:
    """The vectors that a value means, as this machine's floats."""
    if isinstance(value, (bytes, bytearray)) or (isinstance(value, memoryview) and value.format in {"B", "b", "c"}):
        return np.frombuffer(bytes(value), dtype="<f4")
    return np.ascontiguousarray(np.asarray(value), dtype=np.float32)
