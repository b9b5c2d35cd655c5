"""A Hypothesis state machine that does the same to a store and to its model, and compares them after each step.

The store is in memory, or a file that two handles share: one of this process, or both of others. Each step is taken by
either of the two; afterwards the other one is asked what it sees. Handles are closed and opened again, as another
principal and with or without an embedder, and processes are killed between two calls.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from tests.kit.model import Model
from tests.kit.model_compare import Comparison, Difference
from tests.kit.model_contents import DIMENSION, MEANINGLESS, embed
from tests.kit.model_handles import Call, Connection, LocalConnection, Worker
from tests.kit.model_pool import (
    CHANNELS,
    DRAFTS,
    FILTERS,
    KEYS,
    NAMES,
    PATCHES,
    PROJECTS,
    QUERIES,
    VECTORS,
)
from tests.kit.model_queries import Queries
from tests.kit.model_state import NAME_OF_KIND, Handle, Known, Refused

import recollect
from recollect import RecollectError
from recollect.records import Kind

__all__ = ["ModelMachine", "Place", "StoreMachine"]

Place = Literal["memory", "shared", "crash"]
"""Where the store is: in memory; in a file that this and another process open; in one that two others open."""

KINDS: tuple[Kind, ...] = ("rule", "doc", "ref")
KIND = st.sampled_from(KINDS)
WHO = st.integers(0, 1)
PICK = st.integers(0, 11)
PLACE_IN_POOL = st.integers(0, len(DRAFTS["rule"]) - 1)
VECTOR = st.integers(0, len(VECTORS) - 1)
HANDLES = st.sampled_from(
    [
        Handle("one", "", "declares"),
        Handle("two", "p", "embeds"),
        Handle("three", "", "embeds"),
        Handle("four", "p/q", "declares"),
        Handle("five", "p", "none"),
    ]
)
FIRST_HANDLES = {
    "memory": [Handle("one", "", "embeds")],
    "shared": [Handle("one", "", "declares"), Handle("two", "p", "embeds")],
    "crash": [Handle("one", "", "embeds"), Handle("two", "p", "declares")],
}
_SPLITS: dict[tuple[str, str], tuple[tuple[str, tuple[str, ...], int], ...]] = {}


def _split(text: str, media_type: str) -> tuple[tuple[str, tuple[str, ...], int], ...]:
    """Splits a document as a store does; each of the few there are once."""
    if (text, media_type) not in _SPLITS:
        with recollect.open(":memory:", embedder=None) as store:
            pieces = store.docs.split(text, media_type=media_type)
        _SPLITS[text, media_type] = tuple((piece.text, piece.heading, piece.start) for piece in pieces)
    return _SPLITS[text, media_type]


def has_items(machine: "ModelMachine") -> bool:
    """Whether anything was ever added: without, most verbs can only say that nothing is there."""
    return machine.model.state.next_row > 1


class Counting:
    """A connection that counts what is asked by several calls at once, all of which is compared, as `outcomes` does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def call(self, path: str, /, *arguments: Any, **options: Any) -> Any:
        """Calls the store."""
        return self._connection.call(path, *arguments, **options)

    def calls(self, asked: Sequence[Call]) -> list[Any]:
        """Calls the store several times."""
        answers = self._connection.calls(asked)
        for (path, *_), answer in zip(asked, answers, strict=True):
            ModelMachine.outcomes[path, answer.code if isinstance(answer, RecollectError) else "ok"] += 1
        return answers

    def close(self) -> None:
        """Closes the store."""
        self._connection.close()


class ModelMachine(RuleBasedStateMachine):
    """The rules. Subclasses say where stores are (`places`), and may put a fault in."""

    places: ClassVar[tuple[Place, ...]] = ("memory",)
    """Where stores are: one of these, drawn for each sequence."""

    frees_keys: ClassVar[bool] = True
    sequences: ClassVar[int] = 0
    outcomes: ClassVar[Counter[tuple[str, str]]] = Counter()
    _workers: ClassVar[list[Worker]] = []

    @classmethod
    def end_workers(cls) -> None:
        """Ends the processes that serve the stores."""
        while ModelMachine._workers:
            ModelMachine._workers.pop().end()

    def wrapped(self, connection: Connection) -> Connection:
        """A connection as this machine uses it; here a fault may be put in."""
        return connection

    @initialize(
        number=st.integers(0, 5),
        channels=st.sampled_from([CHANNELS, ()]),
        drafts=st.lists(st.tuples(KIND, PLACE_IN_POOL, st.none() | VECTOR), max_size=8),
    )
    def begin(self, number: int, channels: tuple[str, ...], drafts: list[tuple[Kind, int, int | None]]) -> None:
        self.place = self.places[number % len(self.places)]
        self.model = Model(_split, frees_keys=self.frees_keys)
        self.queries = Queries(self.model)
        self.comparison = Comparison(self.model)
        self.folder = None if self.place == "memory" else tempfile.TemporaryDirectory(prefix="recollect-model-")
        self.location = str(Path(self.folder.name) / "store.db") if self.folder else ":memory:"
        self.who = list(FIRST_HANDLES[self.place])
        self.handles: list[Connection] = [self._open(side) for side in range(len(self.who))]
        for name in channels:
            self.create_channel(0, name)
        for side, (kind, draft, vector) in enumerate(drafts):
            self.add(side, kind, [draft], vector)

    def _worker(self, side: int) -> Worker:
        while len(ModelMachine._workers) <= side:
            ModelMachine._workers.append(Worker())
        return ModelMachine._workers[side]

    def _is_remote(self, side: int) -> bool:
        return self.place == "crash" or (self.place == "shared" and side == 1)

    def _open(self, side: int) -> Connection:
        who = self.who[side]
        if self._is_remote(side):
            return Counting(self.wrapped(self._worker(side).open(self.location, who)))
        return Counting(self.wrapped(LocalConnection(self.location, who)))

    def killed(self, *, both: bool) -> None:
        """Comes after a kill and before the store is opened again; here a fault may be put in."""

    def teardown(self) -> None:
        if not hasattr(self, "handles"):
            return
        try:
            if sys.exc_info()[0]:
                # The sequence has failed: what it failed with is what is to be seen.
                return
            for who, handle in zip(self.who, self.handles, strict=True):
                self.comparison.everything(handle, who)
            for handle in self.handles:
                handle.close()
            ModelMachine.sequences += 1
        finally:
            for worker in ModelMachine._workers:
                worker.kill()
            if self.folder:
                self.folder.cleanup()

    def _side(self, side: int) -> int:
        return side % len(self.handles)

    def _step(self, side: int, path: str, /, *arguments: Any, **options: Any) -> Any:
        """Calls the store."""
        self.before = (self.model.state.seq, datetime.now(UTC))
        self.said = path
        return self.handles[self._side(side)].call(path, *arguments, **options)

    def _settle(self, side: int, found: Any, expected: object) -> bool:
        """Compares outcomes, and the log as the other handle sees it; whether there is a value to compare."""
        has_value = self._read(found, expected)
        known, since = self.before
        other = self.handles[self._side(side + 1)]
        self.comparison.learn(other, known, since)
        return has_value

    def _read(self, found: Any, expected: object) -> bool:
        """Compares outcomes of a call that changes nothing."""
        has_value = self.comparison.outcome(self.said, found, expected)
        ModelMachine.outcomes[self.said, "ok" if has_value else found.code] += 1
        return has_value

    def _pick(self, pick: int, kind: Kind | None = None) -> tuple[Kind, str]:
        """One of the latest items, live, deleted or purged; its kind, or the wrong one where `kind` says so."""
        state = self.model.state
        ids = [*((known.id, known.kind) for known in state.items.values()), *state.purged.items()]
        if not ids:
            return kind or "rule", "01890a5d-ac96-774b-bcce-b302099a8057"
        id_, own = ids[-1 - pick % len(ids)]
        return kind or own, id_

    def _number_of_chunks(self, kind: Kind, draft: dict[str, Any]) -> int:
        """How many vectors a caller must bring for a draft; a path decides about the media type."""
        if kind != "doc":
            return 1
        path = draft.get("path") or "a.md"
        media_type = draft.get("media_type") or ("text/plain" if path.endswith(".txt") else "text/markdown")
        return len(_split(draft["text"], media_type))

    @rule(
        side=WHO,
        kind=KIND,
        drafts=st.lists(PLACE_IN_POOL, min_size=1, max_size=3),
        vector=st.none() | VECTOR,
    )
    def add(self, side: int, kind: Kind, drafts: list[int], vector: int | None) -> None:
        chosen = [DRAFTS[kind][number] for number in drafts]
        rows = None
        if vector is not None:
            count = sum(self._number_of_chunks(kind, draft) for draft in chosen)
            rows = [VECTORS[(vector + place) % len(VECTORS)] for place in range(count)]
        given = None if rows is None else _array(rows)
        name = NAME_OF_KIND[kind]
        if len(chosen) == 1:
            found = self._step(side, f"{name}.add", **chosen[0], **_named(kind, given))
            found = found if isinstance(found, RecollectError) else (found,)
        else:
            found = self._step(side, f"{name}.add_many", chosen, vectors=given)
        nameless = [f"nameless {place}" for place in range(len(chosen))]
        ids = nameless if isinstance(found, RecollectError) else [one.id for one in found]
        expected = _attempt(self.model.add, self.who[self._side(side)], kind, chosen, rows, ids)
        if self._settle(side, found, expected):
            self.comparison.added(found, expected)

    @precondition(has_items)
    @rule(
        side=WHO,
        pick=PICK,
        patch=PLACE_IN_POOL,
        offset=st.sampled_from([None, None, None, 0, 1]),
        vector=st.none() | st.none() | VECTOR,
    )
    def update(self, side: int, pick: int, patch: int, offset: int | None, vector: int | None) -> None:
        kind, id_ = self._pick(pick)
        chosen = PATCHES[kind][patch]
        known = self.model.state.items.get(id_)
        version = None if offset is None else (known.version if known else 1) + offset
        rows = None
        if vector is not None and known:
            count = 1 if kind != "doc" else self._number_of_chunks(kind, {**known.values, **chosen})
            rows = [VECTORS[(vector + place) % len(VECTORS)] for place in range(count)]
        given = None if rows is None else _array(rows)
        found = self._step(side, f"{NAME_OF_KIND[kind]}.update", id_, version=version, **chosen, **_named(kind, given))
        who = self.who[self._side(side)]
        expected = _attempt(self.model.update, who, kind, id_, chosen, version, rows)
        if self._settle(side, found, expected):
            self.comparison.item("update", found, expected)

    @precondition(has_items)
    @rule(side=WHO, pick=PICK, offset=st.sampled_from([None, None, 0, 1]))
    def delete(self, side: int, pick: int, offset: int | None) -> None:
        kind, id_ = self._pick(pick)
        known = self.model.state.items.get(id_)
        version = None if offset is None else (known.version if known else 1) + offset
        found = self._step(side, f"{NAME_OF_KIND[kind]}.delete", id_, version=version)
        expected = _attempt(self.model.delete, self.who[self._side(side)], kind, id_, version)
        if self._settle(side, found, expected):
            self.comparison.deleted(found, expected)

    @precondition(has_items)
    @rule(side=WHO, pick=PICK, kind=st.none() | st.none() | KIND)
    def restore(self, side: int, pick: int, kind: Kind | None) -> None:
        kind, id_ = self._pick(pick, kind)
        found = self._step(side, f"{NAME_OF_KIND[kind]}.restore", id_)
        expected = _attempt(self.model.restore, self.who[self._side(side)], kind, id_)
        if self._settle(side, found, expected):
            self.comparison.item("restore", found, expected)

    @precondition(has_items)
    @rule(side=WHO, pick=PICK, to=st.integers(1, 5), offset=st.sampled_from([None, None, 0, 1]))
    def revert(self, side: int, pick: int, to: int, offset: int | None) -> None:
        kind, id_ = self._pick(pick)
        known = self.model.state.items.get(id_)
        version = None if offset is None else (known.version if known else 1) + offset
        found = self._step(side, f"{NAME_OF_KIND[kind]}.revert", id_, to, version=version)
        expected = _attempt(self.model.revert, self.who[self._side(side)], kind, id_, to, version)
        if self._settle(side, found, expected):
            self.comparison.item("revert", found, expected)

    @precondition(has_items)
    @rule(side=WHO, path=st.sampled_from(PROJECTS), name=st.sampled_from([*NAMES, "r"]))
    def rename_project(self, side: int, path: str, name: str) -> None:
        found = self._step(side, "projects.rename", path, name)
        expected = _attempt(self.model.rename_project, self.who[self._side(side)], path, name)
        if self._settle(side, found, expected):
            _equal("projects.rename", found, expected)

    @precondition(has_items)
    @rule(side=WHO, path=st.sampled_from(PROJECTS), parent=st.sampled_from(PROJECTS))
    def move_project(self, side: int, path: str, parent: str) -> None:
        found = self._step(side, "projects.move", path, parent)
        expected = _attempt(self.model.move_project, self.who[self._side(side)], path, parent)
        if self._settle(side, found, expected):
            _equal("projects.move", found, expected)

    @precondition(has_items)
    @rule(side=WHO, path=st.sampled_from(PROJECTS), recursive=st.booleans())
    def delete_project(self, side: int, path: str, *, recursive: bool) -> None:
        found = self._step(side, "projects.delete", path, recursive=recursive)
        expected = _attempt(self.model.delete_project, self.who[self._side(side)], path, recursive=recursive)
        if self._settle(side, found, expected):
            _equal("projects.delete", found, expected)

    @rule(side=WHO, name=st.sampled_from(CHANNELS))
    def create_channel(self, side: int, name: str) -> None:
        found = self._step(side, "channels.create", name)
        expected = _attempt(self.model.create_channel, self.who[self._side(side)], name)
        if self._settle(side, found, expected):
            _equal("channels.create", found, expected)

    @rule(side=WHO, vector=VECTOR, count=st.integers(0, 3), shift=st.integers(0, 2))
    def put_embeddings(self, side: int, vector: int, count: int, shift: int) -> None:
        chunks = [chunk for chunk, _ in self.queries.missing(count)]
        chunks = [chunk + shift for chunk in chunks] or [1 + shift]
        rows = [VECTORS[(vector + place) % len(VECTORS)] for place in range(len(chunks))]
        found = self._step(side, "embeddings.put", chunks, _array(rows))
        expected = _attempt(self.model.put_embeddings, self.who[self._side(side)], chunks, rows)
        if self._settle(side, found, expected):
            _equal("embeddings.put", found, expected)

    @precondition(has_items)
    @rule(side=WHO, picks=st.lists(PICK, min_size=1, max_size=3), kind=st.none() | st.none() | KIND)
    def purge(self, side: int, picks: list[int], kind: Kind | None) -> None:
        kind, first = self._pick(picks[0], kind)
        ids = [first]
        for pick in picks[1:]:
            _, id_ = self._pick(pick)
            if id_ not in ids:
                ids.append(id_)
        name = NAME_OF_KIND[kind]
        if len(ids) == 1:
            found = self._step(side, f"{name}.purge", first)
            found = found if isinstance(found, RecollectError) else (found,)
        else:
            found = self._step(side, f"{name}.purge_many", ids)
        expected = _attempt(self.model.purge, self.who[self._side(side)], kind, ids)
        if self._settle(side, found, expected):
            _equal("purge", [(one.id, one.versions, one.chunks) for one in found], expected)

    @precondition(has_items)
    @rule(
        side=WHO,
        kind=KIND,
        number=st.integers(0, 30),
        offset=st.sampled_from([None, None, 0, 1]),
        dry_run=st.booleans(),
    )
    def delete_many(self, side: int, kind: Kind, number: int, offset: int | None, *, dry_run: bool) -> None:
        filters = FILTERS[kind][number % len(FILTERS[kind])]
        expected: Any
        if "deleted" in filters:
            return
        doomed = self.queries.find(kind, filters)
        count = None if offset is None else len(doomed) + offset
        found = self._step(side, f"{NAME_OF_KIND[kind]}.delete_many", expected=count, dry_run=dry_run, **filters)
        if any(value not in ([], "") for name, value in filters.items()) or "project" in filters:
            expected = _attempt(self.model.delete_many, self.who[self._side(side)], doomed, count, dry_run=dry_run)
        else:
            expected = Refused("invalid_input")
        if self._settle(side, found, expected):
            _equal("delete_many", (sorted(found.ids), found.dry_run), (sorted(expected), dry_run))

    @precondition(has_items)
    @rule(side=WHO)
    def sweep(self, side: int) -> None:
        due = self.queries.due()
        found = self._step(side, "sweep")
        told = self.handles[self._side(side)].call("changes", self.model.state.seq)
        sizes = list(Counter(change.seq for change in told).values())
        expected = _attempt(self.model.sweep, self.who[self._side(side)], due, sizes)
        if self._settle(side, found, expected):
            _equal("sweep", (found.expired, found.deleted), (expected, 0))

    @rule(side=WHO, kind=KIND, number=st.integers(0, 30), order=st.integers(0, 7), limit=st.integers(1, 4))
    def list_items(self, side: int, kind: Kind, number: int, order: int, limit: int) -> None:
        filters = FILTERS[kind][number % len(FILTERS[kind])]
        by, turned = ("created", "updated", "priority", "key")[order % 4], order > 3
        expected = self.queries.find(kind, filters, by, turned=turned)
        name = NAME_OF_KIND[kind]
        _equal(f"{name}.count", self._step(side, f"{name}.count", **filters), len(expected))
        self.comparison.items(
            f"{name}.iterate", self._step(side, f"{name}.iterate", **filters), self.queries.find(kind, filters)
        )
        for verb in ("count", "iterate", "list"):
            ModelMachine.outcomes[f"{name}.{verb}", "ok"] += 1
        cursor, first = None, 0
        while True:
            page = self._step(side, f"{name}.list", order=by, descending=turned, limit=limit, cursor=cursor, **filters)
            self.comparison.items(f"{name}.list", page, expected[first : first + limit])
            first, cursor = first + limit, page.next_cursor
            _equal(f"{name}.list has more", cursor is not None, first < len(expected))
            if cursor is None:
                return

    @precondition(has_items)
    @rule(side=WHO, kind=st.none() | KIND, pick=PICK)
    def get(self, side: int, kind: Kind | None, pick: int) -> None:
        _, id_ = self._pick(pick)
        path = f"{NAME_OF_KIND[kind]}.get" if kind else "get"
        found = self._step(side, path, id_)
        expected = _attempt(self.queries.get, kind, id_)
        if self._read(found, expected):
            self.comparison.item(path, found, expected)

    @rule(side=WHO, kind=KIND, key=st.sampled_from(KEYS), project=st.none() | st.sampled_from(PROJECTS))
    def get_by_key(self, side: int, kind: Kind, key: str, project: str | None) -> None:
        found = self._step(side, f"{NAME_OF_KIND[kind]}.get", key=key, project=project)
        expected = _attempt(self.queries.get_by_key, self.who[self._side(side)], kind, key, project)
        if self._read(found, expected):
            # Two channels of one tier are equally restricted: either item will do.
            same = [known for known in self._equals_by_key(expected) if known.id == found.id]
            _equal("get by key", bool(same), True)
            self.comparison.item("get by key", found, same[0])

    def _equals_by_key(self, expected: Known) -> list[Known]:
        return [
            known
            for known in self.model.state.items.values()
            if known.is_live
            and (known.kind, known.project, known.values["key"], known.values["tier"])
            == (expected.kind, expected.project, expected.values["key"], expected.values["tier"])
            and (known.values["channel"] is None) == (expected.values["channel"] is None)
        ]

    @rule(
        side=WHO,
        number=st.integers(0, len(QUERIES) - 1),
        vector=VECTOR,
        text=st.none() | st.sampled_from(["one", MEANINGLESS]),
    )
    def search(self, side: int, number: int, vector: int, text: str | None) -> None:
        query: dict[str, Any] = {"kinds": [], "project": None, "tags": [], "k": 10, **QUERIES[number]}
        who = self.who[self._side(side)]
        expected: Any
        if text is None:
            found = self._step(side, "search", vector=_array([VECTORS[vector]])[0], **query)
            expected = _attempt(self.queries.search, who, VECTORS[vector], **query)
        else:
            found = self._step(side, "search", text, **query)
            meaning = embed(text)
            if who.mode != "embeds":
                expected = Refused("unsupported")
            elif meaning is None:
                expected = Refused("invalid_input")
            else:
                expected = _attempt(self.queries.search, who, meaning, **query)
        if self._read(found, expected):
            self.comparison.search(found, expected)

    @rule(side=WHO, picks=st.lists(PICK, max_size=3), since=st.integers(0, 12), limit=st.integers(1, 5))
    def look_at_parts(self, side: int, picks: list[int], since: int, limit: int) -> None:
        """Asks for a part of what `Comparison.everything` asks for as a whole."""
        ids = [self._pick(pick)[1] for pick in picks]
        found = self._step(side, "embeddings.get", ids)
        expected = _attempt(self.queries.embeddings, ids)
        if self._read(found, expected):
            rows = zip(found.item_index, found.chunks, found.vectors, strict=True)
            _equal("embeddings.get", [(int(at), int(chunk), row.tobytes()) for at, chunk, row in rows], expected)
        found = self._step(side, "embeddings.missing", limit)
        if self._read(found, ()):
            _equal("embeddings.missing", list(found), self.queries.missing(limit))
        found = self._step(side, "changes", since, limit=limit)
        log = [entry for entry in self.model.state.log if entry.seq > since]
        # The entries of a commit are never separated.
        last = log[min(limit, len(log)) - 1].seq if log else 0
        if self._read(found, ()):
            shown = [(change.seq, change.ordinal) for change in found]
            _equal("changes", shown, [(entry.seq, entry.ordinal) for entry in log if entry.seq <= last])

    @precondition(has_items)
    @rule(side=WHO)
    def repair(self, side: int) -> None:
        found = self._step(side, "check", repair=True)
        expected = _attempt(self.model.repair, self.who[self._side(side)])
        if self._settle(side, found, expected):
            sentence = f"{expected} chunks without a vector were embedded"
            _equal("repair", (found.problems, found.repaired), ((), (sentence,) if expected else ()))

    @precondition(has_items)
    @rule(side=WHO)
    def checkpoint(self, side: int) -> None:
        found = self._step(side, "checkpoint")
        self._settle(side, found, None)

    @precondition(lambda self: self.place != "memory")
    @rule(side=WHO, who=HANDLES)
    def open_again(self, side: int, who: Handle) -> None:
        """Closes a handle and opens another."""
        ModelMachine.outcomes["close and open", "ok"] += 1
        side = self._side(side)
        self.handles[side].close()
        self.who[side] = who
        self.handles[side] = self._open(side)
        self.comparison.everything(self.handles[side], who)

    @precondition(lambda self: self.place != "memory")
    @rule(both=st.booleans(), who=HANDLES)
    def kill(self, who: Handle, *, both: bool) -> None:
        """Kills the process of a handle, or of both, so that nobody is left who has the log open."""
        sides = [side for side in range(2) if self._is_remote(side)][: None if both else 1]
        ModelMachine.outcomes["kill", "ok"] += 1
        for side in sides:
            self._worker(side).kill()
        self.killed(both=both)
        for side in sides:
            self.who[side] = who
            self.handles[side] = self._open(side)
        self.comparison.everything(self.handles[sides[0]], who)


class StoreMachine(ModelMachine):
    """The rules on stores in all places."""

    places = ("memory", "shared", "crash")


def _array(rows: list[bytes]) -> Any:
    return np.frombuffer(b"".join(rows), dtype=np.float32).reshape(-1, DIMENSION)


def _named(kind: Kind, given: Any) -> dict[str, Any]:
    """The vectors as the method of a kind calls them."""
    if given is None:
        return {}
    return {"vectors": given} if kind == "doc" else {"vector": given[0]}


def _attempt(verb: Any, *arguments: Any, **options: Any) -> Any:
    """What the model answers, or its refusal."""
    try:
        return verb(*arguments, **options)
    except Refused as refusal:
        return refusal


def _equal(what: str, found: object, expected: object) -> None:
    if isinstance(found, RecollectError) or found != expected:
        raise Difference(f"{what}: the store says {found!r}, the model {expected!r}")
