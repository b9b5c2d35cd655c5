"""Whatever is accepted comes back byte for byte."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import recollect
from recollect import AlreadyExistsError, InvalidInputError, Store

# Every code point but NUL and the surrogates, which are refused; from the plain to the outlandish.
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXTS = st.text(CHARACTERS, min_size=1, max_size=300).filter(str.strip)
LINES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=40)
NAMES = st.text(st.sampled_from("abcXYZ019-_éß字"), min_size=1, max_size=6)
PROJECTS = st.lists(NAMES, max_size=4).map("/".join)
TIMES = st.datetimes(
    min_value=datetime(2, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    max_value=datetime(9998, 12, 31),  # noqa: DTZ001 - as above
    timezones=st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**200), 2**200)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(CHARACTERS, max_size=8), inner, max_size=4),
    max_leaves=12,
)
METADATA = st.dictionaries(st.text(CHARACTERS, max_size=8), JSON, max_size=4)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "key": LINES,
        "project": PROJECTS,
        "tags": st.lists(LINES, max_size=5),
        "metadata": METADATA,
        "tier": st.sampled_from(["public", "internal", "confidential", "restricted"]),
        "priority": st.integers(-1000, 1000),
        "source": LINES,
        "trust": st.sampled_from(["trusted", "unverified", "untrusted"]),
        "valid_from": TIMES,
        "expires_at": TIMES,
    },
)


@pytest.fixture(scope="module")
def kept() -> Any:
    """A store for all examples of this module."""
    with recollect.open(":memory:", embedder=None) as store:
        yield store


def same(given_value: object, read: object) -> bool:
    """Whether two JSON values are the same, type by type: 1 is neither 1.0 nor true, and -0.0 is not 0.0."""
    return json.dumps(given_value) == json.dumps(read)


def check_fields(item: Any, fields: dict[str, Any]) -> None:
    """Asserts that an item has the fields that were given."""
    for name, value in fields.items():
        read = getattr(item, name)
        if name == "tags":
            assert read == tuple(sorted(set(value), key=str.encode))
        elif name == "metadata":
            assert same(value, read)
        else:
            assert read == value
        if isinstance(value, datetime):
            assert read.tzinfo is UTC


@given(text=TEXTS, fields=FIELDS, always_on=st.booleans(), modes=st.lists(LINES, max_size=3))
def test_rule_comes_back(kept: Store, text: str, fields: dict[str, Any], always_on: bool, modes: list[str]) -> None:
    try:
        added = kept.rules.add(text, always_on=always_on, modes=modes, **fields)
    except AlreadyExistsError:
        assume(False)
    assume(added.created)

    rule = kept.rules.get(added.id)

    assert (rule.text, rule.always_on, rule.modes) == (text, always_on, tuple(sorted(set(modes), key=str.encode)))
    check_fields(rule, fields)
    assert list(kept.rules.history(added.id))[-1].item == rule


@given(text=TEXTS, fields=FIELDS, path=st.none() | LINES, title=st.none() | LINES)
def test_doc_comes_back(kept: Store, text: str, fields: dict[str, Any], path: str | None, title: str | None) -> None:
    try:
        added = kept.docs.add(text, path=path, title=title, media_type="text/markdown", **fields)
    except AlreadyExistsError:
        assume(False)
    assume(added.created)

    doc = kept.docs.get(added.id)

    assert (doc.text, doc.path) == (text, path)
    assert title is None or doc.title == title
    check_fields(doc, fields)


@given(target=LINES, note=st.text(CHARACTERS, max_size=200), fields=FIELDS, checked_at=st.none() | TIMES)
def test_ref_comes_back(
    kept: Store, target: str, note: str, fields: dict[str, Any], checked_at: datetime | None
) -> None:
    try:
        added = kept.refs.add(target, note, checked_at=checked_at, **fields)
    except (AlreadyExistsError, InvalidInputError):
        assume(False)
    assume(added.created)

    ref = kept.refs.get(added.id)

    assert (ref.target, ref.note, ref.checked_at) == (target, note, checked_at)
    check_fields(ref, fields)


@given(
    blocks=st.lists(
        st.sampled_from(
            ["# A\n", "## B é\n\n", "word " * 150, "\n\n", "- item\n", "```\ncode\n```\n", "|a|b|\n|-|-|\n", "字" * 90]
        ),
        min_size=1,
        max_size=40,
    )
)
def test_long_doc_of_many_chunks_comes_back(kept: Store, blocks: list[str]) -> None:
    text = "".join(blocks)
    assume(text.strip())

    added = kept.docs.add(text)

    assert kept.docs.get(added.id).text == text
    assert "".join(piece.text for piece in kept.docs.split(text)) == text


@given(text=TEXTS, first=FIELDS, second=FIELDS)
def test_update_makes_what_add_makes(kept: Store, text: str, first: dict[str, Any], second: dict[str, Any]) -> None:
    try:
        added = kept.rules.add(text, **first)
        assume(added.created)
        rule = kept.rules.update(added.id, **second)
    except (AlreadyExistsError, InvalidInputError):
        assume(False)

    check_fields(rule, first | second)
    assert rule.text == text


@given(
    rows=st.lists(
        st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=3, max_size=3),
        min_size=1,
        max_size=4,
    )
)
def test_vectors_come_back_bit_for_bit(rows: list[list[float]]) -> None:
    vectors = np.array(rows, dtype=np.float32)
    with recollect.open(":memory:", embedder=recollect.ExternalVectors("m", 3)) as store:
        drafts = [f"rule {number}" for number in range(len(rows))]
        try:
            added = store.rules.add_many(drafts, vectors=vectors)
        except InvalidInputError:
            # A vector of zeros has no direction; every other one is kept, however short or long.
            assert (vectors == 0).all(axis=1).any()
            return
        assert store.embeddings.get([one.id for one in added]).vectors.tobytes() == vectors.tobytes()
