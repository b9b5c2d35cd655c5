"""`recollect demo`: fills a store with text that ships with Python, and asks it five questions."""

import argparse
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from recollect.cli.arguments import new_command
from recollect.cli.demo_items import QUERIES, REFS, RULES
from recollect.cli.output import Output
from recollect.cli.search import hit_lines
from recollect.cli.standard_library import documents
from recollect.exceptions import AlreadyExistsError, InvalidInputError
from recollect.records import SearchResult, StoreStats
from recollect.store import Store
from recollect.store import open as open_at

if TYPE_CHECKING:
    from recollect.cli.arguments import Commands

__all__ = ["register"]

_ANSWERS = 3


def register(commands: "Commands") -> None:
    """Adds the command."""
    about = "fill a new store with text that ships with Python, and search it, offline"
    new_command(commands, "demo", about, _run, default_store="one that is gone afterwards")


def _run(arguments: argparse.Namespace, output: Output) -> int:
    with _new_store(arguments.store, arguments.timeout) as store:
        output.say("reading the docstrings of the standard library …")
        drafts = list(documents())
        start = perf_counter()
        store.rules.add_many(RULES, timeout=arguments.timeout)
        store.refs.add_many(REFS, timeout=arguments.timeout)
        store.docs.add_many(drafts, timeout=arguments.timeout)
        stored_in = perf_counter() - start
        stats = store.stats(timeout=arguments.timeout)
        answers = [_ask(store, query, arguments.timeout) for query in QUERIES]
    value = {
        "stats": stats,
        "stored_in_seconds": stored_in,
        "answers": [
            {"query": query, "milliseconds": milliseconds, "result": result}
            for query, (result, milliseconds) in zip(QUERIES, answers, strict=True)
        ],
    }
    output.data(value, _report(stats, stored_in, answers))
    return 0


@contextmanager
def _new_store(path: str | None, timeout: float) -> Generator[Store, None, None]:
    """A store at the path, or one that is gone afterwards."""
    if path is None:
        with (
            tempfile.TemporaryDirectory(prefix="recollect-") as folder,
            open_at(Path(folder) / "demo.db", timeout=timeout) as store,
        ):
            yield store
        return
    if not path:
        raise InvalidInputError("--store names no file", "give a path, or leave the option out")
    if Path(path).exists():
        raise AlreadyExistsError(
            f"there is something at {path} already", "the demo fills a new store: choose another path"
        )
    with open_at(path, timeout=timeout) as store:
        yield store


def _ask(store: Store, query: str, timeout: float) -> tuple[SearchResult, float]:
    start = perf_counter()
    result = store.search(query, k=_ANSWERS, timeout=timeout)
    return result, (perf_counter() - start) * 1000


def _report(stats: StoreStats, stored_in: float, answers: list[tuple[SearchResult, float]]) -> str:
    size = (stats.file_bytes + stats.wal_bytes) / 1e6
    stored = f"stored {stats.rules} rules, {stats.docs} docs and {stats.refs} refs in {stored_in:.2f} s"
    lines = [f"{stored}: {stats.chunks} chunks, {stats.vectors} vectors, {size:.1f} MB"]
    for query, (result, milliseconds) in zip(QUERIES, answers, strict=True):
        lines += ["", f"? {query}  ({milliseconds:.2f} ms)", *hit_lines(result, ids=False)]
    return "\n".join(lines)
