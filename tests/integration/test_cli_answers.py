"""What the `recollect` command tells people: ids to go on with, scopes, texts that cannot play with the terminal."""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

import recollect
from recollect.cli.main import _parser
from recollect.store import error_table

STATUS = {code: status for code, _, status, _ in error_table()}

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_get_text_writes_the_stored_bytes_and_no_others(store_path: Path) -> None:
    for text in ("no line feed", "one line feed\n", "Zeile\r\nzwei\rdrei\n\n", "\x1b[31mred", "naïve 𝄞"):
        with recollect.open(store_path) as store:
            id = store.docs.add(text).id
        command = [sys.executable, "-m", "recollect", "get", id, "--text", "--store", str(store_path)]
        assert subprocess.run(command, check=True, capture_output=True).stdout == text.encode()


def test_hits_and_list_lines_carry_the_id(made: Run) -> None:
    id = made("add", "rule", "Never commit secrets.", "--key", "secrets").stdout.strip()

    assert id in made("search", "secrets").stdout
    assert id in made("list", "rule").stdout


def test_search_without_hits_tells_scope_and_the_way_out(made: Run) -> None:
    made("add", "rule", "Never commit secrets.", "--project", "acme")

    ended = made("search", "secrets", "--project", "other/web")
    assert ended.stdout == ""
    assert "other/web, other, /" in ended.stderr
    assert "hint: --project '*' searches every project" in ended.stderr
    assert "hint:" not in made("search", "secrets", "--project", "*").stderr
    assert json.loads(made("search", "secrets", "--json").stdout)["hits"] == []
    assert "Never commit secrets." in made("list", "rule").stdout


def test_control_characters_of_stored_text_are_shown_and_not_sent(made: Run, store_path: Path) -> None:
    evil = "red \x1b[31m alert \x07 \x9b2J \u202e turned"
    with recollect.open(store_path) as store:
        id = store.rules.add(evil).id

    for words in (["search", "red alert"], ["list", "rule"], ["get", id]):
        shown = made(*words).stdout
        assert "\\x1b[31m" in shown
        assert not set("\x1b\x07\x9b\u202e") & set(shown)


def test_get_by_id_and_another_kind_finds_nothing(made: Run) -> None:
    rule = made("add", "rule", "Never commit secrets.").stdout.strip()

    assert made("get", rule, "--kind", "rule").stdout
    made("get", rule, "--kind", "doc", status=STATUS["not_found"])


def test_empty_store_option_is_refused_though_the_environment_names_one(run: Run, store_path: Path) -> None:
    for command in (["init"], ["stats"], ["demo"]):
        ended = run(*command, "--store", "", status=STATUS["invalid_input"])
        assert "hint: " in ended.stderr
    assert not store_path.exists()


def test_hint_about_time_limits_names_the_option(made: Run) -> None:
    ended = made("search", "anything", "--timeout", "0", status=STATUS["timeout"])

    assert "--timeout" in ended.stderr


class Recorder:
    """Stands before an object of the package and notes the time limit of every call."""

    def __init__(self, behind: Any, seen: dict[str, object]) -> None:
        self._behind = behind
        self._seen = seen

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._behind, name)
        if isinstance(value, (recollect.store.Rules, recollect.store.Docs, recollect.store.Refs)):
            return Recorder(value, self._seen)
        if not callable(value):
            return value

        def call(*arguments: Any, **options: Any) -> Any:
            self._seen[name] = options.get("timeout")
            return value(*arguments, **options)

        return call

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._behind.close()


def test_every_call_of_every_command_has_the_time_limit(
    store_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from recollect.cli import arguments, demo, main

    seen: dict[str, object] = {}

    def open_recorded(*words: Any, **options: Any) -> Any:
        seen["open"] = options["timeout"]
        return Recorder(recollect.open(*words, **options), seen)

    monkeypatch.setattr(arguments, "open_at", open_recorded)
    monkeypatch.setattr(demo, "open_at", open_recorded)
    monkeypatch.setenv("RECOLLECT_STORE", str(store_path))

    def run(*words: str) -> str:
        seen.clear()
        assert main([*words, "--timeout", "7.5"]) == 0
        assert set(seen.values()) == {7.5}, (words, seen)
        return capsys.readouterr().out.strip()

    run("init")
    id = run("add", "rule", "Text.", "--key", "a")
    run("add", "doc", __file__)
    run("add", "ref", "#1", "note")
    run("get", id)
    run("get", "--kind", "rule", "--key", "a")
    run("get", "--kind", "rule", id)
    run("list", "rule")
    run("search", "text")
    run("delete", id)
    run("restore", id)
    run("delete", "--kind", "rule", "--key-prefix", "a")
    run("purge", id)
    run("purge", id)
    run("sweep")
    run("stats")
    run("check")
    run("check", "--repair")
    run("demo")


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parser and those of its commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from parsers(below)


def test_project_is_an_option_of_the_commands_that_use_one() -> None:
    having = {p.prog for p in parsers(_parser()) if any(action.dest == "project" for action in p._actions)}

    kinds = {f"recollect add {kind}" for kind in ("rule", "doc", "ref")}
    assert having == kinds | {"recollect delete", "recollect get", "recollect list", "recollect search"}
