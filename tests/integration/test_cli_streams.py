"""The `recollect` command under every locale, and with streams that are full or closed: an answer or a typed error."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import recollect
from recollect.store import error_table

STATUS = {code: status for code, _, status, _ in error_table()}
COMMAND = f'"{sys.executable}" -m recollect'
TEXT = "Grüße an die naïve Welt 𝄞"


@pytest.fixture
def filled(store_path: Path) -> Path:
    """A store with one rule that is not ASCII."""
    with recollect.open(store_path) as store:
        store.rules.add(TEXT, key="greeting")
    return store_path


def shell(line: str, store: Path, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Runs a line of bash, in which `recollect` is the command."""
    environment = os.environ | {"RECOLLECT_STORE": str(store)} | variables
    script = f'recollect() {{ {COMMAND} "$@"; }}\n{line}'
    return subprocess.run(["bash", "-c", script], capture_output=True, check=False, timeout=60, env=environment)


@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
    ids=str,
)
def test_text_is_utf8_in_both_directions_whatever_the_locale(
    filled: Path, tmp_path: Path, locale: dict[str, str]
) -> None:
    listed = shell("recollect list rule", filled, **locale)
    assert TEXT.encode() in listed.stdout
    assert listed.stderr == b""
    assert shell("recollect get --kind rule --key greeting --text", filled, **locale).stdout == TEXT.encode()

    (tmp_path / "größe.md").write_text("größer", encoding="utf-8")
    for line in ("recollect add rule 'Schöne Grüße.' --json", f"recollect add doc '{tmp_path}/größe.md' --json"):
        added = shell(line, filled, **locale)
        assert added.stderr == b""
        with recollect.open(filled) as store:
            item = store.get(json.loads(added.stdout)["id"])
        assert not isinstance(item, recollect.Ref)
        assert item.text in {"Schöne Grüße.", "größer"}

    missing = shell("recollect get --kind rule --key grün", filled, **locale)
    assert missing.returncode == STATUS["not_found"]
    assert "grün".encode() in missing.stderr


@pytest.mark.parametrize(
    "words", ["list rule", "list rule --json", "get --kind rule --key greeting --text", "--version", "--help"]
)
def test_full_device_is_an_error_of_the_operating_system(filled: Path, words: str) -> None:
    ended = shell(f"recollect {words} > /dev/full", filled)

    assert ended.returncode == STATUS["io"]
    assert b"stdout cannot be written to: " in ended.stderr
    assert b"hint" in ended.stderr
    assert b"Traceback" not in ended.stderr
    assert b"Exception ignored" not in ended.stderr


def test_full_stderr_does_not_hide_the_answer(filled: Path) -> None:
    ended = shell("recollect search Welt 2> /dev/full", filled)

    assert ended.returncode == 0
    assert TEXT.encode() in ended.stdout


def test_closed_stdout_is_refused_before_anything_is_done(filled: Path) -> None:
    ended = shell("recollect add rule 'another rule' >&-", filled)

    assert ended.returncode == STATUS["io"]
    assert b"error: stdout is closed" in ended.stderr
    with recollect.open(filled) as store:
        assert store.rules.count() == 1


def test_closed_stdin_is_an_error_for_who_reads_it_and_none_for_others(filled: Path) -> None:
    ended = shell("recollect add rule - <&-", filled)

    assert ended.returncode == STATUS["io"]
    assert b"error: stdin is closed" in ended.stderr
    assert shell("recollect list rule <&-", filled).returncode == 0


def test_closed_streams_never_become_the_file_of_the_store(filled: Path) -> None:
    assert shell("recollect add rule 'another rule' <&- 2>&-", filled).returncode == 0
    assert shell("recollect --verbose-nonsense <&- 2>&-", filled).returncode == STATUS["invalid_input"]
    assert shell("recollect list rule <&- >&- 2>&-", filled).returncode == STATUS["io"]

    with recollect.open(filled) as store:
        assert store.check().ok
        assert store.rules.count() == 2


def test_file_and_stdin_that_cannot_be_read_are_told(filled: Path, tmp_path: Path) -> None:
    (tmp_path / "latin.md").write_bytes("größe".encode("latin-1"))
    for line, code in (
        (f"recollect add doc '{tmp_path}'", "io"),
        (f"recollect add doc '{tmp_path}/latin.md'", "invalid_input"),
        (f"recollect add rule - < '{tmp_path}/latin.md'", "invalid_input"),
    ):
        ended = shell(line, filled)
        assert ended.returncode == STATUS[code], ended.stderr
        assert b"\nhint: " in ended.stderr
