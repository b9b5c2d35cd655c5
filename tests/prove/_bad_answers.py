"""What `bad_input.py` asks of an answer: whatever was accepted must be read back exactly."""

import json
import operator
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from tests.prove._bad_objects import describe
from tests.prove._bad_targets import Target
from tests.prove._sound_values import DIMENSION

import recollect
from recollect import NotFoundError, RecollectError, Store

__all__ = ["Answers"]

LISTS: Final = frozenset({"tags", "modes", "applies_to"})
TIMES: Final = frozenset({"valid_from", "valid_until", "expires_at", "checked_at"})


class Answers:
    """Reads back what a store has accepted.

    Attributes:
        store: Where it was accepted.
        before: How many live items each project had before the call.
        compared: How many answers were compared.
        findings: What was not as it should be.
        said: The call, in words.
    """

    store: Store
    before: dict[str, int]
    compared: int
    findings: list[str]
    said: str

    def find(self, what: str) -> None:
        """Writes a finding down."""
        self.findings.append(f"{what[:200]}  in  {self.said[:600]}")

    def counts(self) -> dict[str, int]:
        """How many live items each project has."""
        return {project.path: project.rules + project.docs + project.refs for project in self.store.projects.list()}

    def look(self, target: Target, wanted: dict[str, Any] | None, value: Any) -> None:
        """Reads back what was accepted."""
        if wanted is None:
            self.find("accepted, though the arguments do not fit the signature")
            return
        try:
            if target.owner in {"rules", "docs", "refs"}:
                self.look_at_items(target, wanted, value)
            elif target.owner == "projects":
                self.look_at_projects(target.verb, wanted, value)
            elif target.name == "open":
                self.look_at_store(wanted, value)
            elif target.name == "embeddings.put":
                self.compare_vectors(wanted)
            elif target.name == "channels.create" and plain(wanted["name"]) not in self.store.channels.list():
                self.find("the channel is not there")
        except RecollectError as error:
            self.find(f"what was accepted cannot be read: {error}")
        except Exception as error:  # noqa: BLE001 - a value that cannot even be compared should not have been taken
            self.find(f"what was accepted cannot be compared: {type(error).__name__}: {error}")

    def look_at_items(self, target: Target, wanted: dict[str, Any], value: Any) -> None:
        """Reads back what a verb of items has done."""
        match target.verb:
            case "update" | "add":
                if target.verb == "update" or value.created:
                    self.compare(wanted, value.id)
            case "add_many":
                self.compare_batch(wanted, value)
            case "revert":
                self.compare_versions(target.owner, wanted, value)
            case "restore":
                if self.store.get(plain(wanted["id"])) != value:
                    self.find("restored, and read otherwise")
            case "delete" | "delete_many" | "purge" | "purge_many":
                self.look_for_none(removed(value), target.owner, has_history=target.verb.startswith("delete"))

    def look_at_store(self, wanted: Mapping[str, Any], store: Any) -> None:
        """Looks at a store that was opened, and closes it."""
        with store:
            if store.default_project != plain(wanted.get("project", "")):
                self.find("another default project")
            if store.rules.count() < 0:
                self.find("a count below zero")

    def look_at_projects(self, verb: str, wanted: Mapping[str, Any], value: Any) -> None:
        """Compares the projects and their counts with those before."""
        if verb == "list":
            return
        self.compared += 1
        path = plain(wanted["path"])
        if verb == "delete":
            is_recursive = plain(wanted.get("recursive", False))
            gone = {one for one in self.before if one == path or (is_recursive and is_below(one, path))}
            expected = {one: count for one, count in self.before.items() if one not in gone}
            if value != sum(self.before[one] for one in gone):
                self.find(f"{value} items deleted of {self.before}")
        else:
            place = path.rpartition("/")[0] if verb == "rename" else plain(wanted["parent"])
            name = plain(wanted["name"]) if verb == "rename" else path.rpartition("/")[2]
            new = f"{place}/{name}" if place else name
            if value != new:
                self.find(f"the new path is {value!r}, not {new!r}")
            expected = {
                new + one.removeprefix(path) if one == path or is_below(one, path) else one: count
                for one, count in self.before.items()
            }
        if self.counts() != expected:
            self.find(f"the projects are {self.counts()} instead of {expected}")

    def look_for_none(self, ids: Sequence[str], owner: str | None, *, has_history: bool) -> None:
        """Looks for items that are to be gone."""
        self.compared += 1
        for id_ in ids:
            try:
                self.store.get(id_)
            except NotFoundError:
                pass
            else:
                self.find(f"{id_} is removed, and still there")
            try:
                found = bool(getattr(self.store, owner or "").history(id_))
            except NotFoundError:
                found = False
            if found != has_history:
                self.find(f"{id_} is removed, and its history {'is there' if found else 'is gone'}")

    def compare_batch(self, wanted: dict[str, Any], added: Any) -> None:
        """Compares each item of a batch with its draft."""
        drafts = list(wanted["items"])
        if len(drafts) != len(added):
            self.find(f"{len(drafts)} drafts led to {len(added)} answers")
            return
        for draft, one in zip(drafts, added, strict=True):
            fields = {"text": draft} if isinstance(draft, str) else draft
            # What a mapping of another kind holds only its own methods know.
            if one.created and type(fields) in {dict, OrderedDict}:
                self.compare(fields, one.id)
        given = wanted.get("vectors")
        if given is not None and added and all(one.created for one in added):
            stored = self.store.embeddings.get([one.id for one in added]).vectors
            if stored.tobytes() != as_floats(given).tobytes():
                self.find(f"the vectors came back as {stored!r}")

    def compare_versions(self, owner: str | None, wanted: dict[str, Any], item: Any) -> None:
        """Compares an item that was reverted with the version that it was reverted to."""
        self.compared += 1
        to = wanted["to"]
        number = plain(to) if isinstance(to, int) else operator.index(to)
        versions = {version.item.version: version.item for version in getattr(self.store, owner or "").history(item.id)}
        for name in ("text", "note", "target", "title", "tags", "metadata", "priority"):
            if hasattr(item, name) and getattr(item, name) != getattr(versions[number], name):
                self.find(f"{name} is {describe(getattr(item, name))} after reverting to version {number}")
        if self.store.get(item.id) != item:
            self.find("reverted, and read otherwise")

    def compare(self, wanted: Mapping[str, Any], id_: str) -> None:
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


def removed(answer: Any) -> list[str]:
    """The ids that an answer says are removed."""
    if isinstance(answer, recollect.DeletedMany):
        return [] if answer.dry_run else list(answer.ids)
    return [one.id for one in answer] if isinstance(answer, tuple) else [answer.id]


def is_below(one: str, path: str) -> bool:
    """Whether a project stands below another."""
    return one != path and (not path or one.startswith(f"{path}/"))


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
