"""What can be wrong with a store before anything is asked of it."""

import gc
import os
import random
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import recollect
from recollect import (
    ClosedError,
    CorruptError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    RecollectError,
    UnsupportedError,
)


@pytest.fixture
def finished(store_path: Path) -> Path:
    """A store with some content that nobody has open."""
    with recollect.open(store_path, embedder=None) as store:
        store.docs.add_many([f"document {number} " + "word " * 200 for number in range(200)])
        store.checkpoint()
    return store_path


def run_python(program: str, *arguments: object) -> str:
    """Runs a program in another process, so that this one never opens the file by itself; returns what it prints."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def test_store_comes_back_after_closing(finished: Path) -> None:
    with recollect.open(finished, embedder=None) as store:
        assert store.docs.count() == 200
        assert store.path == str(finished)
        assert store.check().ok


def test_store_in_memory_ends_with_its_handle() -> None:
    with recollect.open(":memory:", embedder=None) as store:
        store.rules.add("here today")
        assert store.path is None
        assert store.stats().path is None
    with recollect.open(":memory:", embedder=None) as store:
        assert store.rules.count() == 0


def test_store_that_is_not_there_is_created_only_where_allowed(store_path: Path) -> None:
    for options in ({"create": False}, {"read_only": True}):
        with pytest.raises(NotFoundError) as caught:
            recollect.open(store_path, **options)  # type: ignore[arg-type] # options of two types
        assert str(store_path) in caught.value.message
        assert not store_path.exists()


def test_store_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecollectError) as caught:
        recollect.open(tmp_path / "no" / "such" / "folder.db")
    assert caught.value.hint


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        recollect.open(tmp_path)
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["", "a\0b", "a\ud800b", 7, None, b"bytes.db"])
def test_path_that_is_none_is_refused(path: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInputError):
        recollect.open(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bytes_kept", [1, 15, 99, 100, 512, 4095, 4096, 10_000])
def test_truncated_file_is_corrupt_and_left_as_it_is(finished: Path, bytes_kept: int) -> None:
    content = finished.read_bytes()[:bytes_kept]
    finished.write_bytes(content)

    with pytest.raises(CorruptError) as caught, recollect.open(finished, embedder=None) as store:
        store.docs.list(limit=1000)
    assert caught.value.hint
    assert finished.read_bytes() == content


@pytest.mark.parametrize("seed", range(3))
def test_random_bytes_are_no_store(store_path: Path, seed: int) -> None:
    content = random.Random(seed).randbytes(20_000)
    store_path.write_bytes(content)

    with pytest.raises(CorruptError):
        recollect.open(store_path, embedder=None)
    assert store_path.read_bytes() == content


def test_text_file_is_no_store(store_path: Path) -> None:
    store_path.write_text("This is a diary, not a database. " * 100)

    with pytest.raises(CorruptError):
        recollect.open(store_path, embedder=None)


def test_foreign_database_is_no_store(store_path: Path) -> None:
    make = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('CREATE TABLE a (b)'); c.commit(); c.close()"
    )
    run_python(make, store_path)
    content = store_path.read_bytes()

    with pytest.raises(CorruptError) as caught:
        recollect.open(store_path, embedder=None)
    assert caught.value.hint
    assert store_path.read_bytes() == content


def test_newer_schema_is_refused_and_left_as_it_is(finished: Path) -> None:
    program = """
import sqlite3, sys
c = sqlite3.connect(sys.argv[1])
version = c.execute("PRAGMA user_version").fetchone()[0] + 1
c.execute("INSERT INTO migrations VALUES (?, '9999_do_more', x'00', 0)", [version])
c.execute(f"PRAGMA user_version = {version}")
c.commit()
c.execute("PRAGMA wal_checkpoint(TRUNCATE)")
c.close()
"""
    run_python(program, finished)

    for options in ({}, {"read_only": True}):
        with pytest.raises(UnsupportedError) as caught:
            recollect.open(finished, embedder=None, **options)  # type: ignore[arg-type] # as above
        assert "update recollect" in caught.value.hint


def test_read_only_store_refuses_every_write(finished: Path) -> None:
    with recollect.open(finished, read_only=True, embedder=None) as store:
        doc = store.docs.list(limit=1)[0]
        assert store.read_only
        for write in (
            lambda: store.rules.add("no"),
            lambda: store.docs.update(doc.id, priority=1),
            lambda: store.docs.delete(doc.id),
            lambda: store.channels.create("no"),
            lambda: store.projects.rename("a", "b"),
            store.checkpoint,
        ):
            with pytest.raises(PermissionDeniedError) as caught:
                write()
            assert caught.value.hint
        assert store.docs.count() == 200


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_without_rights_is_denied(finished: Path) -> None:
    finished.chmod(0)
    with pytest.raises(PermissionDeniedError):
        recollect.open(finished, embedder=None)


@pytest.mark.parametrize(
    "options",
    [
        {"durability": "some"},
        {"durability": None},
        {"readers": 0},
        {"readers": -1},
        {"readers": 2**40},
        {"timeout": -1.0},
        {"timeout": float("nan")},
        {"project": "/a"},
        {"project": "a/*"},
        {"principal": ""},
        {"principal": "a\0"},
        {"embedder": "manual"},
        {"embedder": object()},
        {"embedder": recollect.ExternalVectors("", 8)},
        {"embedder": recollect.ExternalVectors("m", 0)},
        {"embedder": recollect.ExternalVectors("m", -1)},
        {"embedder": recollect.ExternalVectors("m", 1)},
        {"embedder": recollect.ExternalVectors("m", 4097)},
        {"embedder": recollect.ExternalVectors("m", 2**64)},
    ],
    ids=str,
)
def test_bad_option_is_refused(options: dict[str, Any], store_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        recollect.open(store_path, **{"embedder": None, **options})
    assert caught.value.hint
    assert not store_path.exists()


def test_time_limit_may_be_a_duration(store_path: Path) -> None:
    with recollect.open(store_path, embedder=None, timeout=timedelta(seconds=5)) as store:
        assert store.rules.add("fine", timeout=timedelta(seconds=5)).created


def test_closed_store_refuses_everything(store_path: Path) -> None:
    store = recollect.open(store_path, embedder=None)
    added = store.rules.add("here")
    store.close()
    store.close()

    assert store.closed
    assert "closed" in repr(store)
    for call in (
        lambda: store.rules.add("no"),
        lambda: store.rules.add_many(["no"]),
        lambda: store.rules.get(added.id),
        store.rules.list,
        store.rules.count,
        lambda: store.rules.update(added.id, priority=1),
        lambda: store.rules.delete(added.id),
        lambda: store.rules.restore(added.id),
        lambda: store.rules.history(added.id),
        lambda: store.rules.revert(added.id, 1),
        lambda: store.get(added.id),
        lambda: store.search(vector=[1.0, 2.0]),
        store.changes,
        store.projects.list,
        lambda: store.projects.rename("a", "b"),
        lambda: store.projects.move("a", "b"),
        lambda: store.projects.delete("a"),
        store.channels.list,
        lambda: store.channels.create("a"),
        lambda: store.embeddings.get([added.id]),
        store.embeddings.missing,
        lambda: store.embeddings.put([], []),
        store.stats,
        store.check,
        store.checkpoint,
        lambda: store.tiers,
        lambda: store.space,
    ):
        with pytest.raises(ClosedError) as caught:
            call()
        assert caught.value.hint


def test_store_forgotten_is_closed_quietly_when_its_collections_are_too(store_path: Path) -> None:
    rules = recollect.open(store_path, embedder=None).rules
    gc.collect()
    rules.add("kept")
    del rules

    with recollect.open(store_path, embedder=None) as store:
        assert store.rules.count() == 1


def test_copy_of_a_closed_store_is_a_store(finished: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    shutil.copyfile(finished, copy)

    with recollect.open(copy, embedder=None) as store:
        assert store.check().ok
        assert store.docs.count() == 200


def test_durability_normal_keeps_what_was_closed(store_path: Path) -> None:
    with recollect.open(store_path, embedder=None, durability="normal") as store:
        store.rules.add("kept")
    with recollect.open(store_path, embedder=None) as store:
        assert store.rules.count() == 1


def test_stats_and_check_tell_what_is_there(store: recollect.Store, store_path: Path) -> None:
    store.rules.add("one rule about naming", tags=["a", "b"], project="acme")
    gone = store.refs.add("a.py", "a ref that goes")
    store.refs.delete(gone.id)
    store.docs.add("# A\n\ntext\n\n# B\n\nmore text")

    stats, report = store.stats(), store.check()

    assert (stats.rules, stats.docs, stats.refs, stats.deleted) == (1, 1, 0, 1)
    assert (stats.seq, stats.schema_version, stats.tags) == (4, store.schema_version, 2)
    assert stats.vectors == stats.chunks > 1
    assert stats.file_bytes + stats.wal_bytes >= 4096
    assert stats.path == str(store_path)
    assert stats.space == store.space
    assert report.ok
    assert report.problems == ()
    assert (report.items, report.changes) == (3, 4)
