"""The answer to a search."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import overload

from recollect.records.record import Record
from recollect.records.rendering import html_pairs, html_table, one_line
from recollect.records.vocabulary import Kind, Trust

__all__ = ["Hit", "SearchResult"]


@dataclass(frozen=True, slots=True, repr=False)
class Hit(Record):
    """One ranked item, shown by its best chunk.

    Attributes:
        id: The item.
        kind: Its kind.
        version: Its version.
        key: Its key.
        project: Its project.
        score: Cosine of the query and the chunk, from -1 to 1.
        chunk: The id of the chunk that matched best.
        snippet: The chunk's text.
        heading: The headings above it, widest first.
        start: Where the chunk begins in the item's text, in characters.
        end: Where it ends.
        title: A doc's title, or a ref's target.
        path: A doc's path.
        tags: The item's tags.
        source: Where the item came from.
        trust: How far that is trusted.
        priority: The item's priority.
        updated_at: When the item last changed.
    """

    id: str
    kind: Kind
    version: int
    key: str | None
    project: str
    score: float
    chunk: int
    snippet: str
    heading: tuple[str, ...]
    start: int
    end: int
    title: str | None
    path: str | None
    tags: tuple[str, ...]
    source: str | None
    trust: Trust
    priority: int
    updated_at: datetime

    @property
    def name(self) -> str:
        """What a person would call the item: its path, title or key, else its id."""
        return self.path or self.title or self.key or self.id

    def __repr__(self) -> str:
        return one_line(
            "Hit",
            self.snippet,
            score=round(self.score, 3),
            kind=self.kind,
            title=self.title,
            key=self.key,
            project=self.project,
            id=self.id,
        )

    def _repr_html_(self) -> str:
        shown = ("kind", "score", "snippet", "heading", "title", "path", "key", "project", "tags", "source", "trust")
        return html_pairs("hit", ((name, getattr(self, name)) for name in (*shown, "id")))


@dataclass(frozen=True, slots=True, repr=False)
class SearchResult(Record):
    """The hits of a search, best first; iterable, indexable, and as long as its hits.

    Attributes:
        hits: At most k items.
        scope: The projects that were searched, nearest first, with `acme/*` for everything below one; None means every
            project.
        matched: How many items the scope, kinds and tags let through; those of them that have vectors were ranked.
        seq: The change that the answer is as of.
        space: The name of the embedding space.
    """

    hits: tuple[Hit, ...]
    scope: tuple[str, ...] | None
    matched: int
    seq: int
    space: str

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Hit, ...]: ...
    def __getitem__(self, index: int | slice) -> Hit | tuple[Hit, ...]:
        return self.hits[index]

    def __repr__(self) -> str:
        best = f", best {self.hits[0].score:.3f}" if self.hits else ""
        scope = "everywhere" if self.scope is None else f"scope={list(self.scope)!r}"
        return f"SearchResult({len(self.hits)} of {self.matched} items{best}, {scope}, seq={self.seq})"

    def _repr_html_(self) -> str:
        columns = ("score", "kind", "name", "heading", "snippet", "project", "id")
        rows = (
            (hit.score, hit.kind, hit.name, " / ".join(hit.heading), hit.snippet, hit.project, hit.id)
            for hit in self.hits
        )
        return html_table(repr(self), columns, rows)
