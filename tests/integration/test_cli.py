"""The `recollect` command: data on stdout, talk on stderr, JSON on request, exit statuses from the table of errors."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recollect.store import error_table

STATUS = {code: status for code, _, status, _ in error_table()}

Run = Callable[..., subprocess.CompletedProcess[str]]


def data(ended: subprocess.CompletedProcess[str]) -> Any:
    """What the command wrote as JSON."""
    return json.loads(ended.stdout)


def test_init_creates_a_store_once(run: Run, store_path: Path) -> None:
    assert str(store_path) in run("init").stdout

    again = run("init", status=STATUS["already_exists"])

    assert again.stdout == ""
    assert "hint: " in again.stderr


def test_init_as_json_tells_the_store(run: Run, store_path: Path) -> None:
    told = data(run("init", "--json"))

    assert told["path"] == str(store_path)
    assert told["schema_version"] >= 1


def test_items_added_are_found_got_listed_deleted_and_restored(made: Run, tmp_path: Path) -> None:
    rule = made(
        "add", "rule", "Never commit secrets.", "--tag", "git", "--key", "secrets", "--always-on"
    ).stdout.strip()
    (tmp_path / "guide.md").write_text("# Guide\n\nHow to deploy the service.\n")
    doc = data(made("add", "doc", str(tmp_path / "guide.md"), "--path", "docs/guide.md", "--json"))["id"]
    ref = data(made("add", "ref", "https://example.org", "The dashboard.", "--json"))["id"]

    assert data(made("search", "credentials in the repository", "--json"))["hits"][0]["id"] == rule
    assert "docs/guide.md" in made("search", "deployment", "--kind", "doc").stdout
    assert made("get", rule, "--text").stdout == "Never commit secrets."
    assert data(made("get", "--kind", "rule", "--key", "secrets", "--json"))["tags"] == ["git"]
    assert "always_on: True" in made("get", rule).stdout
    assert data(made("get", doc, "--json"))["title"] == "Guide"
    assert [item["id"] for item in data(made("list", "ref", "--json"))["items"]] == [ref]
    assert rule in made("list", "rule", "--tag", "git").stdout
    assert made("list", "rule", "--tag", "other").stdout == ""

    assert data(made("delete", rule, "--json"))["version"] == 2
    made("get", rule, status=STATUS["not_found"])
    assert rule in made("list", "rule", "--deleted").stdout
    made("restore", rule)
    assert data(made("get", rule, "--json"))["version"] == 3

    stats = data(made("stats", "--json"))
    assert (stats["rules"], stats["docs"], stats["refs"]) == (1, 1, 1)
    assert "rules" in made("stats").stdout
    assert data(made("check", "--json"))["ok"] is True
    assert made("check").stdout == "sound\n"


def test_fields_of_the_command_line_reach_the_item(made: Run) -> None:
    words = ["--metadata", '{"a": [1, "é"]}', "--priority", "-5", "--trust", "unverified", "--source", "wiki"]
    words += ["--valid-from", "2026-01-31T12:00:00+02:00", "--applies-to", "*.py", "--applies-to", "*.pyi"]
    added = data(made("add", "rule", "Text.", *words, "--mode", "plan", "--project", "acme/web", "--json"))

    rule = data(made("get", added["id"], "--json"))

    assert (rule["metadata"], rule["priority"], rule["trust"], rule["source"]) == (
        *({"a": [1, "é"]}, -5),
        *("unverified", "wiki"),
    )
    assert rule["valid_from"] == "2026-01-31T10:00:00+00:00"
    assert (rule["applies_to"], rule["modes"], rule["project"]) == (["*.py", "*.pyi"], ["plan"], "acme/web")


def test_project_comes_from_option_or_environment(made: Run) -> None:
    made("add", "rule", "At the root.")
    made("add", "rule", "In the project.", RECOLLECT_PROJECT="acme")

    assert "In the project." in made("list", "rule", "--project", "acme").stdout
    assert "At the root." not in made("list", "rule", RECOLLECT_PROJECT="acme").stdout
    assert "In the project." not in made("search", "rule").stdout
    assert "In the project." in made("search", "project", "--project", "acme").stdout


def test_list_goes_on_at_the_cursor(made: Run) -> None:
    for number in range(3):
        made("add", "rule", f"Rule number {number}.")
    first = data(made("list", "rule", "--limit", "2", "--json"))

    second = data(made("list", "rule", "--limit", "2", "--cursor", first["next_cursor"], "--json"))

    assert [item["text"] for item in first["items"] + second["items"]] == [f"Rule number {n}." for n in range(3)]
    assert second["next_cursor"] is None


def test_text_comes_from_stdin(made: Run) -> None:
    rule = made("add", "rule", "-", text="From a pipe.\n").stdout.strip()

    assert data(made("get", rule, "--json"))["text"] == "From a pipe.\n"


def test_equal_content_is_told_on_stderr(made: Run) -> None:
    first = made("add", "rule", "Say it once.")
    second = made("add", "rule", "Say it once.")

    assert first.stdout == second.stdout
    assert "already" in second.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["get", "01890a5d-ac96-774b-bcce-b302099a8057"], "not_found"),
        (["get", "nonsense"], "invalid_input"),
        (["get"], "invalid_input"),
        (["get", "--key", "a"], "invalid_input"),
        (["search", "x", "-k", "0"], "invalid_input"),
        (["search", " "], "invalid_input"),
        (["add", "rule", " "], "invalid_input"),
        (["add", "rule", "a", "--metadata", "{"], "invalid_input"),
        (["add", "rule", "a", "--metadata", "[]"], "invalid_input"),
        (["add", "rule", "a", "--metadata", '{"a": 1, "b": {"c": 1, "c": 2}}'], "invalid_input"),
        (["add", "rule", "a", "--metadata", '{"a": NaN}'], "invalid_input"),
        (["add", "rule", "a", "--channel", "none"], "not_found"),
        (["list", "rule", "--cursor", "none"], "invalid_input"),
        (["add", "rule", "a", "--valid-from", "2026-01-01"], "invalid_input"),
        (["add", "doc", "/no/such/file.md"], "io"),
        (["restore", "01890a5d-ac96-774b-bcce-b302099a8057"], "not_found"),
        (["delete", "01890a5d-ac96-774b-bcce-b302099a8057"], "not_found"),
        (["delete"], "invalid_input"),
        (["delete", "--kind", "rule", "--source", "wiki", "--expected", "1"], "conflict"),
        (["purge", "01890a5d-ac96-774b-bcce-b302099a8057"], "not_found"),
        (["purge", "nonsense"], "invalid_input"),
    ],
    ids=" ".join,
)
def test_error_gives_hint_and_its_exit_status(made: Run, words: list[str], code: str) -> None:
    ended = made(*words, status=STATUS[code])
    assert ended.stdout == ""
    assert ended.stderr.startswith("error: ")
    assert "\nhint: " in ended.stderr

    error = json.loads(made(*words, "--json", status=STATUS[code]).stderr)["error"]
    assert error["code"] == code
    assert error["hint"]
    # Words that mean something in Python alone.
    assert not re.search(r"\w=|datetime|\bdict\b|None|next_cursor|store\.", error["hint"]), error["hint"]


def test_store_that_is_not_there_or_not_named_is_told(run: Run, store_path: Path) -> None:
    assert "hint: " in run("stats", status=STATUS["not_found"]).stderr
    assert "RECOLLECT_STORE" in run("stats", status=STATUS["invalid_input"], RECOLLECT_STORE="").stderr
    assert not store_path.exists()


def test_wrong_command_line_has_status_two(run: Run) -> None:
    for words in (
        ["fly"],
        [],
        ["add", "rule"],
        ["add", "rule", "a", "--valid-from", "tomorrow"],
        ["list", "rule", "--timeout", "soon"],
    ):
        ended = run(*words, status=STATUS["invalid_input"])
        assert ended.stdout == ""
        assert ended.stderr.startswith("error: ")
        assert "\nhint: `recollect" in ended.stderr
        assert "_time" not in ended.stderr
        error = json.loads(run(*words, "--json", status=STATUS["invalid_input"]).stderr)["error"]
        assert error["code"] == "invalid_input"


def test_version_and_help(run: Run) -> None:
    assert run("--version").stdout.startswith("recollect ")
    names = ("init", "add", "search", "get", "list", "delete", "restore", "purge", "sweep", "stats", "check", "demo")
    for command in names:
        assert command in run("--help").stdout


def test_reader_that_has_seen_enough_is_no_error(made: Run, store_path: Path) -> None:
    made("add", "rule", "text " * 10_000)
    command = f'"{sys.executable}" -m recollect list rule --json --store "{store_path}" | head -c 10'
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)

    assert ended.stderr == ""


def test_demo_answers_five_questions_offline(run: Run, tmp_path: Path) -> None:
    ended = run("demo", "--json", "--store", str(tmp_path / "demo.db"))
    told = data(ended)

    assert len(told["answers"]) == 5
    assert told["stats"]["rules"] == 20
    assert told["stats"]["refs"] == 10
    assert told["stats"]["docs"] > 50
    best = {answer["query"]: [hit["snippet"] for hit in answer["result"]["hits"]] for answer in told["answers"]}
    assert any("passwords" in snippet for snippet in best["what must never be committed"])
    assert any("rounded" in snippet for snippet in best["where are amounts of money rounded"])
    assert (tmp_path / "demo.db").exists()
    run("demo", "--store", str(tmp_path / "demo.db"), status=STATUS["already_exists"])


def test_demo_without_a_store_leaves_nothing_behind(run: Run, tmp_path: Path, store_path: Path) -> None:
    ended = run("demo", TMPDIR=str(tmp_path))

    assert ended.stdout.startswith("stored 20 rules")
    assert ended.stdout.count("\n? ") == 5
    assert not store_path.exists()
    assert list(tmp_path.iterdir()) == []
