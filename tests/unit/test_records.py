"""Records are frozen, comparable, hashable values that pickle, and look well in terminals and notebooks."""

import copy
import dataclasses
import pickle
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recollect
from recollect import Embeddings, records

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ID = "01890a5d-ac96-774b-bcce-b302099a8057"
EVIL = "<script>alert('x')</script>&\"<img src=x onerror=y>"
HEAD: tuple[Any, ...] = (
    *(ID, 3, "deps", "acme/web", ("a", "b"), {"n": [1, None]}, None, "internal", 7, EVIL, "trusted"),
    *(None, None, None, NOW, "owner", NOW, "owner", None),
)


def _make(kind: Any, *content: Any) -> Any:
    """An item, from its fields in order, as the core makes it."""
    return kind(*HEAD, *content)


RULE = _make(records.Rule, "Use uv, never pip.\nAlways.", ("**/*.py",), ("plan",), False)
DOC = _make(records.Doc, "docs/a.md", EVIL, "text/markdown", "00" * 32, "# A\n\ntext")
REF = _make(records.Ref, "https://example.org/?a=1&b=2", "url", EVIL, None, "unchecked")
HIT = records.Hit(
    *(ID, "doc", 3, None, "acme", 0.51234, 9, EVIL, ("A", "<b>"), 0, 12, None, EVIL),
    *(("t",), None, "trusted", 0, NOW),
)
STATS = records.StoreStats(
    *(EVIL, 1, 12, 3, 4, 5, 1, 40, 40, 2, 6, 4096, 0, records.Space("m", "1", 256, None)),
    records.ReaderStats(8, 1, 0, 0, timedelta()),
    records.GuardStats(2, 0, timedelta()),
    records.CheckpointStats(1, 0, 12),
    records.IndexStats(12, 40, 40, 40960),
)
EVERY: list[Any] = [
    RULE,
    DOC,
    REF,
    HIT,
    STATS,
    records.Page((RULE, DOC), "abc"),
    records.SearchResult((HIT,), ("acme", ""), 12, 4, "m"),
    records.Added(ID, "rule", None, 1, True, (records.AddWarning("near_duplicate", "m", ID, 0.9, ()),)),
    records.Deleted(ID, 4, NOW),
    records.DeletedMany((ID,), NOW, dry_run=True),
    records.Purged(ID, "rule", 2, 3),
    records.Swept(1, 2),
    records.Version("created", 1, RULE),
    records.Piece("a", ("A",), 0, 1),
    records.Project("acme", 1, 2, 3),
    records.Change(1, 0, ID, "rule", "created", NOW, "owner"),
    records.CheckReport(True, (), 1, 1, 1, 1, ()),
    records.Checkpoint(False, 2, 2),
    records.AddWarning("near_duplicate", EVIL, ID, 0.9, ("tags",)),
    records.Space("m", "1", 256, None),
    STATS.readers,
    STATS.guard,
    STATS.checkpoints,
    STATS.index,
]
named = pytest.mark.parametrize("record", EVERY, ids=lambda record: type(record).__name__)


class Tags(HTMLParser):
    """Collects the elements and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert {name for name, _ in attrs} <= {"style"}
        self.elements.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@named
def test_record_pickled_or_copied_is_equal(record: Any) -> None:
    assert pickle.loads(pickle.dumps(record)) == record  # noqa: S301 - our own bytes
    assert copy.deepcopy(record) == record


@named
def test_record_is_frozen_and_slotted(record: Any) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(record, dataclasses.fields(record)[0].name, None)
    assert not hasattr(record, "__dict__")


@named
def test_record_is_hashable(record: Any) -> None:
    assert hash(record) == hash(copy.deepcopy(record))


@named
def test_record_repr_is_one_line(record: Any) -> None:
    assert "\n" not in repr(record)
    assert repr(record).startswith(type(record).__name__ + "(")


def parsed(record: Any) -> Tags:
    """The table that a notebook shows."""
    page = Tags()
    page.feed(record._repr_html_())
    assert page.elements == {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    return page


def test_every_record_class_is_tested() -> None:
    classes = {value for value in vars(records).values() if dataclasses.is_dataclass(value)}

    assert {type(record) for record in EVERY} == classes - {records.Item}


@named
def test_html_of_record_is_a_table_that_escapes_every_text(record: Any) -> None:
    texts = [part.name for part in dataclasses.fields(record) if isinstance(getattr(record, part.name), str)]
    poisoned = dataclasses.replace(record, **dict.fromkeys(texts, EVIL))

    page = parsed(poisoned)

    if texts and not isinstance(record, (records.Page, records.SearchResult)):
        assert "alert('x')" in page.text
    assert parsed(record).text


def test_html_of_hits_and_items_escapes_their_texts() -> None:
    assert "alert('x')" in parsed(EVERY[6]).text
    assert "alert('x')" in parsed(records.Page((dataclasses.replace(RULE, text=EVIL),), None)).text


def test_html_of_embeddings_names_chunks_and_items() -> None:
    index, chunks = np.zeros(30, dtype=np.uint32), np.arange(100, 130, dtype=np.uint32)
    embeddings = Embeddings((EVIL,), index, chunks, np.ones((30, 4), dtype=np.float32))

    page = parsed(embeddings)

    assert "30 vectors of 4 components" in page.text
    assert "119" in page.text
    assert "120" not in page.text
    assert "alert('x')" in page.text


def test_html_of_store_tells_what_it_is_open_or_closed(tmp_path: Path) -> None:
    path = tmp_path / "<b>&memory.db"
    with recollect.open(path) as store:
        assert "<b>&memory.db" in parsed(store).text
    assert "closed" in parsed(store).text


def test_metadata_is_a_dict_whose_change_stays_with_the_caller(memory_store: recollect.Store) -> None:
    id = memory_store.rules.add("text", metadata={"a": [1]}).id
    held: Any = memory_store.rules.get(id).metadata

    held["a"].append(2)

    assert type(held) is dict
    assert memory_store.rules.get(id).metadata == {"a": [1]}


@pytest.mark.parametrize("record", [RULE, DOC, REF])
def test_items_of_records_tell_their_kind(record: records.Item) -> None:
    assert record.kind == type(record).__name__.lower()


def test_long_text_is_cut_in_reprs() -> None:
    rule = dataclasses.replace(RULE, text="word " * 1_000_000)

    assert len(repr(rule)) < 200
    assert len(rule._repr_html_()) < 10_000


def test_rule_repr_reads_well() -> None:
    expected = f"Rule('Use uv, never pip. Always.', key='deps', project='acme/web', version=3, id='{ID}')"
    assert repr(RULE) == expected


def test_page_and_result_are_sequences() -> None:
    page, result = EVERY[5], EVERY[6]

    assert (len(page), list(page), page[1], page[:1]) == (2, [RULE, DOC], DOC, (RULE,))
    assert (len(result), list(result), result[0], result[1:]) == (1, [HIT], HIT, ())
    assert not records.Page((), None)


def test_result_repr_names_scope() -> None:
    assert repr(EVERY[6]) == "SearchResult(1 of 12 items, best 0.512, scope=['acme', ''], seq=4)"
    assert "everywhere" in repr(records.SearchResult((), None, 0, 4, "m"))
