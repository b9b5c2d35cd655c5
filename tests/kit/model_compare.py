"""Compares what a store answers with what the model expects, and says in one line where they differ."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.kit.model import Model
from tests.kit.model_handles import Call, Connection
from tests.kit.model_queries import Answer, Queries
from tests.kit.model_state import NAME_OF_KIND, Entry, Handle, Known, Refused

from recollect import RecollectError
from recollect.records import Kind

__all__ = ["Comparison", "Difference"]

_UNDO_WINDOW: Final = timedelta(days=30)
_KINDS: Final[tuple[Kind, ...]] = ("rule", "doc", "ref")
# A commit's time is read from the clock of the machine, which may be set while the tests run.
_CLOCK_TOLERANCE: Final = timedelta(seconds=5)


class Difference(AssertionError):  # noqa: N818 - what was found, not what went wrong
    """Store and model disagree."""


def _same(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise Difference(f"{what}: the store says {found!r}, the model {expected!r}")


class Comparison:
    """Compares handles of one store with one model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._queries = Queries(model)

    def outcome(self, what: str, found: Any, expected: object) -> bool:
        """Whether both gave a value; a difference if one refused, or another error."""
        code = found.code if isinstance(found, RecollectError) else None
        if isinstance(found, BaseException) and code is None:
            raise Difference(f"{what}: the store raised {found!r}")
        wanted = expected.code if isinstance(expected, Refused) else None
        if code != wanted:
            shown = str(found) if code else "a value"
            raise Difference(f"{what}: the store gave {shown} ({code}), the model {wanted or 'a value'}")
        return code is None

    def learn(self, handle: Connection, known: int, since: datetime) -> None:
        """Compares what a handle sees after a step: the numbers of a store, and the log after the entry `known`.

        The times of the new entries are taken over.
        """
        state = self._model.state
        stats, changes = handle.calls([("stats", (), {}), ("changes", (known,), {})])
        until = datetime.now(UTC)
        self.stats(stats)
        _same("changes", isinstance(changes, RecollectError), False)
        found = [
            Entry(change.seq, change.ordinal, change.item, change.kind, change.operation, change.by)
            for change in changes
        ]
        expected = [entry for entry in state.log if entry.seq > known]
        # The order of the items within one commit is nobody's business; the operations of one item are in order.
        _same("changes", [_loose(entry) for entry in _ordered(found)], [_loose(entry) for entry in _ordered(expected)])
        _same("ordinals", [(entry.seq, entry.ordinal) for entry in found], [(e.seq, e.ordinal) for e in expected])
        for change in changes:
            is_now = since - _CLOCK_TOLERANCE <= change.at <= until + _CLOCK_TOLERANCE
            _same(f"time of change {change.seq}", is_now, True)
            _same(f"times of change {change.seq}", state.times.setdefault(change.seq, change.at), change.at)

    def item(self, what: str, found: Any, known: Known, path: str | None = None) -> None:
        """Compares one item."""
        expected = self._queries.fields(known, self._queries.path(known) if path is None else path)
        shown = {name: getattr(found, name) for name in expected}
        if shown != expected:
            names = [name for name in expected if shown[name] != expected[name]]
            _same(f"{what}: {', '.join(names)}", [shown[name] for name in names], [expected[name] for name in names])

    def items(self, what: str, found: Iterable[Any], expected: Sequence[Known]) -> None:
        """Compares items in their order."""
        listed = list(found)
        _same(f"{what}: ids", [item.id for item in listed], [known.id for known in expected])
        for item, known in zip(listed, expected, strict=True):
            self.item(what, item, known)

    def added(self, found: Sequence[Any], expected: Sequence[Mapping[str, Any]]) -> None:
        """Compares what an addition answered."""
        for one, model in zip(found, expected, strict=True):
            shown = (one.id, one.key, one.version, one.created)
            _same("added", shown, (model["id"], model["key"], model["version"], model["created"]))
            warnings = {warning.code: warning for warning in one.warnings}
            _same("added: not_embedded", "not_embedded" in warnings, model["not_embedded"])
            kept = warnings["fields_kept"].fields if "fields_kept" in warnings else ()
            _same("added: fields_kept", sorted(kept), sorted(model["fields"]))
            if "near_duplicate" in warnings:
                _same("added: near_duplicate", warnings["near_duplicate"].item in model["alike"], True)
            elif model["must_warn"]:
                raise Difference("added: no warning of an item that says the same")

    def deleted(self, found: Any, known: Known) -> None:
        """Compares what a deletion answered."""
        window_end = self._model.state.times[known.from_seq] + _UNDO_WINDOW
        # What has expired cannot be restored.
        until = min(window_end, known.values["expires_at"] or window_end)
        _same("deleted", (found.id, found.version, found.undo_until), (known.id, known.version, until))

    def search(self, found: Any, expected: Answer) -> None:
        """Compares the answer to a search, scores bit for bit."""
        _same("search: scope", found.scope, expected.scope)
        _same("search: matched", found.matched, expected.matched)
        _same("search: seq", found.seq, self._model.state.seq)
        _same(
            "search: hits",
            [(hit.id, hit.chunk, hit.score) for hit in found],
            [(hit.known.id, hit.chunk, hit.score) for hit in expected.hits],
        )
        for hit, ranked in zip(found, expected.hits, strict=True):
            known, values = ranked.known, ranked.known.values
            chunk = next(chunk for chunk in known.chunks if chunk.id == ranked.chunk)
            title = values["title"] if known.kind == "doc" else values.get("target")
            _same(
                "search: hit",
                [
                    *(hit.kind, hit.version, hit.key, hit.project, hit.snippet, hit.heading, hit.start, hit.end),
                    *(hit.title, hit.path, hit.tags, hit.source, hit.trust, hit.priority, hit.updated_at),
                ],
                [
                    *(known.kind, known.version, values["key"], self._queries.path(known), chunk.text, chunk.heading),
                    *(chunk.start, chunk.start + len(chunk.text), title, values.get("path"), values["tags"]),
                    *(values["source"], values["trust"], values["priority"]),
                    self._model.state.times[known.from_seq],
                ],
            )

    def stats(self, stats: Any) -> None:
        """Compares the numbers of items, tags and projects, and how far the log has come."""
        state = self._model.state
        live = [known.kind for known in state.items.values() if known.is_live]
        _same(
            "stats",
            [stats.seq, stats.rules, stats.docs, stats.refs, stats.deleted, stats.tags, stats.projects],
            [state.seq, *map(live.count, _KINDS), len(state.items) - len(live), len(state.tags), len(state.projects)],
        )

    def everything(self, handle: Connection, who: Handle) -> None:
        """Compares all that can be read."""
        state, queries = self._model.state, self._queries
        live = [known.id for known in state.items.values() if known.is_live]
        lists = [(kind, is_deleted) for kind in _KINDS for is_deleted in (False, True)]
        asked: list[Call] = [
            ("stats", (), {}),
            ("projects.list", (), {}),
            ("channels.list", (), {}),
            ("space", (), {}),
            ("check", (), {}),
            ("embeddings.get", (live,), {}),
            ("embeddings.missing", (10_000,), {}),
            *((f"{NAME_OF_KIND[kind]}.list", (), {"limit": 10_000, "deleted": deleted}) for kind, deleted in lists),
            *((f"{NAME_OF_KIND[known.kind]}.history", (known.id,), {}) for known in state.items.values()),
            *((f"{NAME_OF_KIND[kind]}.history", (id_,), {}) for id_, kind in state.purged.items()),
        ]
        stats, projects, channels, space, report, embeddings, missing, *rest = handle.calls(asked)
        self.stats(stats)
        shown = [(project.path, project.rules, project.docs, project.refs) for project in projects]
        _same("projects", shown, queries.projects())
        _same("channels", channels, tuple(sorted(state.channels, key=str.encode)))
        _same("space", (space.name, space.dimension) if space else None, queries.space(who))
        self.report(report)
        rows = [
            (int(place), int(chunk), row.tobytes())
            for place, chunk, row in zip(embeddings.item_index, embeddings.chunks, embeddings.vectors, strict=True)
        ]
        _same("embeddings.get", rows, queries.embeddings(live))
        _same("embeddings.missing", list(missing), queries.missing(10_000))
        for (kind, deleted), page in zip(lists, rest, strict=False):
            self.items(f"{NAME_OF_KIND[kind]}.list", page, queries.find(kind, {"deleted": deleted}))
        histories = rest[len(lists) :]
        for known, versions in zip(state.items.values(), histories, strict=False):
            self.history(known, versions)
        for gone in histories[len(state.items) :]:
            _same("history of what is gone", getattr(gone, "code", None), "not_found")

    def history(self, known: Known, versions: Sequence[Any]) -> None:
        """Compares all versions of an item."""
        expected = self._queries.history(known.kind, known.id)
        told = [(version.operation, version.seq, version.item.version) for version in versions]
        _same("history", told, [(old.operation, old.from_seq, old.version) for old, _ in expected])
        for version, (old, path) in zip(versions, expected, strict=True):
            self.item("history", version.item, old, path)

    def report(self, report: Any) -> None:
        """Compares what a check of the store found."""
        state = self._model.state
        _same("check", report.problems, ())
        _same(
            "check",
            [report.items, report.chunks, report.vectors, report.changes],
            [
                len(state.items),
                sum(len(known.chunks) for known in state.items.values()),
                len(state.vectors),
                len(state.log),
            ],
        )


def _loose(entry: Entry) -> tuple[object, ...]:
    return entry.seq, entry.item, entry.kind, entry.operation, entry.by


def _ordered(entries: Sequence[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (entry.seq, entry.item or "", entry.ordinal))
