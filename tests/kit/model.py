"""A model of a store in plain Python: dictionaries and lists, no SQL, no index, nothing clever.

It answers every verb as the store must, or refuses it with the code of the error that the store must raise. What only
the store can know it is told: the ids of new items (`ids`) and the times of commits (`learn`). How a document is split
into chunks it asks a function for, because splitting is proved elsewhere.

The model is the meaning of the verbs; `tests/kit/model_machine.py` runs store and model side by side.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from tests.kit.model_contents import DEFAULTS, embed, patched, ready
from tests.kit.model_projects import ProjectVerbs
from tests.kit.model_state import Chunk, Entry, Handle, Known, Past, Refused, Split, State

from recollect.records import Kind, Operation

__all__ = ["Model"]


class Model(ProjectVerbs):
    """A store as it must be.

    Args:
        split: Splits documents.
        frees_keys: Whether deleting an item frees its key. A model without this is wrong: a proof that cannot tell it
            from a store proves nothing.
    """

    def __init__(self, split: Split, *, frees_keys: bool = True) -> None:
        self.state = State()
        self._split = split
        self._frees_keys = frees_keys
        self._entries: list[tuple[Known | None, Operation]] = []
        self._by = ""

    @contextmanager
    def _commit(self, who: Handle) -> Iterator[int]:
        """A transaction: gives the number it will have if it changes anything; undone whole when refused."""
        before = self.state.copy()
        self._entries = []
        self._by = who.principal
        try:
            yield before.seq + 1
        except Refused:
            self.state = before
            raise
        if self._entries:
            self.state.seq += 1
            for ordinal, (known, operation) in enumerate(self._entries):
                id_, kind = (known.id, known.kind) if known else (None, None)
                self.state.log.append(Entry(self.state.seq, ordinal, id_, kind, operation, self._by))

    def _live(self, kind: Kind | None, id_: str, version: int | None = None) -> Known:
        """The live item of an id."""
        known = self.state.items.get(id_)
        if known is None or (kind is not None and known.kind != kind) or not known.is_live:
            raise Refused("not_found")
        if version is not None and version != known.version:
            raise Refused("conflict")
        return known

    def _project(self, path: str) -> int:
        """The number of a project, which is made if need be."""
        for number, known in self.state.projects.items():
            if known == path:
                return number
        number = self.state.next_project
        self.state.next_project += 1
        self.state.projects[number] = path
        return number

    def _check_access(self, values: Mapping[str, Any]) -> None:
        if values["channel"] is not None and values["channel"] not in self.state.channels:
            raise Refused("not_found")

    def _holders(self, known: Known, key: str | None) -> list[Known]:
        """The live items of the same kind, project and access class with a key."""
        return [
            other
            for other in self.state.items.values()
            if key is not None
            and other.values["key"] == key
            and (other.is_live or not self._frees_keys)
            and (other.kind, other.project, other.access) == (known.kind, known.project, known.access)
        ]

    def _twins(self, known: Known) -> list[Known]:
        """The live items of equal content, kind, project and access class, the oldest first."""
        place = (known.kind, known.project, known.access, known.content)
        return [
            other
            for other in self.state.items.values()
            if other.is_live and (other.kind, other.project, other.access, other.content) == place
        ]

    def _pieces(self, known: Known) -> list[tuple[str, tuple[str, ...], int]]:
        """The chunks an item must have: text, headings, and where each begins."""
        values = known.values
        if known.kind == "rule":
            return [(values["text"], (), 0)]
        if known.kind == "doc":
            return list(self._split(values["text"], values["media_type"]))
        if values["note"].strip():
            return [(values["note"], (values["target"],), 0)]
        return [(values["target"], (), 0)]

    def _vectors_of_new(self, who: Handle, texts: list[str], given: Sequence[bytes] | None) -> list[bytes | None]:
        """One vector, or none, for each text that is about to become a chunk."""
        if given is not None:
            if who.mode == "none" and not self.state.has_space:
                raise Refused("invalid_input")
            if len(given) != len(texts):
                raise Refused("invalid_input")
            return list(given)
        if who.mode == "embeds":
            return [embed(text) for text in texts]
        return [None] * len(texts)

    def _wants_space(self, who: Handle, given: object) -> None:
        """Vectors that are written make the space, if the handle says which."""
        if (given is not None or who.mode == "embeds") and who.mode != "none":
            self.state.has_space = True

    def _put(self, chunk: int, vector: bytes | None) -> None:
        if vector is not None and self.state.has_space:
            self.state.vectors[chunk] = vector

    def add(
        self,
        who: Handle,
        kind: Kind,
        drafts: Sequence[Mapping[str, Any]],
        vectors: Sequence[bytes] | None,
        ids: Sequence[str],
    ) -> list[dict[str, Any]]:
        """Adds items: all or none. `ids` are what the store called them."""
        prepared = [ready(kind, draft) for draft in drafts]
        candidates = [
            Known(0, "", kind, 1, values, 0, 0, "created", 0, who.principal, who.principal) for values in prepared
        ]
        pieces = [self._pieces(candidate) for candidate in candidates]
        texts = [Chunk(0, *piece).embedded_text for own in pieces for piece in own]
        rows = self._vectors_of_new(who, texts, vectors)
        answers = []
        with self._commit(who) as seq:
            self._wants_space(who, vectors)
            first = 0
            for draft, candidate, own, id_ in zip(drafts, candidates, pieces, ids, strict=True):
                own_vectors = rows[first : first + len(own)]
                first += len(own)
                self._check_access(candidate.values)
                path = draft.get("project")
                project = self._project(who.project if path is None else path)
                placed = replace(candidate, id=id_, project=project, from_seq=seq, created_seq=seq)
                answers.append(self._add_one(who, placed, own, own_vectors))
        return answers

    def _add_one(
        self,
        who: Handle,
        new: Known,
        pieces: list[tuple[str, tuple[str, ...], int]],
        vectors: list[bytes | None],
    ) -> dict[str, Any]:
        key = new.values["key"]
        path = self.state.projects[new.project]
        while existing := self._holders(new, key) if key is not None else self._twins(new):
            if existing[0].has_expired:
                # It is in nobody's way, and its project may go with it.
                self._remove(existing[0], "swept")
                new = replace(new, project=self._project(path))
                continue
            return self._found(existing[0], new, pieces, vectors)
        chunks = []
        for (text, heading, start), vector in zip(pieces, vectors, strict=True):
            chunks.append(Chunk(self.state.next_chunk, text, heading, start))
            self._put(self.state.next_chunk, vector)
            self.state.next_chunk += 1
        new = replace(new, row=self.state.next_row, chunks=tuple(chunks))
        twins = self._twins(new)
        alike = [
            other.id
            for other in self.state.items.values()
            if other.is_live
            and (other.kind, other.project, other.access) == (new.kind, new.project, new.access)
            and other.text == new.text
        ]
        self.state.next_row += 1
        self.state.items[new.id] = new
        self.state.tags.update(new.values["tags"])
        self._entries.append((new, "created"))
        has_vector = any(chunk.id in self.state.vectors for chunk in chunks)
        says_so = not has_vector and (self.state.has_space or who.mode != "none")
        return {
            "id": new.id,
            "key": key,
            "version": 1,
            "created": True,
            "not_embedded": says_so,
            "alike": alike,
            "must_warn": bool(twins),
            "fields": (),
        }

    def _found(
        self,
        kept: Known,
        new: Known,
        pieces: list[tuple[str, tuple[str, ...], int]],
        vectors: list[bytes | None],
    ) -> dict[str, Any]:
        """The answer when the key or the content is there already; vectors that were missing are filled in."""
        is_filled = False
        for chunk, piece, vector in zip(kept.chunks, pieces, vectors, strict=False):
            is_same = chunk.content == (piece[1], piece[0])
            if is_same and vector is not None and self.state.has_space and chunk.id not in self.state.vectors:
                self.state.vectors[chunk.id] = vector
                is_filled = True
        if is_filled:
            self._entries.append((kept, "embedded"))
        if kept.content != new.content:
            raise Refused("already_exists")
        compared = ["tags", "metadata", "priority", "source", "trust", "valid_from", "valid_until", "expires_at"]
        if kept.kind == "ref":
            compared += ["target_kind", "checked_at", "state"]
        fields = tuple(name for name in compared if _text(kept.values[name]) != _text(new.values[name]))
        answer = {"id": kept.id, "key": kept.values["key"], "version": kept.version, "created": False}
        return answer | {"not_embedded": False, "alike": [], "must_warn": False, "fields": fields}

    def update(
        self,
        who: Handle,
        kind: Kind,
        id_: str,
        patch: Mapping[str, Any],
        version: int | None,
        vectors: Sequence[bytes] | None,
    ) -> Known:
        """Changes an item."""
        before = self._live(kind, id_, version)
        path = patch.get("project", self.state.projects[before.project])
        values = patched(kind, before.values, patch)
        return self._change(who, before, "updated", (path or "", values), vectors)

    def revert(self, who: Handle, kind: Kind, id_: str, to: int, version: int | None) -> Known:
        """Makes an older version the newest."""
        before = self._live(kind, id_, version)
        for old, path in self.versions(before):
            if old.version == to:
                # A time that has passed is not brought back.
                kept = {"expires_at": before.values["expires_at"]} if old.has_expired else {}
                return self._change(who, before, "reverted", (path, {**old.values, **kept}), None)
        raise Refused("not_found")

    def _change(
        self,
        who: Handle,
        before: Known,
        operation: Operation,
        after: tuple[str, Mapping[str, Any]],
        given: Sequence[bytes] | None,
    ) -> Known:
        path, values = after
        is_equal = self.state.projects[before.project] == path and _text(values) == _text(before.values)
        if operation == "updated" and is_equal and given is None:
            return before
        wanted = self._pieces(replace(before, values=values))
        rows: list[bytes | None]
        if given is not None:
            rows = self._vectors_of_new(who, [text for text, *_ in wanted], given)
        else:
            living = {chunk.content for chunk in before.chunks}
            rows = [
                embed(Chunk(0, *piece).embedded_text)
                if who.mode == "embeds" and (piece[1], piece[0]) not in living
                else None
                for piece in wanted
            ]
        with self._commit(who) as seq:
            self._wants_space(who, given)
            self._check_access(values)
            known = replace(before, values=values, project=self._project(path))
            if any(other.id != before.id for other in self._holders(known, values["key"])):
                raise Refused("already_exists")
            known = self._replace(before, known, operation, seq)
            self.state.tags.update(values["tags"])
            return self._rechunk(known, wanted, rows)

    def _replace(self, before: Known, after: Known, operation: Operation, seq: int) -> Known:
        """Makes a new version."""
        known = replace(
            after,
            version=before.version + 1,
            from_seq=seq,
            operation=operation,
            updated_by=self._by,
            past=(*before.past, Past(before, self.state.projects[before.project])),
        )
        self.state.items[known.id] = known
        self._entries.append((known, operation))
        return known

    def _rechunk(self, known: Known, wanted: list[tuple[str, tuple[str, ...], int]], rows: list[bytes | None]) -> Known:
        """Gives an item the chunks it must have: equal ones stay, with their ids and vectors."""
        rest = list(known.chunks)
        chunks: list[Chunk | None] = []
        is_replaced = False
        for (text, heading, start), vector in zip(wanted, rows, strict=True):
            kept = next((chunk for chunk in rest if chunk.content == (heading, text)), None)
            if kept is None:
                chunks.append(None)
                continue
            rest.remove(kept)
            chunks.append(replace(kept, start=start))
            if vector is not None and self.state.has_space:
                self.state.vectors[kept.id] = vector
                is_replaced = True
        dead = (*known.dead, *rest)
        for place, ((text, heading, start), vector) in enumerate(zip(wanted, rows, strict=True)):
            if chunks[place] is not None:
                continue
            new = Chunk(self.state.next_chunk, text, heading, start)
            self.state.next_chunk += 1
            if vector is None:
                # An older version of the item had the same chunk: its vector serves again.
                older = [chunk for chunk in chunks if chunk] + list(dead)
                equal = [chunk.id for chunk in older if chunk.content == new.content and chunk.id in self.state.vectors]
                vector = self.state.vectors[equal[0]] if equal else None  # noqa: PLW2901 - the row is filled in
            self._put(new.id, vector)
            chunks[place] = new
        known = replace(known, chunks=tuple(chunk for chunk in chunks if chunk), dead=dead)
        self.state.items[known.id] = known
        if is_replaced:
            self._entries.append((known, "embedded"))
        return known

    def delete(self, who: Handle, kind: Kind, id_: str, version: int | None) -> Known:
        """Deletes an item softly."""
        with self._commit(who) as seq:
            return self._delete_one(self._live(kind, id_, version), seq)

    def _delete_one(self, before: Known, seq: int) -> Known:
        return self._replace(before, replace(before, deleted_seq=seq), "deleted", seq)

    def restore(self, who: Handle, kind: Kind, id_: str) -> Known:
        """Brings a deleted item back."""
        before = self.state.items.get(id_)
        if before is None or before.kind != kind:
            raise Refused("not_found")
        if before.is_live or before.has_expired:
            raise Refused("conflict")
        with self._commit(who) as seq:
            if any(other.id != before.id for other in self._holders(before, before.values["key"])):
                raise Refused("already_exists")
            return self._replace(before, replace(before, deleted_seq=None), "restored", seq)

    def delete_many(
        self, who: Handle, doomed: Sequence[Known], expected: int | None, *, dry_run: bool
    ) -> tuple[str, ...]:
        """Deletes the items that a filter found."""
        if expected is not None and expected != len(doomed):
            raise Refused("conflict")
        if not dry_run:
            with self._commit(who) as seq:
                for known in doomed:
                    self._delete_one(known, seq)
        return tuple(known.id for known in doomed)

    def purge(self, who: Handle, kind: Kind, ids: Sequence[str]) -> list[tuple[str, int, int]]:
        """Takes items away for good: for each its id, and how many versions and chunks went."""
        answers = []
        with self._commit(who):
            for id_ in ids:
                known = self.state.items.get(id_)
                if known is not None and known.kind == kind:
                    answers.append((id_, known.version, len(known.chunks) + len(known.dead)))
                    self._remove(known, "purged")
                elif self.state.purged.get(id_) == kind:
                    answers.append((id_, 0, 0))
                else:
                    raise Refused("not_found")
        return answers

    def _remove(self, known: Known, operation: Operation) -> None:
        """Forgets an item: its versions, chunks and vectors; its projects and tags that nothing else has."""
        del self.state.items[known.id]
        self.state.purged[known.id] = known.kind
        for chunk in (*known.chunks, *known.dead):
            self.state.vectors.pop(chunk.id, None)
        names = {tag for version in (known, *(past.known for past in known.past)) for tag in version.values["tags"]}
        self.state.tags -= names - {tag for other in self.state.items.values() for tag in other.values["tags"]}
        for number in {known.project, *(past.known.project for past in known.past)} - {1}:
            if not any(self._held(number)):
                self.state.projects.pop(number, None)
        self._entries.append((known, operation))

    def sweep(self, who: Handle, expired: Sequence[Known], sizes: Sequence[int]) -> int:
        """Takes items away for good whose time has passed, in commits of sizes that depend on how long they take."""
        left = list(expired)
        for size in (*sizes, len(expired)):
            with self._commit(who):
                for known in left[:size]:
                    self._remove(known, "swept")
            del left[:size]
        return len(expired)

    def put_embeddings(self, who: Handle, chunks: Sequence[int], vectors: Sequence[bytes]) -> int:
        """Stores vectors of chunks."""
        if who.mode == "none" and not self.state.has_space:
            raise Refused("invalid_input")
        owners = {chunk.id: known for known in self.state.items.values() if known.is_live for chunk in known.chunks}
        if not chunks:
            return 0
        with self._commit(who):
            self._wants_space(who, vectors)
            for chunk, vector in zip(chunks, vectors, strict=True):
                if chunk not in owners:
                    raise Refused("not_found")
                self.state.vectors[chunk] = vector
            touched = {owners[chunk].row: owners[chunk] for chunk in chunks}
            self._entries += [(touched[row], "embedded") for row in sorted(touched)]
        return len(chunks)

    def repair(self, who: Handle) -> int:
        """Repairs a sound store: chunks without a vector are embedded where there is a space. Returns how many."""
        missing = [
            (known, chunk)
            for known in self.state.items.values()
            if known.is_live
            for chunk in known.chunks
            if chunk.id not in self.state.vectors
        ]
        if who.mode != "embeds" or not self.state.has_space or not missing:
            return 0
        touched = {}
        with self._commit(who):
            count = 0
            for known, chunk in missing:
                vector = embed(chunk.embedded_text)
                self._put(chunk.id, vector)
                if vector is not None:
                    touched[known.row] = known
                    count += 1
            self._entries += [(touched[row], "embedded") for row in sorted(touched)]
        return count

    def create_channel(self, who: Handle, name: str) -> bool:
        """Makes a channel; False if it is there."""
        with self._commit(who):
            is_new = name not in self.state.channels
            if is_new:
                self.state.channels.add(name)
                self._entries.append((None, "created"))
        return is_new

    def versions(self, known: Known) -> list[tuple[Known, str]]:
        """Every version of an item, oldest first, with the path of its project: today's, if the project is there."""
        older = [(past.known, self.state.projects.get(past.known.project, past.path)) for past in known.past]
        return [*older, (known, self.state.projects[known.project])]


def _text(value: object) -> str:
    """A form of a value in which 1 is neither 1.0 nor true."""
    return json.dumps(value, default=repr)


assert set(DEFAULTS) == {"rule", "doc", "ref"}
