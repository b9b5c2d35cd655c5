"""Loads Markdown rule files and a book into a store, and measures how well rules are found by their descriptions.

The data folder holds, as gzipped JSON lines:

- `rules/rules.jsonl.gz`: one rule file a line, with `id` (source and path), `description`, `globs`, `always_apply` and
  `text`. Each file is split at its headings, and each section becomes a rule that shares the globs of its file.
- `docs_rustbook/docs.jsonl.gz` and `docs_rustbook/blocks.jsonl.gz`: documents (`id`, `title`), and their blocks in
  order (`doc`, `text`).

Afterwards the description of each rule file, where it is over 30 characters long and not part of the file's text, is a
query: it is a hit if a rule of that file is among the first ten.

Usage: python examples/load_shared.py DATA [--store PATH] [--limit FILES] [--json]
"""

import argparse
import gzip
import json
import logging
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

import recollect
from recollect import NewDoc, NewRule, Store

FILES = ("rules/rules.jsonl.gz", "docs_rustbook/docs.jsonl.gz", "docs_rustbook/blocks.jsonl.gz")
BATCH_ITEMS = 2_000
RULE_BYTES = 65_536
DESCRIPTION_CHARACTERS = 30
K = 10


@dataclass(frozen=True)
class Report:
    """What was loaded, how long it took, and how well it is found."""

    rule_files: int
    rules: int
    rules_seconds: float
    docs: int
    docs_seconds: float
    chunks: int
    vectors: int
    file_bytes: int
    queries: int
    hits_at_10: int
    query_mean_ms: float
    query_p50_ms: float
    query_p95_ms: float

    def text(self) -> str:
        """The report for people."""
        share = self.hits_at_10 / self.queries if self.queries else 0.0
        found = f"{self.hits_at_10} of {self.queries} descriptions have a rule of their file in the top {K}"
        p50, p95 = self.query_p50_ms, self.query_p95_ms
        return "\n".join(
            (
                f"rules   {self.rule_files} files, {self.rules} rules in {self.rules_seconds:.2f} s",
                f"docs    {self.docs} documents in {self.docs_seconds:.2f} s",
                f"store   {self.chunks} chunks, {self.vectors} vectors, {self.file_bytes / 1e6:.1f} MB",
                f"found   {found}: {share:.1%}",
                f"query   mean {self.query_mean_ms:.2f} ms, p50 {p50:.2f} ms, p95 {p95:.2f} ms",
            )
        )


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yields the records of a gzipped file of JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def rules_of(store: Store, file: dict[str, Any]) -> Iterator[NewRule]:
    """Yields the sections of a rule file as rules."""
    for number, section in enumerate(store.rules.split_sections(file["text"])):
        text = section.text.strip()
        if not text:
            continue
        # A section says what it is about; the headings above it, which it lacks, say of what.
        above = " / ".join(heading for heading in section.heading if heading not in text)
        whole = f"{above}\n\n{text}" if above else text
        yield NewRule(
            text=whole if len(whole.encode()) <= RULE_BYTES else text,
            key=f"{file['id']}#{number}",
            source=file["id"],
            applies_to=file["globs"] or (),
            always_on=bool(file["always_apply"]),
        )


def load_rules(store: Store, files: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Adds the rules of all files, and returns which files each of them stands in.

    A section that several files share word for word is one rule.
    """
    drafts = ((file["id"], draft) for file in files for draft in rules_of(store, file))
    files_of: defaultdict[str, set[str]] = defaultdict(set)
    while batch := list(islice(drafts, BATCH_ITEMS)):
        for (name, _), added in zip(batch, store.rules.add_many(draft for _, draft in batch), strict=True):
            files_of[added.id].add(name)
    return files_of


def documents(folder: Path) -> Iterator[NewDoc]:
    """Yields the documents, each joined from its blocks."""
    blocks: defaultdict[str, list[str]] = defaultdict(list)
    for block in read_lines(folder / "blocks.jsonl.gz"):
        blocks[block["doc"]].append(block["text"])
    for doc in read_lines(folder / "docs.jsonl.gz"):
        text = "\n\n".join(blocks[doc["id"]])
        if text.strip():
            yield NewDoc(text=text, path=doc["id"], title=doc["title"] or None, project="rust/book")


def ask(store: Store, files: list[dict[str, Any]], files_of: dict[str, set[str]]) -> tuple[int, list[float]]:
    """Asks for each file by its description; returns the number of hits, and milliseconds per query."""
    hits = 0
    milliseconds: list[float] = []
    for file in files:
        description: str = file["description"] or ""
        if len(description) <= DESCRIPTION_CHARACTERS or description in file["text"]:
            continue
        start = perf_counter()
        result = store.search(description, kinds=["rule"], project="*", k=K)
        milliseconds.append((perf_counter() - start) * 1000)
        hits += any(file["id"] in files_of.get(hit.id, ()) for hit in result)
    return hits, milliseconds


def load(store: Store, data: Path, limit: int | None) -> Report:
    """Loads everything, asks, and reports."""
    files = list(islice(read_lines(data / "rules" / "rules.jsonl.gz"), limit))
    start = perf_counter()
    files_of = load_rules(store, files)
    rules_seconds = perf_counter() - start
    print(f"{len(files_of)} rules of {len(files)} files in {rules_seconds:.2f} s", file=sys.stderr)

    drafts = list(islice(documents(data / "docs_rustbook"), limit))
    start = perf_counter()
    store.docs.add_many(drafts)
    docs_seconds = perf_counter() - start
    print(f"{len(drafts)} documents in {docs_seconds:.2f} s", file=sys.stderr)

    hits, milliseconds = ask(store, files, files_of)
    ordered = sorted(milliseconds) or [0.0]
    store.checkpoint()
    stats = store.stats()
    return Report(
        rule_files=len(files),
        rules=stats.rules,
        rules_seconds=rules_seconds,
        docs=stats.docs,
        docs_seconds=docs_seconds,
        chunks=stats.chunks,
        vectors=stats.vectors,
        file_bytes=stats.file_bytes,
        queries=len(milliseconds),
        hits_at_10=hits,
        query_mean_ms=statistics.fmean(ordered),
        query_p50_ms=ordered[len(ordered) // 2],
        query_p95_ms=ordered[len(ordered) * 95 // 100],
    )


def main() -> int:
    """Reads the command line, loads, and prints the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the data folder")
    parser.add_argument("--store", type=Path, help="where to keep the store; default: a temporary folder")
    parser.add_argument("--limit", type=int, help="at most so many rule files and documents")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")

    missing = [name for name in FILES if not (arguments.data / name).is_file()]
    if missing:
        print(f"error: {arguments.data} holds no {' and no '.join(missing)}", file=sys.stderr)
        print("hint: name the folder that holds these files; --help says what is in them", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="recollect-") as folder:
        try:
            with recollect.open(arguments.store or Path(folder) / "shared.db") as store:
                report = load(store, arguments.data, arguments.limit)
        except recollect.RecollectError as error:
            print(f"error: {error.message}\nhint: {error.hint}", file=sys.stderr)
            return 1
        except (OSError, EOFError, ValueError, KeyError) as error:
            # Not gzip, cut off, no JSON, or a record without a field that is needed.
            print(f"error: the data cannot be read: {type(error).__name__}: {error}", file=sys.stderr)
            print("hint: --help says what is in these files", file=sys.stderr)
            return 2
    print(json.dumps(asdict(report), indent=2) if arguments.json else report.text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
