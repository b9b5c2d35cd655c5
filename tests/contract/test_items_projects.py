"""Projects and channels."""

from pathlib import Path
from typing import Any

import pytest

import recollect
from recollect import AlreadyExistsError, ConflictError, InvalidInputError, NotFoundError, Store


@pytest.fixture
def filled(kinds: Any, bare_store: Store) -> Store:
    """A store with items in a small tree of projects."""
    for number, path in enumerate(["", "acme", "acme/web", "acme/web/site", "acme2"]):
        kinds("rule").add(number, project=path, key="k")
    kinds("doc").add(1, project="acme/web")
    kinds("ref").add(1, project="acme/web")
    return bare_store


def paths(store: Store) -> list[str]:
    """The paths of the projects."""
    return [project.path for project in store.projects.list()]


def test_list_counts_live_items(filled: Store) -> None:
    web = {project.path: project for project in filled.projects.list()}["acme/web"]

    assert paths(filled) == ["", "acme", "acme/web", "acme/web/site", "acme2"]
    assert (web.rules, web.docs, web.refs) == (1, 1, 1)


def test_rename_takes_everything_below_along(filled: Store) -> None:
    seq = filled.stats().seq

    assert filled.projects.rename("acme", "corp") == "corp"

    assert paths(filled) == ["", "acme2", "corp", "corp/web", "corp/web/site"]
    assert filled.rules.get(key="k", project="corp/web/site").project == "corp/web/site"
    assert filled.stats().seq == seq + 1
    assert filled.changes(since=seq)[0].operation == "moved"


def test_move_puts_a_project_under_another(filled: Store) -> None:
    assert filled.projects.move("acme/web", "acme2") == "acme2/web"
    assert paths(filled) == ["", "acme", "acme2", "acme2/web", "acme2/web/site"]
    assert filled.projects.move("acme2/web/site", "") == "site"


def test_project_delete_is_soft(filled: Store) -> None:
    with pytest.raises(ConflictError):
        filled.projects.delete("acme/web")
    ids = [rule.id for rule in filled.rules.list(project="acme/web/*")]

    assert filled.projects.delete("acme/web", recursive=True) == 4

    assert paths(filled) == ["", "acme", "acme2"]
    assert filled.rules.restore(ids[0]).project == "acme/web"


@pytest.mark.parametrize(
    ("verb", "arguments", "error"),
    [
        ("rename", ("nowhere", "x"), NotFoundError),
        ("rename", ("acme", "acme2"), AlreadyExistsError),
        ("rename", ("acme", "a/b"), InvalidInputError),
        ("rename", ("acme", ""), InvalidInputError),
        ("rename", ("acme", ".."), InvalidInputError),
        ("rename", ("", "x"), InvalidInputError),
        ("move", ("acme", "acme/web"), InvalidInputError),
        ("move", ("acme", "acme"), InvalidInputError),
        ("move", ("nowhere", ""), NotFoundError),
        ("move", ("", "acme"), InvalidInputError),
        ("delete", ("nowhere",), NotFoundError),
        ("delete", ("a//b",), InvalidInputError),
    ],
)
def test_impossible_change_of_a_project_is_refused(
    filled: Store, verb: str, arguments: tuple[str, ...], error: type[Exception]
) -> None:
    seq, before = filled.stats().seq, paths(filled)

    with pytest.raises(error):
        getattr(filled.projects, verb)(*arguments)

    assert (filled.stats().seq, paths(filled)) == (seq, before)


def test_channels_are_created_once(bare_store: Store) -> None:
    assert bare_store.channels.list() == ()
    assert bare_store.channels.create("ops")
    assert not bare_store.channels.create("ops")
    assert bare_store.channels.create("dev")
    assert sorted(bare_store.channels.list()) == ["dev", "ops"]


def test_tiers_are_listed_lowest_first(bare_store: Store) -> None:
    assert bare_store.tiers == ("public", "internal", "confidential", "restricted")


def test_default_project_decides_for_add_get_and_search_and_not_for_lists(store_path: Path) -> None:
    with recollect.open(store_path, project="acme/web") as store:
        here = store.rules.add("Use the pool of connections.", key="here").id
        above = store.rules.add("Use the log of the company.", key="above", project="acme").id
        below = store.rules.add("Use the theme of the shop.", key="below", project="acme/web/shop").id

        assert store.default_project == store.rules.get(here).project == "acme/web"
        assert store.rules.get(key="above").id == above
        with pytest.raises(NotFoundError):
            store.rules.get(key="below")
        result = store.search("use")
        assert result.scope == ("acme/web", "acme", "")
        assert {hit.id for hit in result} == {here, above}
        assert [item.id for item in store.rules.list()] == [here, above, below]
        assert [item.id for item in store.rules.iterate(project=None)] == [here, above, below]
        assert (store.rules.count(), store.rules.count(project="acme/web")) == (3, 1)

    with recollect.open(store_path) as store:
        assert store.search("use").hits == ()
        assert len(store.search("use", project="*")) == 3
