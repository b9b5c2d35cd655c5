"""Adding items, of each kind."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

import recollect
from recollect import AlreadyExistsError, InvalidInputError, NotFoundError, Store


def test_add_with_every_common_field_comes_back_as_given(kind: Any, bare_store: Store) -> None:
    bare_store.channels.create("ops")
    start = datetime(2026, 3, 1, 8, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    fields = {
        "key": "naming/é",
        "project": "acme/web",
        "metadata": {"owner": "Zoë", "n": 3, "nested": {"list": [1.5, None, True, "x"]}},
        "channel": "ops",
        "tier": "restricted",
        "priority": -1000,
        "source": "wiki: naming",
        "trust": "untrusted",
        "valid_from": start,
        "valid_until": start + timedelta(days=1),
        "expires_at": start + timedelta(days=2),
    }
    before = datetime.now(UTC)

    added = kind.add(1, tags=["b", "a", "b"], **fields)
    item = kind.collection.get(added.id)

    assert (added.kind, added.key, added.version, added.created, added.warnings) == (kind.name, "naming/é", 1, True, ())
    assert {name: getattr(item, name) for name in fields} == fields
    assert item.tags == ("a", "b")
    assert kind.text(item) == kind.draft(1)[kind.text_field]
    assert item.valid_from.tzinfo is UTC
    assert (item.created_by, item.updated_by, item.deleted_at) == ("owner", "owner", None)
    assert (
        before - timedelta(seconds=1) <= item.created_at == item.updated_at <= datetime.now(UTC) + timedelta(seconds=1)
    )
    assert bare_store.get(added.id) == item


def test_add_with_nothing_but_content_takes_the_defaults(kind: Any) -> None:
    item = kind.collection.get(kind.add(1).id)

    assert (item.key, item.project, item.tags, item.metadata, item.channel) == (None, "", (), {}, None)
    assert (item.tier, item.priority, item.source, item.trust) == ("internal", 0, None, "trusted")
    assert (item.valid_from, item.valid_until, item.expires_at) == (None, None, None)


def test_add_equal_content_again_returns_the_first_and_writes_nothing(kind: Any, bare_store: Store) -> None:
    first = kind.add(1)
    seq = bare_store.stats().seq

    again = kind.add(1)

    assert (again.id, again.created, again.version, again.warnings) == (first.id, False, 1, ())
    assert bare_store.stats().seq == seq


def test_add_equal_content_with_other_fields_says_which_were_kept(kind: Any) -> None:
    first = kind.add(1, priority=5, tags=["a"])

    again = kind.add(1, priority=6, tags=["a"])

    assert not again.created
    assert [warning.code for warning in again.warnings] == ["fields_kept"]
    assert again.warnings[0].fields == ("priority",)
    assert kind.collection.get(first.id).priority == 5


def test_add_equal_content_in_another_project_is_another_item(kind: Any) -> None:
    assert kind.add(1).id != kind.add(1, project="acme").id
    assert kind.add(1, tier="public").created


def test_add_near_duplicate_succeeds_with_a_warning_that_names_it(kind: Any) -> None:
    words = " ".join(f"word{number}" for number in range(60))
    first = kind.add(1, **{kind.text_field: words})

    second = kind.add(2, **{kind.text_field: words + " and one more"})

    assert second.created
    (warning,) = second.warnings
    assert (warning.code, warning.item) == ("near_duplicate", first.id)
    assert warning.similarity is not None
    assert 0.8 < warning.similarity < 1
    assert first.id in warning.message


def test_add_key_taken_by_other_content_fails(kind: Any, bare_store: Store) -> None:
    kind.add(1, key="one")
    seq = bare_store.stats().seq

    with pytest.raises(AlreadyExistsError) as caught:
        kind.add(2, key="one")

    assert "one" in caught.value.message
    assert caught.value.hint
    assert bare_store.stats().seq == seq


def test_same_key_is_free_in_other_projects_kinds_and_tiers(kinds: Any) -> None:
    ids = {kinds(name).add(1, key="same").id for name in ("rule", "doc", "ref")}
    ids |= {kinds("rule").add(2, key="same", project="a").id, kinds("rule").add(3, key="same", tier="public").id}

    assert len(ids) == 5


def test_add_to_channel_never_created_fails(kind: Any, bare_store: Store) -> None:
    with pytest.raises(NotFoundError):
        kind.add(1, channel="nowhere")
    with pytest.raises((NotFoundError, InvalidInputError)):
        kind.add(1, tier="nowhere")
    assert bare_store.stats().seq == 0


def test_add_many_adds_all_in_one_commit(kind: Any, bare_store: Store) -> None:
    added = kind.collection.add_many(kind.draft(number, key=f"k{number}") for number in range(30))

    assert [one.key for one in added] == [f"k{number}" for number in range(30)]
    assert all(one.created for one in added)
    assert bare_store.stats().seq == 1
    assert kind.collection.count() == 30
    assert [change.ordinal for change in bare_store.changes()] == list(range(30))


def test_add_many_with_one_bad_item_adds_none_and_names_it(kind: Any, bare_store: Store) -> None:
    drafts = [kind.draft(number) for number in range(5)] + [kind.draft(5, priority=5000)]

    with pytest.raises(InvalidInputError, match="item 5"):
        kind.collection.add_many(drafts)

    assert kind.collection.count() == 0
    assert bare_store.stats().seq == 0


def test_add_many_with_equal_items_adds_one(kind: Any) -> None:
    first, second = kind.collection.add_many([kind.draft(1), kind.draft(1)])

    assert first.created
    assert not second.created
    assert first.id == second.id


def test_add_many_of_nothing_is_nothing(kind: Any, bare_store: Store) -> None:
    assert kind.collection.add_many([]) == ()
    assert bare_store.stats().seq == 0


def test_add_many_takes_plain_texts(bare_store: Store) -> None:
    added = bare_store.rules.add_many(["one rule", {"text": "another", "always_on": True}])

    assert [bare_store.rules.get(one.id).always_on for one in added] == [False, True]


@pytest.mark.parametrize("items", ["a text", {"text": "a rule"}])
def test_add_many_of_a_single_item_is_refused(items: Any, bare_store: Store) -> None:
    with pytest.raises(InvalidInputError):
        bare_store.rules.add_many(items)


def test_add_many_with_a_misspelt_field_is_refused(kind: Any) -> None:
    with pytest.raises(InvalidInputError, match="prioritty"):
        kind.collection.add_many([kind.draft(1) | {"prioritty": 1}])


def test_ids_ascend(kind: Any) -> None:
    ids = [kind.add(number).id for number in range(20)]

    assert ids == sorted(ids)


def test_add_takes_project_and_author_of_the_store(store_path: Any) -> None:
    with recollect.open(store_path, embedder=None, project="acme", principal="mia") as store:
        rule = store.rules.get(store.rules.add("Knock before you enter.").id)

    assert (rule.project, rule.created_by) == ("acme", "mia")


def test_rule_fields_come_back(bare_store: Store) -> None:
    added = bare_store.rules.add(
        "text", applies_to=["src/**/*.py", "*.{ts,tsx}"], modes=["review", "plan", "plan"], always_on=True
    )
    rule = bare_store.rules.get(added.id)

    assert (rule.applies_to, rule.modes, rule.always_on) == (("src/**/*.py", "*.{ts,tsx}"), ("plan", "review"), True)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (None, "A title", "text/markdown")),
        ({"path": "a/b.txt"}, ("a/b.txt", None, "text/plain")),
        ({"path": "a/b.md", "title": "Mine"}, ("a/b.md", "Mine", "text/markdown")),
        ({"media_type": "text/plain"}, (None, None, "text/plain")),
    ],
)
def test_doc_defaults_are_told_from_path_and_text(
    fields: dict[str, Any], expected: tuple[Any, ...], bare_store: Store
) -> None:
    doc = bare_store.docs.get(bare_store.docs.add("# A title\n\nText.", **fields).id)

    assert (doc.path, doc.title, doc.media_type) == expected
    assert len(doc.content_hash) == 64


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("https://example.org/page", "url"),
        ("src/main.rs:10-20", "file"),
        ("README.md", "file"),
        ("commit:1a2b3c4", "commit"),
        ("owner/name#12", "issue"),
        ("#12", "issue"),
    ],
)
def test_ref_kind_is_told_from_the_target(target: str, expected: str, bare_store: Store) -> None:
    ref = bare_store.refs.get(bare_store.refs.add(target, "why").id)

    assert (ref.target, ref.target_kind, ref.state, ref.checked_at) == (target, expected, "unchecked", None)


def test_ref_check_comes_back(bare_store: Store) -> None:
    looked = datetime(2026, 1, 1, tzinfo=UTC)
    ref = bare_store.refs.get(bare_store.refs.add("a.py:1", "why", checked_at=looked, state="stale").id)

    assert (ref.checked_at, ref.state) == (looked, "stale")


def test_split_pieces_join_to_the_text(bare_store: Store) -> None:
    text = "---\na: b\n---\n# One\n\n" + "word " * 800 + "\n\n## Zwei é\n\nText.\n\n```\n# no heading\n```\n"

    for pieces in (bare_store.docs.split(text), bare_store.rules.split_sections(text)):
        assert "".join(piece.text for piece in pieces) == text
        assert all(text[piece.start : piece.end] == piece.text for piece in pieces)
        assert pieces[-1].heading == ("One", "Zwei é")
