"""What the model answers to those who only read: items, lists, counts, vectors, and exact search."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from tests.kit.model import Model
from tests.kit.model_contents import DIMENSION, SPACE
from tests.kit.model_projects import ancestors, is_below
from tests.kit.model_state import Handle, Known, Refused

from recollect.records import Kind

__all__ = ["Answer", "Queries", "Ranked", "score", "unit"]

_TIERS: Final = ("public", "internal", "confidential", "restricted")
_LANE: Final = 16


@dataclass(frozen=True, slots=True)
class Ranked:
    """One hit: an item, its best chunk, and how near that is."""

    known: Known
    chunk: int
    score: float


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a search."""

    hits: tuple[Ranked, ...]
    scope: tuple[str, ...] | None
    matched: int


def unit(vector: bytes) -> npt.NDArray[np.float32]:
    """A vector scaled to length one: the squares are summed as doubles, one after the other."""
    components = np.frombuffer(vector, dtype=np.float32).astype(np.float64)
    squares = 0.0
    for component in components.tolist():
        squares += component * component
    if squares == 0:
        raise Refused("invalid_input")
    scaled: npt.NDArray[np.float32] = (components / np.sqrt(squares)).astype(np.float32)
    return scaled


def score(query: npt.NDArray[np.float32], vector: bytes) -> float:
    """The cosine, in floats, added up in the order that the kernels keep to: halves of a register onto each other."""
    sums = np.zeros(_LANE, dtype=np.float32)
    sums[: query.size] = query * unit(vector)
    while sums.size > 1:
        half = sums.size // 2
        sums = sums[:half] + sums[half:]
    return float(sums[0])


class Queries:
    """Reads a model."""

    def __init__(self, model: Model) -> None:
        self._model = model

    @property
    def _items(self) -> Iterator[Known]:
        return iter(self._model.state.items.values())

    def path(self, known: Known) -> str:
        """The path of an item's project."""
        return self._model.state.projects[known.project]

    def fields(self, known: Known, path: str) -> dict[str, Any]:
        """An item as a record shows it."""
        times = self._model.state.times
        return {
            **known.values,
            "id": known.id,
            "version": known.version,
            "project": path,
            "created_at": times[known.created_seq],
            "created_by": known.created_by,
            "updated_at": times[known.from_seq],
            "updated_by": known.updated_by,
            "deleted_at": None if known.deleted_seq is None else times[known.deleted_seq],
        }

    def get(self, kind: Kind | None, id_: str) -> Known:
        """The live item of an id."""
        known = self._model.state.items.get(id_)
        if known is None or not known.is_live or kind not in (None, known.kind):
            raise Refused("not_found")
        return known

    def get_by_key(self, who: Handle, kind: Kind, key: str, project: str | None) -> Known:
        """The live item of a key in the nearest project, there the most restricted one."""
        for path in ancestors(who.project if project is None else project):
            found = [
                known
                for known in self._items
                if known.is_live and known.kind == kind and known.values["key"] == key and self.path(known) == path
            ]
            if found:
                return max(found, key=lambda known: (_TIERS.index(known.values["tier"]), known.values["channel"] or ""))
        raise Refused("not_found")

    def history(self, kind: Kind, id_: str) -> list[tuple[Known, str]]:
        """Every version, also of a deleted item, with the path of its project."""
        known = self._model.state.items.get(id_)
        if known is None or known.kind != kind:
            raise Refused("not_found")
        return self._model.versions(known)

    def find(
        self, kind: Kind, filters: Mapping[str, Any], order: str = "created", *, turned: bool = False
    ) -> list[Known]:
        """The items that a list gives, all pages in one."""
        found = [known for known in self._items if known.kind == kind and self._passes(known, filters)]
        times = self._model.state.times
        keys: dict[str, Any] = {
            "created": lambda known: known.row,
            "updated": lambda known: (times[known.from_seq], known.row),
            "priority": lambda known: (known.values["priority"], known.row),
            "key": lambda known: (known.values["key"] or "", known.row),
        }
        return sorted(found, key=keys[order], reverse=turned)

    def _passes(self, known: Known, filters: Mapping[str, Any]) -> bool:
        values = known.values
        location = values.get("target", values.get("path"))
        wanted = {name: value for name, value in filters.items() if value is not None}
        is_wanted = known.is_live is not wanted.pop("deleted", False)
        scope = wanted.pop("project", "*")
        tags = wanted.pop("tags", ())
        prefixes = [(values["key"], wanted.pop("key_prefix", None)), (location, wanted.pop("path_prefix", None))]
        return (
            is_wanted
            and self._in_scope(known, scope)
            and set(tags) <= set(values["tags"])
            and all(prefix is None or (value is not None and value.startswith(prefix)) for value, prefix in prefixes)
            and all(values[name] == value for name, value in wanted.items())
        )

    def _in_scope(self, known: Known, scope: str) -> bool:
        if scope == "*":
            return True
        if scope.endswith("/*"):
            return is_below(self.path(known), scope[:-2])
        return self.path(known) == scope

    def projects(self) -> list[tuple[str, int, int, int]]:
        """The projects that hold live items, with their numbers of rules, docs and refs, by path."""
        counts: dict[str, list[int]] = {}
        for known in self._items:
            if known.is_live:
                counts.setdefault(self.path(known), [0, 0, 0])[("rule", "doc", "ref").index(known.kind)] += 1
        return [(path, *counts[path]) for path in sorted(counts, key=str.encode)]  # type: ignore[misc]

    def due(self) -> list[Known]:
        """The items that a sweep takes now because they have expired."""
        return [known for known in self._items if known.has_expired]

    def embeddings(self, ids: Sequence[str]) -> list[tuple[int, int, bytes]]:
        """The vectors of live items: the place of the item in `ids`, the chunk, the bytes."""
        vectors = self._model.state.vectors
        return [
            (place, chunk.id, vectors[chunk.id])
            for place, id_ in enumerate(ids)
            for chunk in self.get(None, id_).chunks
            if chunk.id in vectors
        ]

    def missing(self, limit: int) -> list[tuple[int, str]]:
        """The living chunks without a vector, oldest first, with what is to be embedded."""
        chunks = [chunk for known in self._items if known.is_live for chunk in known.chunks]
        without = [(chunk.id, chunk.embedded_text) for chunk in chunks if chunk.id not in self._model.state.vectors]
        return sorted(without)[:limit]

    def search(
        self,
        who: Handle,
        vector: bytes,
        *,
        kinds: Sequence[Kind],
        project: str | None,
        tags: Sequence[str],
        k: int,
    ) -> Answer:
        """Ranks every item in scope that is live and valid by its nearest chunk; ties go to the older chunk."""
        query = unit(vector)
        if not self._model.state.has_space and who.mode == "none":
            raise Refused("unsupported")
        scope, paths = who.project if project is None else project, None
        if scope != "*":
            top = scope.removesuffix("/*")
            paths = (scope, *ancestors(top)) if scope.endswith("/*") else ancestors(scope)
        now = datetime.now(UTC)
        matching = [
            known
            for known in self._items
            if known.is_live
            and _is_valid(known, now)
            and (not kinds or known.kind in kinds)
            and set(tags) <= set(known.values["tags"])
            and (paths is None or any(self._in_scope(known, path) for path in paths))
        ]
        vectors = self._model.state.vectors
        best = []
        for known in matching:
            ranked = [
                Ranked(known, chunk.id, score(query, vectors[chunk.id]))
                for chunk in known.chunks
                if chunk.id in vectors
            ]
            if ranked:
                best.append(min(ranked, key=_place))
        return Answer(tuple(sorted(best, key=_place)[:k]), paths, len(matching))

    def space(self, who: Handle) -> tuple[str, int] | None:
        """The embedding space that a handle shows."""
        return (SPACE, DIMENSION) if self._model.state.has_space or who.mode != "none" else None


def _place(hit: Ranked) -> tuple[float, int]:
    return -hit.score, hit.chunk


def _is_valid(known: Known, now: datetime) -> bool:
    values = known.values
    ends = [end for end in (values["valid_until"], values["expires_at"]) if end]
    return (not values["valid_from"] or values["valid_from"] <= now) and all(now < end for end in ends)
