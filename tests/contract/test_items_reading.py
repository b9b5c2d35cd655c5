"""Getting, listing and counting items, of each kind."""

from collections.abc import Callable
from typing import Any

import pytest

import recollect
from recollect import InvalidInputError, NotFoundError, Store

ABSENT = "01890a5d-ac96-774b-bcce-b302099a8057"


def test_get_absent_id_is_not_found(kind: Any, bare_store: Store) -> None:
    with pytest.raises(NotFoundError):
        kind.collection.get(ABSENT)
    with pytest.raises(NotFoundError):
        bare_store.get(ABSENT)


def test_get_id_of_another_kind_is_not_found(kinds: Any) -> None:
    added = kinds("doc").add(1)

    with pytest.raises(NotFoundError):
        kinds("rule").collection.get(added.id)


def test_get_by_key_finds_the_nearest_project(kind: Any) -> None:
    root = kind.add(1, key="style")
    acme = kind.add(2, key="style", project="acme")

    assert kind.collection.get(key="style").id == root.id
    assert kind.collection.get(key="style", project="acme").id == acme.id
    assert kind.collection.get(key="style", project="acme/web/site").id == acme.id
    assert kind.collection.get(key="style", project="other").id == root.id


def test_get_by_key_prefers_the_most_restricted(kind: Any) -> None:
    kind.add(1, key="style", tier="public")
    restricted = kind.add(2, key="style", tier="restricted")
    kind.add(3, key="style", tier="confidential")

    assert kind.collection.get(key="style").id == restricted.id


def test_get_by_key_never_looks_downwards(kind: Any) -> None:
    kind.add(1, key="style", project="acme/web")

    with pytest.raises(NotFoundError):
        kind.collection.get(key="style", project="acme")


def test_get_by_key_uses_the_store_s_project(store_path: Any) -> None:
    with recollect.open(store_path, embedder=None, project="acme") as store:
        added = store.rules.add("Knock.", key="door")
        assert store.rules.get(key="door").id == added.id
        with pytest.raises(NotFoundError):
            store.rules.get(key="door", project="")


@pytest.mark.parametrize("order", ["created", "updated", "priority", "key"])
@pytest.mark.parametrize("descending", [False, True])
def test_list_pages_cover_everything_once_in_order(kind: Any, order: Any, descending: bool) -> None:
    ids = [kind.add(n, priority=n % 4, key=f"k{n * 7 % 23:02}" if n % 3 else None).id for n in range(23)]
    for number in (5, 3, 11):
        kind.collection.update(ids[number], source="touched")

    pages, cursor = [], None
    while True:
        page = kind.collection.list(order=order, descending=descending, limit=5, cursor=cursor)
        pages.append(page)
        cursor = page.next_cursor
        if cursor is None:
            break
    items = [item for page in pages for item in page]
    # Within equal values the older item comes first, or last where the order is turned around.
    values: dict[str, Callable[[Any], Any]] = {
        "created": lambda item: ids.index(item.id),
        "updated": lambda item: (item.updated_at, ids.index(item.id)),
        "priority": lambda item: (item.priority, ids.index(item.id)),
        "key": lambda item: (item.key or "", ids.index(item.id)),
    }

    assert [len(page) for page in pages] == [5, 5, 5, 5, 3]
    assert items == sorted(items, key=values[order], reverse=descending)
    assert {item.id for item in items} == set(ids)


def test_list_exactly_one_page_has_no_next(kind: Any) -> None:
    kind.collection.add_many([kind.draft(number) for number in range(5)])

    assert kind.collection.list(limit=5).next_cursor is None
    assert kind.collection.list(limit=4).next_cursor is not None


def test_filters_choose_exactly_the_matching_items(kind: Any, bare_store: Store) -> None:
    bare_store.channels.create("ops")
    names = {
        kind.add(0).id: "plain",
        kind.add(1, tags=["a"]).id: "a",
        kind.add(2, tags=["a", "b"], key="x/1").id: "ab",
        kind.add(3, channel="ops", key="x/2").id: "ops",
        kind.add(4, tier="public", source="wiki").id: "public",
        kind.add(5, trust="untrusted", key="y%_").id: "untrusted",
    }

    def found(**filters: Any) -> set[str]:
        items = list(kind.collection.iterate(**filters))
        assert kind.collection.count(**filters) == len(items)
        return {names[item.id] for item in items}

    assert found() == set(names.values())
    assert found(tags=["a"]) == {"a", "ab"}
    assert found(tags=["b", "a"]) == {"ab"}
    assert found(tags=["never used"]) == set()
    assert found(channel="ops") == {"ops"}
    assert found(channel="never created") == set()
    assert found(tier="public") == {"public"}
    assert found(key_prefix="x/") == {"ab", "ops"}
    assert found(key_prefix="y%") == {"untrusted"}
    assert found(key_prefix="%") == set()
    assert found(source="wiki") == {"public"}
    assert found(source="wik") == set()
    assert found(trust="untrusted") == {"untrusted"}
    assert found(tags=["a"], key_prefix="x/") == {"ab"}


def test_project_filter_means_one_a_subtree_or_all(kind: Any) -> None:
    paths = ["", "acme", "acme/web", "acme/web/site", "acme2", "other"]
    names = {kind.add(number, project=path).id: path for number, path in enumerate(paths)}

    def found(project: str | None) -> set[str]:
        assert kind.collection.count(project=project) == len(kind.collection.list(project=project))
        return {names[item.id] for item in kind.collection.list(project=project)}

    assert found(None) == found("*") == set(paths)
    assert found("") == {""}
    assert found("acme") == {"acme"}
    assert found("acme/*") == {"acme", "acme/web", "acme/web/site"}
    assert found("acme/web/*") == {"acme/web", "acme/web/site"}
    assert found("nowhere") == found("nowhere/*") == set()


def test_deleted_filter_shows_what_can_be_restored(kind: Any) -> None:
    kept, gone = kind.add(1), kind.add(2)
    kind.collection.delete(gone.id)

    assert [item.id for item in kind.collection.list()] == [kept.id]
    deleted = kind.collection.list(deleted=True)
    assert [item.id for item in deleted] == [gone.id]
    assert deleted[0].deleted_at is not None
    assert (kind.collection.count(), kind.collection.count(deleted=True)) == (1, 1)


def test_filters_of_one_kind(kinds: Any) -> None:
    rules, docs, refs = kinds("rule"), kinds("doc"), kinds("ref")
    always = rules.add(1, always_on=True)
    rules.add(2)
    guide = docs.add(1, path="docs/guide.md")
    docs.add(2, path="src/readme.md")
    source = refs.add(1, target="src/main.rs:3")
    refs.add(2, target="https://example.org/src/")

    assert [item.id for item in rules.collection.list(always_on=True)] == [always.id]
    assert rules.collection.count(always_on=False) == 1
    assert [item.id for item in docs.collection.list(path_prefix="docs/")] == [guide.id]
    assert [item.id for item in refs.collection.list(path_prefix="src/")] == [source.id]


def test_iterate_crosses_pages(kind: Any) -> None:
    kind.collection.add_many([kind.draft(number) for number in range(450)])

    items = list(kind.collection.iterate())

    assert len({item.id for item in items}) == len(items) == 450


@pytest.mark.parametrize("cursor", ["", "zz", "00", "a" * 5000, "é", "00000001000000000000000112345678"])
def test_foreign_cursor_is_refused(kind: Any, cursor: str) -> None:
    with pytest.raises(InvalidInputError, match="cursor"):
        kind.collection.list(cursor=cursor)


def test_cursor_of_another_order_is_refused(kind: Any) -> None:
    kind.collection.add_many([kind.draft(number) for number in range(5)])
    cursor = kind.collection.list(limit=2).next_cursor

    with pytest.raises(InvalidInputError):
        kind.collection.list(limit=2, cursor=cursor, order="key")
    with pytest.raises(InvalidInputError):
        kind.collection.list(limit=2, cursor=cursor, descending=True)


@pytest.mark.parametrize(
    "arguments",
    [
        {"limit": 0},
        {"limit": -1},
        {"limit": 10_001},
        {"limit": 2**63},
        {"order": "size"},
        {"trust": "perhaps"},
        {"project": "/acme"},
        {"project": "a//b"},
        {"tags": [""]},
        {"tags": "abc"},
        {"colour": "red"},
    ],
    ids=str,
)
def test_malformed_list_is_refused(kind: Any, arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        kind.collection.list(**arguments)
