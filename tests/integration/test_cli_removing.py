"""`recollect delete` by filter, `purge`, `sweep` and `check --repair`."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import recollect
from recollect.store import error_table

STATUS = {code: status for code, _, status, _ in error_table()}
NEVER = "01890a5d-ac96-774b-bcce-b302099a8057"

Run = Callable[..., subprocess.CompletedProcess[str]]


def data(ended: subprocess.CompletedProcess[str]) -> Any:
    """What the command wrote as JSON."""
    return json.loads(ended.stdout)


def add(made: Run, number: int, *words: str) -> str:
    """Adds a rule, and returns its id."""
    return made("add", "rule", f"Rule number {number} about subject{number}.", *words).stdout.strip()


def change(path: Path, sql: str) -> None:
    """Changes the file of a closed store behind its back, in a process of its own."""
    program = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.executescript(sys.argv[2]); c.close()"
    subprocess.run([sys.executable, "-c", program, str(path), sql], check=True, timeout=30)


def test_delete_by_filter_shows_then_deletes_what_restore_brings_back(made: Run) -> None:
    meant = [add(made, number, "--tag", "old", "--project", "acme") for number in range(3)]
    kept = add(made, 7, "--tag", "old")
    chosen = ["--kind", "rule", "--tag", "old", "--project", "acme"]

    shown = made("delete", *chosen, "--dry-run")
    assert shown.stdout.split() == meant
    assert "3 would be deleted" in shown.stderr
    assert data(made("delete", *chosen, "--dry-run", "--json"))["dry_run"] is True
    assert len(data(made("list", "rule", "--json"))["items"]) == 4

    refused = made("delete", *chosen, "--expected", "2", status=STATUS["conflict"])
    assert "hint: --dry-run shows" in refused.stderr

    deleted = made("delete", *chosen, "--expected", "3")
    assert deleted.stdout.split() == meant
    assert "3 deleted; they can be restored until 20" in deleted.stderr
    assert [item["id"] for item in data(made("list", "rule", "--json"))["items"]] == [kept]
    made("restore", meant[0])
    assert made("delete", *chosen).stdout.split() == meant[:1]
    assert made("delete", *chosen).stdout == ""
    assert data(made("delete", *chosen, "--json"))["ids"] == []


def test_delete_by_filter_heeds_the_project_of_the_environment_but_does_not_count_it(made: Run) -> None:
    inside = add(made, 1, "--tag", "a", "--project", "acme")
    add(made, 2, "--tag", "a")

    made("delete", "--kind", "rule", status=STATUS["invalid_input"], RECOLLECT_PROJECT="acme")
    assert made("delete", "--kind", "rule", "--tag", "a", RECOLLECT_PROJECT="acme").stdout.split() == [inside]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--kind", "rule"],
        ["--tag", "a"],
        ["--kind", "rule", "--expected", "1"],
        ["--kind", "rule", "--dry-run"],
        ["--kind", "rule", "--tag", "a", "--version", "1"],
        ["--kind", "rule", "--tag", "a", "--expected", "-1"],
        [NEVER, "--kind", "rule"],
        [NEVER, "--tag", "a"],
        [NEVER, "--dry-run"],
        [NEVER, "--expected", "1"],
        ["--kind", "rule", "--project", "/"],
    ],
    ids=" ".join,
)
def test_delete_that_does_not_say_what_is_refused(made: Run, words: list[str]) -> None:
    add(made, 1, "--tag", "a")

    ended = made("delete", *words, status=STATUS["invalid_input"])

    assert ended.stderr.startswith("error: ")
    assert "\nhint: " in ended.stderr
    assert len(data(made("list", "rule", "--json"))["items"]) == 1


def test_purge_removes_items_of_any_kind_live_or_deleted(made: Run) -> None:
    live, deleted = add(made, 1), add(made, 2)
    ref = made("add", "ref", "#1", "the first issue").stdout.strip()
    made("delete", deleted)

    told = made("purge", live, deleted, ref, deleted)

    lines = told.stdout.splitlines()
    assert [line.split()[3].rstrip(":") for line in lines] == [live, deleted, ref]
    assert lines[1].startswith("purged the rule ")
    assert "2 versions" in lines[1]
    for id in (live, deleted, ref):
        made("get", id, status=STATUS["not_found"])
        made("restore", id, status=STATUS["not_found"])
    assert made("list", "rule", "--deleted").stdout == ""
    assert "was gone already" in made("purge", live).stdout
    again = data(made("purge", ref, "--json"))
    assert again == [{"id": ref, "kind": "ref", "versions": 0, "chunks": 0}]


def test_purge_takes_an_id_in_any_spelling_and_twice(made: Run) -> None:
    id = add(made, 1)
    (purged,) = data(made("purge", id.upper(), id, "--json"))
    assert (purged["id"], purged["versions"]) == (id, 1)
    (again,) = data(made("purge", id.upper(), "--json"))
    assert (again["id"], again["versions"]) == (id, 0)


@pytest.mark.parametrize("option", ["--project", "--source", "--tag", "--key-prefix"])
def test_delete_by_an_empty_filter_is_refused(made: Run, option: str) -> None:
    add(made, 1)
    refused = made("delete", "--kind", "rule", option, "", status=STATUS["invalid_input"])
    assert f"{option} is empty" in refused.stderr
    assert len(data(made("list", "rule", "--json"))["items"]) == 1


def test_restore_of_what_is_gone_says_so(made: Run) -> None:
    refused = made("restore", NEVER, status=STATUS["not_found"])
    assert "there is no deleted item" in refused.stderr


def test_purge_of_what_never_was_purges_nothing(made: Run) -> None:
    id = add(made, 1)

    ended = made("purge", id, NEVER, status=STATUS["not_found"])

    assert NEVER in ended.stderr
    assert ended.stdout == ""
    made("get", id)
    made("purge", id, "nonsense", status=STATUS["invalid_input"])
    made("get", id)


def test_sweep_removes_what_has_expired_or_cannot_be_restored_any_more(made: Run, store_path: Path) -> None:
    expired = add(made, 1, "--expires-at", "2020-01-01T00:00:00Z")
    deleted, kept = add(made, 2), add(made, 3)
    made("delete", deleted)

    assert data(made("sweep", "--json")) == {"expired": 1, "deleted": 0}
    made("restore", expired, status=STATUS["not_found"])

    change(store_path, "UPDATE settings SET value = '0' WHERE name = 'undo_window_seconds'")
    assert made("sweep").stdout == "removed 0 expired and 1 deleted items for good\n"
    made("restore", deleted, status=STATUS["not_found"])
    assert made("sweep").stdout == "removed 0 expired and 0 deleted items for good\n"
    assert kept in made("list", "rule").stdout
    assert made("check").stdout == "sound\n"


def test_check_repairs_on_request_and_says_what(made: Run, store_path: Path) -> None:
    for number in range(3):
        add(made, number, "--tag", "a")
    assert made("check", "--repair").stdout == "sound\n"
    change(store_path, "DELETE FROM vectors_1 WHERE chunk_id = (SELECT min(chunk_id) FROM vectors_1)")
    change(store_path, "PRAGMA foreign_keys = off; INSERT INTO item_tags (item, tag) VALUES (9999, 1)")

    found = made("check", status=1)
    assert found.stdout.splitlines()[-1].endswith("problems")

    repaired = made("check", "--repair")
    lines = repaired.stdout.splitlines()
    assert lines[-1] == "sound"
    assert len(lines) >= 3
    assert all(line.startswith("repaired: ") for line in lines[:-1])
    assert made("check").stdout == "sound\n"
    told = data(made("check", "--repair", "--json"))
    assert (told["ok"], told["repaired"], told["problems"]) == (True, [], [])
    with recollect.open(store_path, read_only=True) as store:
        assert len(store.search("subject0 subject1 subject2", k=10)) == 3
