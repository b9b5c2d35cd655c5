"""Deleting many items at once, removing items for good, and sweeping, of each kind."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

import recollect
from recollect import (
    CancelledError,
    CancelToken,
    ConflictError,
    DeadlineExceededError,
    ExternalVectors,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    Purged,
    Store,
    Swept,
)

NEVER = "01890a5d-ac96-774b-bcce-b302099a8057"
PAST = datetime(2020, 1, 1, tzinfo=UTC)


def assert_unknown(kind: Any, store: Store, id: str) -> None:
    """Nothing answers to the id any more."""
    for call in (
        lambda: kind.collection.get(id),
        lambda: store.get(id),
        lambda: kind.collection.history(id),
        lambda: kind.collection.restore(id),
        lambda: kind.collection.update(id, priority=1),
        lambda: kind.collection.delete(id),
        lambda: kind.collection.revert(id, 1),
    ):
        with pytest.raises(NotFoundError):
            call()


def test_purged_item_is_gone_and_the_log_knows_its_id(kind: Any, bare_store: Store) -> None:
    kept = kind.add(1, tags=["both"])
    added = kind.add(2, key="k", tags=["both", "alone"])
    kind.collection.update(added.id, **kind.changed(3))

    purged = kind.collection.purge(added.id)

    assert (purged.id, purged.kind, purged.versions) == (added.id, kind.name, 2)
    assert purged.chunks >= 1
    assert_unknown(kind, bare_store, added.id)
    with pytest.raises(NotFoundError):
        kind.collection.get(key="k")
    assert [item.id for item in kind.collection.list()] == [kept.id]
    assert list(kind.collection.list(deleted=True)) == []
    assert bare_store.stats().tags == 1
    last = bare_store.changes()[-1]
    assert (last.item, last.kind, last.operation, last.by) == (added.id, kind.name, "purged", "owner")
    assert [change.item for change in bare_store.changes()] == [kept.id, added.id, added.id, added.id]
    assert bare_store.check().ok


def test_deleted_item_can_be_purged(kind: Any, bare_store: Store) -> None:
    added = kind.add(1)
    kind.collection.delete(added.id)

    assert kind.collection.purge(added.id).versions == 2
    assert_unknown(kind, bare_store, added.id)
    assert bare_store.stats().deleted == 0


def test_purging_again_is_allowed_and_removes_nothing(kind: Any, bare_store: Store) -> None:
    added = kind.add(1)
    kind.collection.purge(added.id)
    seq = bare_store.stats().seq

    assert kind.collection.purge(added.id) == Purged(added.id, kind.name, 0, 0)
    assert kind.collection.purge_many([added.id, added.id])[0].versions == 0
    assert bare_store.stats().seq == seq


def test_purge_of_what_never_was_is_not_found(kinds: Any, kind: Any) -> None:
    other = kinds("doc" if kind.name == "rule" else "rule").add(7)

    with pytest.raises(NotFoundError, match=NEVER):
        kind.collection.purge(NEVER)
    with pytest.raises(NotFoundError, match=other.id):
        kind.collection.purge(other.id)


def test_purge_of_several_removes_all_or_after_an_error_none(kind: Any, bare_store: Store) -> None:
    ids = [kind.add(number).id for number in range(4)]

    with pytest.raises(NotFoundError, match=NEVER):
        kind.collection.purge_many([ids[0], NEVER, ids[1]])
    assert kind.collection.count() == 4

    purged = kind.collection.purge_many(ids[:3])

    assert [one.id for one in purged] == ids[:3]
    assert [item.id for item in kind.collection.list()] == ids[3:]
    assert len({change.seq for change in bare_store.changes() if change.operation == "purged"}) == 1
    assert kind.collection.purge_many([]) == ()


def test_purged_content_and_key_are_free_again(kind: Any) -> None:
    first = kind.add(1, key="k")
    kind.collection.purge(first.id)

    again = kind.add(1, key="k")

    assert again.created
    assert again.id != first.id
    assert again.warnings == () or "near_duplicate" not in {warning.code for warning in again.warnings}


def test_purged_item_is_not_found_by_meaning_nor_among_vectors(memory_store: Store) -> None:
    kept = memory_store.rules.add("Never commit secrets to the repository.")
    purged = memory_store.rules.add("Passwords and secrets belong into the vault.")
    assert {hit.id for hit in memory_store.search("secrets")} == {kept.id, purged.id}

    memory_store.rules.purge(purged.id)

    assert [hit.id for hit in memory_store.search("secrets")] == [kept.id]
    assert memory_store.stats().vectors == 1
    with pytest.raises(NotFoundError):
        memory_store.embeddings.get([purged.id])
    assert memory_store.check().ok


def test_delete_many_deletes_what_the_filter_means(kind: Any, bare_store: Store) -> None:
    meant = [kind.add(number, tags=["old"], project="acme").id for number in range(3)]
    kept = [kind.add(10, tags=["old"]).id, kind.add(11, project="acme").id]

    deleted = kind.collection.delete_many(tags=["old"], project="acme", expected=3)

    assert (deleted.ids, deleted.count, deleted.dry_run) == (tuple(meant), 3, False)
    assert deleted.undo_until > datetime.now(UTC) + timedelta(days=1)
    assert {item.id for item in kind.collection.list()} == set(kept)
    assert len({change.seq for change in bare_store.changes() if change.operation == "deleted"}) == 1
    kind.collection.restore(meant[1])
    assert {item.id for item in kind.collection.list()} == {*kept, meant[1]}


def test_delete_many_as_a_dry_run_only_says_what_it_would_be(kind: Any, bare_store: Store) -> None:
    ids = [kind.add(number, source="wiki").id for number in range(3)]
    seq = bare_store.stats().seq

    shown = kind.collection.delete_many(source="wiki", dry_run=True)

    assert (shown.ids, shown.dry_run) == (tuple(ids), True)
    assert (kind.collection.count(), bare_store.stats().seq) == (3, seq)
    with pytest.raises(ConflictError):
        kind.collection.delete_many(source="wiki", dry_run=True, expected=2)


@pytest.mark.parametrize("expected", [0, 2, 4, 2**40])
def test_delete_many_of_another_number_than_expected_deletes_nothing(kind: Any, expected: int) -> None:
    for number in range(3):
        kind.add(number, source="wiki")

    with pytest.raises(ConflictError, match="3"):
        kind.collection.delete_many(source="wiki", expected=expected)

    assert kind.collection.count() == 3


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"tags": []},
        {"project": None},
        {"tags": (), "source": None, "trust": None},
        {"deleted": True},
        {"deleted": False},
        {"deleted": True, "tags": ["a"]},
        {"tag": "a"},
        {"source": 7},
        {"expected": -1, "source": "wiki"},
        {"expected": "3", "source": "wiki"},
        {"dry_run": "yes", "source": "wiki"},
    ],
    ids=str,
)
def test_delete_many_without_a_filter_or_with_a_bad_one_is_refused(kind: Any, filters: dict[str, Any]) -> None:
    kind.add(1, source="wiki")

    with pytest.raises(InvalidInputError) as caught:
        kind.collection.delete_many(**filters)

    assert caught.value.hint
    assert kind.collection.count() == 1


def test_delete_many_of_every_project_takes_all(kind: Any) -> None:
    kind.add(1)
    kind.add(2, project="acme/web")

    assert kind.collection.delete_many(project="*").count == 2
    assert kind.collection.delete_many(project="*").ids == ()


def test_delete_many_by_what_only_rules_have(bare_store: Store) -> None:
    always = bare_store.rules.add("always", always_on=True).id
    never = bare_store.rules.add("never at all").id

    assert bare_store.rules.delete_many(always_on=False).ids == (never,)
    assert [rule.id for rule in bare_store.rules.list()] == [always]


def test_sweep_removes_what_has_expired_for_good(kind: Any, bare_store: Store) -> None:
    expired = kind.add(1, expires_at=PAST)
    later = kind.add(2, expires_at=datetime.now(UTC) + timedelta(days=1))
    deleted = kind.add(3)
    kind.collection.delete(deleted.id)

    assert bare_store.sweep() == Swept(expired=1, deleted=0)

    assert_unknown(kind, bare_store, expired.id)
    assert [item.id for item in kind.collection.list()] == [later.id]
    assert kind.collection.restore(deleted.id)
    change = next(change for change in bare_store.changes() if change.operation == "swept")
    assert (change.item, change.kind, change.by) == (expired.id, kind.name, "owner")
    seq = bare_store.stats().seq
    assert bare_store.sweep() == Swept(expired=0, deleted=0)
    assert bare_store.stats().seq == seq
    assert bare_store.check().ok
    assert kind.collection.purge(expired.id).versions == 0


def test_sweep_takes_more_than_one_commit_for_many(bare_store: Store) -> None:
    bare_store.rules.add_many([{"text": f"rule {number}", "expires_at": PAST} for number in range(600)])

    assert bare_store.sweep() == Swept(expired=600, deleted=0)

    assert bare_store.rules.count() == 0
    assert len({change.seq for change in bare_store.changes(limit=10_000) if change.operation == "swept"}) > 1


def test_repair_of_a_sound_store_changes_nothing(store: Store) -> None:
    store.rules.add("Never commit secrets.")
    seq = store.stats().seq

    report = store.check(repair=True)

    assert (report.ok, report.problems, report.repaired) == (True, (), ())
    assert store.stats().seq == seq


def test_repair_embeds_what_was_added_without_vectors(store_path: Any) -> None:
    with recollect.open(store_path) as store:
        store.rules.add("Never commit secrets.")
    with recollect.open(store_path, embedder=None) as store:
        missed = store.rules.add("Passwords belong into the vault.")
    with recollect.open(store_path) as store:
        assert missed.id not in {hit.id for hit in store.search("passwords")}

        report = store.check(repair=True)

        assert report.ok
        assert len(report.repaired) == 1
        assert store.search("passwords", k=1)[0].id == missed.id
        last = store.changes()[-1]
        assert (last.item, last.operation) == (missed.id, "embedded")
        assert store.check(repair=True).repaired == ()


REMOVALS: dict[str, Callable[..., object]] = {
    "purge": lambda store, **limits: store.rules.purge(NEVER, **limits),
    "purge_many": lambda store, **limits: store.rules.purge_many([NEVER], **limits),
    "delete_many": lambda store, **limits: store.rules.delete_many(source="wiki", **limits),
    "sweep": lambda store, **limits: store.sweep(**limits),
    "repair": lambda store, **limits: store.check(repair=True, **limits),
}


@pytest.mark.parametrize("name", REMOVALS)
def test_removals_need_a_writable_store(store_path: Any, name: str) -> None:
    recollect.open(store_path, embedder=None).close()
    with recollect.open(store_path, embedder=None, read_only=True) as store, pytest.raises(PermissionDeniedError):
        REMOVALS[name](store)


@pytest.mark.parametrize("name", REMOVALS)
def test_removals_take_limits(bare_store: Store, name: str) -> None:
    bare_store.rules.add("due", expires_at=PAST, source="wiki")
    token = CancelToken()
    token.cancel()

    with pytest.raises(CancelledError):
        REMOVALS[name](bare_store, cancel=token)
    with pytest.raises(DeadlineExceededError):
        REMOVALS[name](bare_store, timeout=0)
    with pytest.raises(InvalidInputError):
        REMOVALS[name](bare_store, timeout=-1)

    assert bare_store.stats().seq == 1


@pytest.mark.parametrize("ids", ["", NEVER, [7], None, 7, ["x"], [NEVER, "\ud800"], [None]], ids=repr)
def test_bad_ids_to_purge_are_refused(bare_store: Store, ids: Any) -> None:
    with pytest.raises(InvalidInputError):
        bare_store.rules.purge_many(ids)


@pytest.mark.parametrize("id", ["", "x", None, 7, b"x", [NEVER]], ids=repr)
def test_bad_id_to_purge_is_refused(bare_store: Store, id: Any) -> None:
    with pytest.raises(InvalidInputError):
        bare_store.rules.purge(id)


@pytest.mark.parametrize("value", [None, 1, "yes"], ids=repr)
def test_switches_are_booleans(bare_store: Store, value: Any) -> None:
    with pytest.raises(InvalidInputError, match="repair"):
        bare_store.check(repair=value)
    with pytest.raises(InvalidInputError, match="sweep"):
        recollect.open(":memory:", embedder=None, sweep=value)


def test_content_of_a_purged_item_is_in_no_file_when_the_call_returns(store_path: Any) -> None:
    import subprocess
    import sys

    canary = "canary-7f3a19"
    vector = np.array([0.123456, 7.654321, 3.333333, 9.876543], dtype=np.float32)
    look = (
        "import sys, pathlib\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "held = b''.join(one.read_bytes() for one in path.parent.glob(path.name + '*'))\n"
        "print(held.count(sys.argv[2].encode()), held.count(bytes.fromhex(sys.argv[3])))\n"
    )

    def found() -> list[int]:
        # In a process of its own: a file that is closed here would lose the locks that this process has on it.
        command = [sys.executable, "-c", look, str(store_path), canary, vector.tobytes().hex()]
        return [int(part) for part in subprocess.run(command, check=True, capture_output=True).stdout.split()]

    with recollect.open(store_path, embedder=ExternalVectors("m", 4)) as store:
        store.rules.add_many([f"rule {number}" for number in range(300)], vectors=np.ones((300, 4)))
        added = store.rules.add(
            f"text {canary}",
            vector=vector,
            key=canary,
            tags=[canary],
            source=canary,
            metadata={canary: canary},
            modes=[canary],
            applies_to=[canary],
        )
        store.rules.update(added.id, text=f"changed {canary}", vector=vector)
        assert min(found()) > 0

        store.rules.purge(added.id)

        assert found() == [0, 0]
        assert store.rules.count() == 300
    assert found() == [0, 0]
