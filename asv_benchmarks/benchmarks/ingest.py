"""Bringing items in: batches with ready vectors, batches that the store embeds, and single durable adds."""

import os
from statistics import quantiles
from time import perf_counter
from typing import Any

from .corpus import paragraphs, vectors
from .stores import DIMENSION, Folder, external

CHUNKS = 100_000
DOC_CHUNKS = 20
SINGLE_ADDS = 500


def _documents(texts: list[str], chunks: int) -> list[dict[str, str]]:
    """Documents of `chunks` sections, each of which the store makes one chunk of.

    A word stands before each paragraph, lest it begins like a code fence or HTML and swallows the next heading.
    """
    return [
        {
            "text": "\n\n".join(
                f"# Part {part}\n\nText: {text}" for part, text in enumerate(texts[start : start + chunks])
            ),
            "path": f"docs/{start}.md",
        }
        for start in range(0, len(texts), chunks)
    ]


class Batches:
    """Bounds: at least 30,000 chunks a second with ready vectors, 15,000 with the built-in embedder on two cores."""

    timeout = 900

    def setup(self) -> None:
        self.folder = Folder()
        self.texts = paragraphs(CHUNKS)
        self.vectors = vectors(CHUNKS, DIMENSION)

    def teardown(self) -> None:
        self.folder.cleanup()

    def _rate(self, kind: str, items: list[Any], options: dict[str, Any], *, with_vectors: bool) -> float:
        best = float("inf")
        for _ in range(2):
            with self.folder.open(**options) as store:
                collection = getattr(store, kind)
                begun = perf_counter()
                collection.add_many(items, vectors=self.vectors if with_vectors else None)
                best = min(best, perf_counter() - begun)
                assert store.stats().vectors == CHUNKS
        return CHUNKS / best

    def track_rules_given_vectors(self) -> float:
        """One-chunk rules."""
        return self._rate("rules", self.texts, {"embedder": external()}, with_vectors=True)

    def track_docs_given_vectors(self) -> float:
        """Docs of twenty chunks."""
        return self._rate("docs", _documents(self.texts, DOC_CHUNKS), {"embedder": external()}, with_vectors=True)

    def track_rules_built_in_embedder(self) -> float:
        """One-chunk rules, embedded by the store."""
        return self._rate("rules", self.texts, {}, with_vectors=False)

    def track_docs_built_in_embedder(self) -> float:
        """Docs of twenty chunks, embedded by the store."""
        return self._rate("docs", _documents(self.texts, DOC_CHUNKS), {}, with_vectors=False)


for _name in ("rules_given_vectors", "docs_given_vectors", "rules_built_in_embedder", "docs_built_in_embedder"):
    getattr(Batches, f"track_{_name}").unit = "chunks/s"


class SingleAdds:
    """One add after the other, each on the disk before it is acknowledged, beside a bare write and fsync."""

    timeout = 300
    params = ("p50", "p95")
    param_names = ("quantile",)

    def setup(self, _quantile: str) -> None:
        self.folder = Folder()
        self.texts = paragraphs(SINGLE_ADDS)

    def teardown(self, _quantile: str) -> None:
        self.folder.cleanup()

    def _measure(self) -> tuple[list[float], list[float]]:
        """Milliseconds of adds and of fsyncs, measured in turns so that both see the same disk."""
        adds, syncs = [], []
        bare = os.open(self.folder.path(), os.O_CREAT | os.O_WRONLY)
        try:
            with self.folder.open() as store:
                for text in self.texts:
                    begun = perf_counter()
                    store.rules.add(text)
                    adds.append((perf_counter() - begun) * 1e3)
                    begun = perf_counter()
                    os.write(bare, b"x" * 4096)
                    os.fsync(bare)
                    syncs.append((perf_counter() - begun) * 1e3)
        finally:
            os.close(bare)
        return adds, syncs

    def track_add_ms(self, quantile: str) -> float:
        """Bound: p95 of at most 10 ms."""
        return _quantile(self._measure()[0], quantile)

    def track_fsync_ms(self, quantile: str) -> float:
        """What the disk itself takes."""
        return _quantile(self._measure()[1], quantile)

    def track_add_over_fsync(self, quantile: str) -> float:
        """The ratio of the two, from one run."""
        adds, syncs = self._measure()
        return _quantile(adds, quantile) / _quantile(syncs, quantile)


def _quantile(values: list[float], name: str) -> float:
    return quantiles(values, n=20)[9 if name == "p50" else 18]


SingleAdds.track_add_ms.unit = "ms"
SingleAdds.track_fsync_ms.unit = "ms"
SingleAdds.track_add_over_fsync.unit = "ratio"
