"""Updating, deleting, restoring and reverting items, of each kind."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recollect import AlreadyExistsError, ConflictError, InvalidInputError, NotFoundError, Store


def test_update_changes_what_is_given_and_leaves_the_rest(kind: Any) -> None:
    added = kind.add(1, key="k", tags=["a"], priority=3, source="wiki", metadata={"a": 1})
    before = kind.collection.get(added.id)

    after = kind.collection.update(added.id, priority=4, tags=["b"])

    assert (after.version, after.priority, after.tags) == (2, 4, ("b",))
    assert (after.key, after.source, after.metadata, kind.text(after)) == ("k", "wiki", {"a": 1}, kind.text(before))
    assert after.created_at == before.created_at <= after.updated_at
    assert kind.collection.get(added.id) == after


def test_update_with_none_takes_values_away(kind: Any) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    fields = {"key": "k", "project": "a", "tags": ["t"], "metadata": {"a": 1}, "priority": 2, "source": "s"}
    fields |= {"tier": "public", "trust": "untrusted", "valid_from": now, "expires_at": now + timedelta(1)}
    plain = kind.collection.get(kind.add(1).id)
    added = kind.add(2, **fields)

    after = kind.collection.update(added.id, **dict.fromkeys(fields))

    assert {name: getattr(after, name) for name in fields} == {name: getattr(plain, name) for name in fields}


def test_update_without_any_change_makes_no_version(kind: Any, bare_store: Store) -> None:
    added = kind.add(1, priority=3)
    seq = bare_store.stats().seq

    assert kind.collection.update(added.id).version == 1
    assert kind.collection.update(added.id, priority=3).version == 1
    assert bare_store.stats().seq == seq


def test_update_of_the_text_replaces_it(kind: Any) -> None:
    added = kind.add(1)

    after = kind.collection.update(added.id, **kind.changed(2))

    assert kind.text(after) == kind.changed(2)[kind.text_field]


def test_update_of_another_version_is_a_conflict_and_changes_nothing(kind: Any) -> None:
    added = kind.add(1)
    kind.collection.update(added.id, version=1, priority=1)

    with pytest.raises(ConflictError):
        kind.collection.update(added.id, version=1, priority=2)
    with pytest.raises(ConflictError):
        kind.collection.delete(added.id, version=1)
    with pytest.raises(ConflictError):
        kind.collection.revert(added.id, 1, version=7)

    assert kind.collection.get(added.id).priority == 1


def test_update_to_a_key_that_is_taken_fails(kind: Any) -> None:
    kind.add(1, key="one")
    second = kind.add(2, key="two")

    with pytest.raises(AlreadyExistsError):
        kind.collection.update(second.id, key="one")

    assert kind.collection.get(second.id).key == "two"


def test_update_of_what_is_not_there_is_not_found(kind: Any) -> None:
    with pytest.raises(NotFoundError):
        kind.collection.update("01890a5d-ac96-774b-bcce-b302099a8057", priority=1)


def test_delete_hides_and_restore_brings_back(kind: Any, bare_store: Store) -> None:
    added = kind.add(1, key="k", tags=["t"])
    before = kind.collection.get(added.id)

    deleted = kind.collection.delete(added.id)

    assert (deleted.id, deleted.version) == (added.id, 2)
    assert deleted.undo_until > datetime.now(UTC) + timedelta(days=1)
    assert kind.collection.count() == 0
    with pytest.raises(NotFoundError):
        kind.collection.get(added.id)
    with pytest.raises(NotFoundError):
        kind.collection.get(key="k")
    with pytest.raises(NotFoundError):
        kind.collection.delete(added.id)
    with pytest.raises(NotFoundError):
        kind.collection.update(added.id, priority=1)

    after = kind.collection.restore(added.id)

    assert (after.key, after.tags, kind.text(after), after.deleted_at) == ("k", ("t",), kind.text(before), None)
    assert after.version == 3
    assert bare_store.get(added.id) == after


def test_restore_of_what_is_not_deleted_is_a_conflict(kind: Any) -> None:
    added = kind.add(1)

    with pytest.raises(ConflictError):
        kind.collection.restore(added.id)
    with pytest.raises(NotFoundError):
        kind.collection.restore("01890a5d-ac96-774b-bcce-b302099a8057")


def test_restore_after_the_key_was_given_away_fails(kind: Any) -> None:
    first = kind.add(1, key="k")
    kind.collection.delete(first.id)
    second = kind.add(2, key="k")

    with pytest.raises((ConflictError, AlreadyExistsError)):
        kind.collection.restore(first.id)

    assert kind.collection.get(key="k").id == second.id


def test_deleted_content_can_be_added_anew(kind: Any) -> None:
    first = kind.add(1)
    kind.collection.delete(first.id)

    again = kind.add(1)

    assert again.created
    assert again.id != first.id


def test_history_tells_every_version(kind: Any) -> None:
    added = kind.add(1, tags=["a"])
    kind.collection.update(added.id, **kind.changed(2), tags=["b"])
    kind.collection.delete(added.id)
    kind.collection.restore(added.id)
    kind.collection.revert(added.id, 1)

    history = kind.collection.history(added.id)

    assert [step.operation for step in history] == ["created", "updated", "deleted", "restored", "reverted"]
    assert [step.item.version for step in history] == [1, 2, 3, 4, 5]
    assert [step.item.tags for step in history] == [("a",), ("b",), ("b",), ("b",), ("a",)]
    numbers = [int(kind.text(step.item).split()[1]) for step in history]
    assert numbers == [1, 2, 2, 2, 1]
    assert [step.seq for step in history] == [1, 2, 3, 4, 5]
    assert history[-1].item == kind.collection.get(added.id)


def test_history_of_a_deleted_item_is_there(kind: Any) -> None:
    added = kind.add(1)
    kind.collection.delete(added.id)

    assert [step.operation for step in kind.collection.history(added.id)] == ["created", "deleted"]


def test_revert_to_a_version_that_never_was_is_not_found(kind: Any) -> None:
    added = kind.add(1)

    with pytest.raises(NotFoundError):
        kind.collection.revert(added.id, 2)
    with pytest.raises((NotFoundError, InvalidInputError)):
        kind.collection.revert(added.id, 0)


def test_doc_update_keeps_unchanged_chunks(store: Store) -> None:
    paragraphs = [f"## Part {number}\n\n" + f"sentence {number} about topic{number}. " * 60 for number in range(6)]
    added = store.docs.add("\n\n".join(paragraphs))
    before = store.embeddings.get([added.id])

    paragraphs[2] = "## Part two\n\n" + "something else entirely. " * 60
    store.docs.update(added.id, text="\n\n".join(paragraphs))
    after = store.embeddings.get([added.id])

    kept = set(before.chunks.tolist()) & set(after.chunks.tolist())
    assert len(kept) >= len(before) - 2
    assert len(kept) < len(before)
    assert store.docs.get(added.id).text == "\n\n".join(paragraphs)


def test_changes_are_numbered_without_gaps(kinds: Any, bare_store: Store) -> None:
    rule = kinds("rule").add(1)
    kinds("doc").collection.add_many([kinds("doc").draft(number) for number in range(3)])
    kinds("rule").collection.update(rule.id, priority=1)
    kinds("rule").collection.delete(rule.id)

    changes = bare_store.changes()

    assert [(change.seq, change.ordinal) for change in changes] == [(1, 0), (2, 0), (2, 1), (2, 2), (3, 0), (4, 0)]
    assert [change.operation for change in changes] == ["created"] * 4 + ["updated", "deleted"]
    assert [change.kind for change in changes] == ["rule", "doc", "doc", "doc", "rule", "rule"]
    assert {change.by for change in changes} == {"owner"}
    assert bare_store.changes(since=2) == changes[4:]
    assert bare_store.changes(since=4) == bare_store.changes(since=2**62) == ()
    assert bare_store.stats().seq == 4


def test_changes_limit_never_splits_a_commit(kinds: Any, bare_store: Store) -> None:
    for start in (0, 3, 6):
        kinds("rule").collection.add_many([kinds("rule").draft(number) for number in range(start, start + 3)])

    page = bare_store.changes(limit=1)

    assert [change.seq for change in page] == [1, 1, 1]
    assert [change.seq for change in bare_store.changes(since=1, limit=4)] in ([2, 2, 2], [2, 2, 2, 3, 3, 3])
