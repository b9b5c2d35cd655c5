"""Everything malformed is refused with a typed error that says what to do, and nothing is written."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recollect
from recollect import ExternalVectors, InvalidInputError, NotFoundError, RecollectError, Store

NAN, INFINITY = float("nan"), float("inf")
ONE = np.ones(8, dtype=np.float32)
AWARE = datetime(2026, 1, 1, tzinfo=UTC)
ID = "01890a5d-ac96-774b-bcce-b302099a8057"


class Nowhere(tzinfo):
    """A time zone that does not know its offset."""

    def utcoffset(self, _when: datetime | None) -> timedelta | None:
        return None

    def dst(self, _when: datetime | None) -> None:
        return None

    def tzname(self, _when: datetime | None) -> str:
        return "nowhere"


class Broken(Nowhere):
    """A time zone that fails."""

    def utcoffset(self, _when: datetime | None) -> timedelta | None:
        raise ZeroDivisionError


def nested(depth: int) -> dict[str, Any]:
    """Metadata of that many levels."""
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


def endless() -> dict[str, Any]:
    """Metadata that contains itself."""
    value: dict[str, Any] = {}
    value["self"] = value
    return value


BAD_FIELDS: dict[str, dict[str, Any]] = {
    "key empty": {"key": ""},
    "key blank": {"key": " "},
    "key with space at the end": {"key": "a "},
    "key with newline": {"key": "a\nb"},
    "key with NUL": {"key": "a\0b"},
    "key too long": {"key": "k" * 513},
    "key too long in bytes": {"key": "é" * 300},
    "key with lone surrogate": {"key": "a\ud800"},
    "key of another type": {"key": 7},
    "project with leading slash": {"project": "/a"},
    "project with trailing slash": {"project": "a/"},
    "project with empty name": {"project": "a//b"},
    "project with dots": {"project": "a/../b"},
    "project with a star": {"project": "a/*"},
    "project too long": {"project": "p" * 513},
    "project too deep": {"project": "/".join("abcdefghijklmnopq")},
    "project with NUL": {"project": "a\0"},
    "project with lone surrogate": {"project": "\udfff"},
    "tag empty": {"tags": [""]},
    "tag too long": {"tags": ["t" * 129]},
    "tag with NUL": {"tags": ["\0"]},
    "tag with lone surrogate": {"tags": ["\ud83d"]},
    "tag of another type": {"tags": [1]},
    "tags as one text": {"tags": "abc"},
    "tags of another type": {"tags": 7},
    "too many tags": {"tags": [f"t{number}" for number in range(65)]},
    "metadata as text": {"metadata": "{}"},
    "metadata as list": {"metadata": [1]},
    "metadata with a number as key": {"metadata": {1: 2}},
    "metadata with NaN": {"metadata": {"a": NAN}},
    "metadata with infinity": {"metadata": {"a": [INFINITY]}},
    "metadata with bytes": {"metadata": {"a": b"b"}},
    "metadata with a set": {"metadata": {"a": {1}}},
    "metadata with a time": {"metadata": {"a": AWARE}},
    "metadata with lone surrogate": {"metadata": {"a": "\ud800"}},
    "metadata with lone surrogate in a key": {"metadata": {"\ud800": 1}},
    "metadata too deep": {"metadata": nested(40)},
    "metadata without end": {"metadata": endless()},
    "metadata too large": {"metadata": {"a": "x" * 70_000}},
    "tier unknown": {"tier": "cosmic"},
    "channel unknown": {"channel": "nowhere"},
    "channel with NUL": {"channel": "\0"},
    "priority too high": {"priority": 1001},
    "priority too low": {"priority": -1001},
    "priority beyond 32 bits": {"priority": 2**31},
    "priority beyond 64 bits": {"priority": 2**63},
    "priority as a fraction": {"priority": 1.5},
    "priority as text": {"priority": "high"},
    "source too long": {"source": "s" * 4097},
    "source with NUL": {"source": "s\0"},
    "trust unknown": {"trust": "somewhat"},
    "time naive": {"valid_from": datetime(2026, 1, 1)},  # noqa: DTZ001 - that is the point
    "time as text": {"valid_from": "2026-01-01T00:00:00Z"},
    "time as number": {"expires_at": 1767225600},
    "time zone without offset": {"valid_until": datetime(2026, 1, 1, tzinfo=Nowhere())},
    "time before the year one in UTC": {"valid_from": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))},
    "time after the year 9999 in UTC": {"expires_at": datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5)))},
    "valid for less than nothing": {"valid_from": AWARE, "valid_until": AWARE - timedelta(seconds=1)},
}

BAD_VECTORS: dict[str, Any] = {
    "too short": ONE[:7],
    "too long": np.ones(9, dtype=np.float32),
    "empty": [],
    "NaN": [NAN, *ONE[1:]],
    "infinity": [INFINITY, *ONE[1:]],
    "zero": ONE * 0,
    "too large for 32 bits": [1e300] * 8,
    "wrong byte length": ONE.tobytes()[:-1],
    "bytes of too few": ONE.tobytes()[:-4],
    "complex": ONE.astype(complex),
    "text": "12345678",
    "texts": ["1"] * 8,
    "two dimensions": ONE.reshape(2, 4),
}

BAD_TEXTS: dict[str, Any] = {
    "empty": "",
    "blank": " \n\t ",
    "NUL": "a\0b",
    "lone surrogate": "a\ud800b",
    "bytes": b"abc",
    "None": None,
    "number": 7,
}


@pytest.fixture
def brought(store_path: Path) -> Iterator[Store]:
    """A store with one rule, whose vectors, of eight components, the caller brings."""
    with recollect.open(store_path, embedder=ExternalVectors("mine", 8)) as store:
        store.rules.add("the rule that was there before", key="before", vector=ONE)
        yield store


def refused(store: Store, call: Callable[[], object], error_class: type[RecollectError] = InvalidInputError) -> None:
    """Asserts that a call is refused with a hint and leaves no trace."""
    before = (store.stats().seq, store.rules.list().items, store.docs.count(), store.refs.count())
    with pytest.raises(error_class) as caught:
        call()
    assert caught.value.message
    assert caught.value.hint
    assert (store.stats().seq, store.rules.list().items, store.docs.count(), store.refs.count()) == before


@pytest.mark.parametrize("name", BAD_FIELDS)
def test_bad_field_is_refused_by_add_and_update(brought: Store, name: str) -> None:
    fields = BAD_FIELDS[name]
    error = RecollectError if name in {"channel unknown", "tier unknown"} else InvalidInputError

    refused(brought, lambda: brought.rules.add("another rule", **fields), error)
    refused(brought, lambda: brought.docs.add("another doc", **fields), error)
    refused(brought, lambda: brought.refs.add("a.py", "another ref", **fields), error)
    second: Any = {"text": "second", **fields}
    refused(brought, lambda: brought.rules.add_many(["first", second]), error)
    rule = brought.rules.get(key="before")
    refused(brought, lambda: brought.rules.update(rule.id, **fields), error)


def test_time_zone_that_fails_is_heard(brought: Store) -> None:
    with pytest.raises(InvalidInputError):
        brought.rules.add("another rule", valid_from=datetime(2026, 1, 1, tzinfo=Broken()))
    assert brought.stats().seq == 1


@pytest.mark.parametrize("name", BAD_TEXTS)
def test_bad_text_is_refused(brought: Store, name: str) -> None:
    text = BAD_TEXTS[name]
    rule = brought.rules.get(key="before")

    refused(brought, lambda: brought.rules.add(text))
    refused(brought, lambda: brought.docs.add(text))
    refused(brought, lambda: brought.rules.update(rule.id, text=text))
    refused(brought, lambda: brought.refs.add(text, "note"))
    refused(brought, lambda: brought.docs.split(text))
    if name not in {"empty", "blank", "None"}:
        refused(brought, lambda: brought.refs.add("a.py", text))


def test_text_over_its_limit_is_refused(brought: Store) -> None:
    refused(brought, lambda: brought.rules.add("x" * 65_537))
    refused(brought, lambda: brought.refs.add("a.py", "é" * 32_769))
    refused(brought, lambda: brought.refs.add("x" * 4097, "note"))
    refused(brought, lambda: brought.docs.add("x", title="t" * 1025))
    refused(brought, lambda: brought.docs.add("x", path="p" * 4097))


@pytest.mark.parametrize(
    "fields",
    [
        {"applies_to": ["[a"]},
        {"applies_to": ["{a,b"]},
        {"applies_to": [""]},
        {"applies_to": ["a\0"]},
        {"applies_to": ["a" * 1025]},
        {"applies_to": ["*"] * 129},
        {"applies_to": "*.py"},
        {"applies_to": [1]},
        {"modes": [""]},
        {"modes": ["m" * 129]},
        {"modes": [f"m{number}" for number in range(33)]},
        {"always_on": "yes"},
    ],
    ids=lambda fields: str(fields)[:40],
)
def test_bad_field_of_a_rule_is_refused(brought: Store, fields: dict[str, Any]) -> None:
    refused(brought, lambda: brought.rules.add("another rule", **fields))


@pytest.mark.parametrize("media_type", ["application/pdf", "text", "", "text/plain\0", "x" * 129])
def test_bad_media_type_is_refused(brought: Store, media_type: str) -> None:
    refused(brought, lambda: brought.docs.add("a doc", media_type=media_type), RecollectError)


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("a.py:0", None),
        ("a.py:9-3", None),
        ("not a url", "url"),
        ("https://a.b", "file"),
        ("xyz", "commit"),
        ("12", "issue"),
        ("a.py", "page"),
    ],
)
def test_bad_target_is_refused(brought: Store, target: str, kind: Any) -> None:
    refused(brought, lambda: brought.refs.add(target, "note", target_kind=kind))


@pytest.mark.parametrize("name", BAD_VECTORS)
def test_bad_vector_is_refused(brought: Store, name: str) -> None:
    vector = BAD_VECTORS[name]

    refused(brought, lambda: brought.search(vector=vector))
    if name != "zero":
        refused(brought, lambda: brought.rules.add("another rule", vector=vector))


def test_zero_vector_given_for_an_item_is_refused(brought: Store) -> None:
    refused(brought, lambda: brought.rules.add("another rule", vector=ONE * 0))


@pytest.mark.parametrize("items", [None, 3])
def test_what_are_no_items_is_refused_by_add_many(brought: Store, items: Any) -> None:
    for collection in (brought.rules, brought.docs, brought.refs):
        refused(brought, partial(collection.add_many, items))


def test_wrong_number_of_vectors_is_refused(brought: Store) -> None:
    refused(brought, lambda: brought.rules.add_many(["one more", "two more"], vectors=ONE.reshape(1, 8)))
    refused(brought, lambda: brought.rules.add_many(["one more"], vectors=np.ones((2, 8))))
    refused(brought, lambda: brought.rules.add_many(["one more"], vectors=np.ones((1, 16))))
    refused(brought, lambda: brought.rules.add_many(["one more"], vectors=ONE))
    refused(brought, lambda: brought.docs.add("one doc", vectors=np.ones((2, 8))))


def test_vectors_for_a_store_without_a_space_are_refused() -> None:
    with recollect.open(":memory:", embedder=None) as store:
        with pytest.raises(InvalidInputError) as caught:
            store.rules.add("one", vector=ONE)
        assert "ExternalVectors" in caught.value.hint
        assert store.stats().seq == 0


@pytest.mark.parametrize("k", [0, -1, 10_001, 2**31, 2**32, 2**63, 2**64, 2**200, 1.5, "3", None], ids=repr)
def test_bad_k_is_refused(brought: Store, k: Any) -> None:
    refused(brought, lambda: brought.search(vector=ONE, k=k))


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"query": "text", "vector": ONE},
        {"query": "a\0b"},
        {"query": "\ud800"},
        {"query": "x" * 65_537},
        {"query": 7},
        {"vector": ONE, "kinds": ["page"]},
        {"vector": ONE, "kinds": "rule"},
        {"vector": ONE, "tags": "abc"},
        {"vector": ONE, "tags": [""]},
        {"vector": ONE, "project": "/"},
        {"vector": ONE, "project": "**"},
        {"vector": ONE, "timeout": -1},
        {"vector": ONE, "timeout": NAN},
    ],
    ids=lambda arguments: str(arguments)[:40],
)
def test_bad_search_is_refused(brought: Store, arguments: dict[str, Any]) -> None:
    refused(brought, lambda: brought.search(**arguments))


@pytest.mark.parametrize("query", ["", " \n"])
def test_blank_query_is_refused(store: Store, query: str) -> None:
    refused(store, lambda: store.search(query))


@pytest.mark.parametrize("number", [-1, 2**31, 2**63, 2**64, 1.5, "1"])
def test_bad_version_is_refused(brought: Store, number: Any) -> None:
    rule = brought.rules.get(key="before")

    refused(brought, lambda: brought.rules.update(rule.id, version=number, priority=2), RecollectError)
    refused(brought, lambda: brought.rules.delete(rule.id, version=number), RecollectError)
    refused(brought, lambda: brought.rules.revert(rule.id, number), RecollectError)


@pytest.mark.parametrize("id_", ["", "x", ID + "0", "\0", "\ud800", 7])
def test_bad_id_is_refused(brought: Store, id_: Any) -> None:
    for call in (
        lambda: brought.get(id_),
        lambda: brought.rules.get(id_),
        lambda: brought.rules.delete(id_),
        lambda: brought.rules.restore(id_),
        lambda: brought.rules.history(id_),
        lambda: brought.rules.update(id_, priority=1),
        lambda: brought.embeddings.get([id_]),
    ):
        refused(brought, call)


def test_get_needs_exactly_one_name(brought: Store) -> None:
    refused(brought, brought.rules.get)
    refused(brought, lambda: brought.rules.get(ID, key="before"))
    refused(brought, lambda: brought.rules.get(key=""))
    refused(brought, lambda: brought.rules.get(key="absent"), NotFoundError)


@pytest.mark.parametrize("value", [-1, 2**63, 2**64, "0", 1.5, None, True])
def test_bad_position_in_the_log_is_refused(brought: Store, value: Any) -> None:
    refused(brought, lambda: brought.changes(since=value))


@pytest.mark.parametrize("limit", [0, -1, 10_001, 2**63, 2**64])
def test_bad_limit_is_refused(brought: Store, limit: int) -> None:
    refused(brought, lambda: brought.changes(limit=limit))
    refused(brought, lambda: brought.embeddings.missing(limit))


@pytest.mark.parametrize("timeout", [-1, NAN, -INFINITY, "1", timedelta(seconds=-1)])
def test_bad_time_limit_is_refused(brought: Store, timeout: Any) -> None:
    refused(brought, lambda: brought.rules.add("another rule", timeout=timeout))
    refused(brought, lambda: brought.stats(timeout=timeout))


@pytest.mark.parametrize("name", ["", " ", "a\0", "\ud800", "c" * 129, "a\nb"])
def test_bad_channel_name_is_refused(brought: Store, name: str) -> None:
    refused(brought, lambda: brought.channels.create(name))
    assert brought.channels.list() == ()


class Failing:
    """An object whose every method of use fails."""

    def __len__(self) -> int:
        return 2**62

    def _fail(self, *_: object) -> Any:
        raise ZeroDivisionError

    __array__ = __iter__ = __getitem__ = __fspath__ = __eq__ = __hash__ = _fail


@pytest.mark.parametrize(
    "use",
    [
        lambda store, failing: store.rules.add("x", vector=failing),
        lambda store, failing: store.rules.add("x", vector=[failing] * 8),
        lambda store, failing: store.rules.add_many(failing),
        lambda store, failing: store.rules.purge_many(failing),
        lambda store, failing: store.rules.delete_many(tags=failing),
        lambda store, failing: store.embeddings.get(failing),
        lambda store, failing: store.embeddings.put(failing, [[1.0] * 8]),
        lambda store, failing: store.embeddings.put([failing], [[1.0] * 8]),
        lambda _, failing: recollect.open(failing),
        lambda _, failing: recollect.open(":memory:", embedder=failing),
    ],
)
def test_argument_whose_own_methods_fail_is_refused(brought: Store, use: Callable[[Store, Any], object]) -> None:
    refused(brought, lambda: use(brought, Failing()))


def test_error_of_the_source_of_items_is_the_cause(brought: Store) -> None:
    def lines() -> Iterator[str]:
        yield "first"
        raise ConnectionError("the line went dead")

    with pytest.raises(InvalidInputError, match="the line went dead") as caught:
        brought.rules.add_many(lines())

    assert isinstance(caught.value.__cause__, ConnectionError)
