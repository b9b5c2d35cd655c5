"""Vectors in and out, and searching with them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import recollect
from recollect import (
    ConflictError,
    EmbedderError,
    ExternalVectors,
    InvalidInputError,
    NotFoundError,
    RecollectError,
    Store,
    UnsupportedError,
)

EYE = np.eye(8, dtype=np.float32)


@pytest.fixture
def brought(store_path: Path) -> Iterator[Store]:
    """A store whose vectors, of eight components, the caller brings."""
    with recollect.open(store_path, embedder=ExternalVectors("mine", 8, "r1")) as store:
        yield store


class Letters:
    """An embedder that counts letters, and remembers what it was asked."""

    name = "letters"
    revision = "1"
    dimension = 26

    def __init__(self) -> None:
        self.documents: list[str] = []
        self.queries: list[str] = []

    def _count(self, texts: Sequence[str]) -> NDArray[np.float32]:
        counts = [[text.lower().count(chr(97 + letter)) for letter in range(26)] for text in texts]
        return np.array(counts, dtype=np.float32).reshape(len(texts), 26)

    def embed_documents(self, texts: Sequence[str], /) -> NDArray[np.float32]:
        self.documents += texts
        return self._count(texts)

    def embed_queries(self, texts: Sequence[str], /) -> NDArray[np.float32]:
        self.queries += texts
        return self._count(texts)


def test_vectors_given_come_back_bit_for_bit(brought: Store) -> None:
    vectors = np.random.default_rng(1).standard_normal((5, 8)).astype(np.float32)
    added = brought.rules.add_many([f"rule number {number}" for number in range(5)], vectors=vectors)
    ids = [one.id for one in reversed(added)]

    found = brought.embeddings.get(ids)

    assert found.items == tuple(ids)
    assert found.chunks.dtype == found.item_index.dtype == np.uint32
    assert found.item_index.tolist() == [0, 1, 2, 3, 4]
    assert found.vectors.dtype == np.float32
    assert found.vectors.tobytes() == vectors[::-1].tobytes()
    assert len(set(found.chunks.tolist())) == len(found) == 5


def test_search_by_vector_ranks_by_cosine(brought: Store) -> None:
    vectors = np.array([EYE[0] * 9, EYE[0] + EYE[1], EYE[1] * 0.1, -EYE[0]], dtype=np.float32)
    added = brought.rules.add_many(["along", "between", "across", "against"], vectors=vectors)

    result = brought.search(vector=EYE[0], k=10)

    assert [hit.id for hit in result] == [one.id for one in added]
    assert [hit.score for hit in result] == pytest.approx([1, 0.5**0.5, 0, -1], abs=1e-6)
    assert (result.matched, result.seq, result.space, result.scope) == (4, 1, "mine", ("",))
    assert [hit.snippet for hit in brought.search(vector=EYE[0], k=2)] == ["along", "between"]


@pytest.mark.parametrize("scale", [1e-45, 1e-20, 1e20, 3e38])
def test_length_of_a_vector_does_not_matter(brought: Store, scale: float) -> None:
    brought.rules.add("one", vector=EYE[0] * np.float32(scale))

    assert brought.search(vector=EYE[0])[0].score == pytest.approx(1, abs=1e-6)
    assert brought.search(vector=EYE[0] * np.float32(scale))[0].score == pytest.approx(1, abs=1e-6)


def test_hit_tells_where_it_comes_from(brought: Store) -> None:
    text = "# Top\n\nIntro é.\n\n## Deep\n\nBody of the matter."
    pieces = brought.docs.split(text)
    added = brought.docs.add(
        text, path="a.md", tags=["t"], source="s", trust="unverified", priority=4, vectors=EYE[: len(pieces)]
    )

    hit = brought.search(vector=EYE[len(pieces) - 1], k=1)[0]

    assert (hit.id, hit.kind, hit.version, hit.key, hit.project) == (added.id, "doc", 1, None, "")
    assert (hit.path, hit.title, hit.tags, hit.source, hit.trust, hit.priority) == (
        *("a.md", "Top", ("t",), "s"),
        *("unverified", 4),
    )
    assert text[hit.start : hit.end] == hit.snippet == pieces[-1].text
    assert hit.heading == pieces[-1].heading
    assert hit.chunk in brought.embeddings.get([added.id]).chunks


def test_search_scope_kinds_and_tags(brought: Store) -> None:
    for number, project in enumerate(["", "acme", "acme/web", "other"]):
        brought.rules.add(f"rule {project}", project=project, tags=["t"] if number % 2 else [], vector=EYE[number])
    brought.refs.add("https://example.org", "ref acme", project="acme", vector=EYE[5])

    def found(**arguments: Any) -> set[str]:
        return {hit.snippet for hit in brought.search(vector=np.ones(8), **arguments)}

    assert found() == {"rule "}
    assert found(project="acme") == {"rule ", "rule acme", "ref acme"}
    assert found(project="acme/web") == {"rule ", "rule acme", "rule acme/web", "ref acme"}
    assert found(project="acme/*") == {"rule ", "rule acme", "rule acme/web", "ref acme"}
    assert len(found(project="*")) == 5
    assert found(project="*", kinds=["ref"]) == {"ref acme"}
    assert found(project="*", tags=["t"]) == {"rule acme", "rule other"}
    assert found(project="*", tags=["never"]) == set()
    assert brought.search(vector=EYE[0], project="acme/web").scope == ("acme/web", "acme", "")
    assert brought.search(vector=EYE[0], project="*").scope is None


def test_search_sees_every_write_at_once(brought: Store) -> None:
    added = brought.rules.add("one", vector=EYE[0])
    assert len(brought.search(vector=EYE[0])) == 1

    brought.rules.update(added.id, text="two", vector=EYE[1])
    assert brought.search(vector=EYE[1])[0].score == pytest.approx(1)
    assert brought.search(vector=EYE[1])[0].snippet == "two"

    brought.rules.delete(added.id)
    assert len(brought.search(vector=EYE[0])) == 0

    brought.rules.restore(added.id)
    assert brought.search(vector=EYE[1])[0].score == pytest.approx(1)

    brought.rules.revert(added.id, 1)
    assert brought.search(vector=EYE[0])[0].snippet == "one"


def test_search_finds_only_what_is_valid_now(brought: Store) -> None:
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    brought.rules.add("future", valid_from=now + hour, vector=EYE[0])
    brought.rules.add("past", valid_until=now - hour, vector=EYE[0])
    brought.rules.add("expired", expires_at=now - hour, vector=EYE[0])
    brought.rules.add("present", valid_from=now - hour, valid_until=now + hour, vector=EYE[0])

    assert [hit.snippet for hit in brought.search(vector=EYE[0])] == ["present"]


def test_put_and_missing_fill_in_vectors(brought: Store) -> None:
    added = brought.rules.add_many(["first rule", "second rule", "third rule"])
    missing = brought.embeddings.missing()
    assert [text for _, text in missing] == ["first rule", "second rule", "third rule"]
    assert len(brought.embeddings.get([one.id for one in added])) == 0

    assert brought.embeddings.put([chunk for chunk, _ in missing[:2]], EYE[:2]) == 2

    assert [text for _, text in brought.embeddings.missing()] == ["third rule"]
    assert brought.search(vector=EYE[1], k=1)[0].id == added[1].id
    assert brought.embeddings.put(np.array([missing[0][0]]), EYE[7:]) == 1
    assert brought.embeddings.get([added[0].id]).vectors.tolist() == EYE[7:].tolist()


def test_put_for_a_chunk_that_is_not_there_stores_nothing(brought: Store) -> None:
    brought.rules.add("first rule")
    ((chunk, _),) = brought.embeddings.missing()
    seq = brought.stats().seq

    with pytest.raises(NotFoundError):
        brought.embeddings.put([chunk, 999], EYE[:2])

    assert len(brought.embeddings.missing()) == 1
    assert brought.stats().seq == seq


@pytest.mark.parametrize(
    ("chunks", "vectors"),
    [
        ([1, 2], EYE[:1]),
        ([-1], EYE[:1]),
        ([2**32], EYE[:1]),
        ([1.5], EYE[:1]),
        (["1"], EYE[:1]),
        ([[1]], EYE[:1]),
        ([[1], [1, 2]], EYE[:2]),
        ([1], [[1.0], [1.0, 2.0]]),
        ([1], EYE[:1, :4]),
        ([1], np.full((1, 8), np.nan)),
    ],
    ids=str,
)
def test_put_of_what_does_not_fit_is_refused(brought: Store, chunks: Any, vectors: Any) -> None:
    brought.rules.add("first rule")

    with pytest.raises(InvalidInputError):
        brought.embeddings.put(chunks, vectors)

    assert len(brought.embeddings.missing()) == 1


def test_embeddings_of_unknown_items_are_not_found(brought: Store) -> None:
    with pytest.raises(NotFoundError):
        brought.embeddings.get(["01890a5d-ac96-774b-bcce-b302099a8057"])
    with pytest.raises(InvalidInputError):
        brought.embeddings.get("01890a5d-ac96-774b-bcce-b302099a8057")
    for ids in (None, 3):
        with pytest.raises(InvalidInputError, match="ids are several texts"):
            brought.embeddings.get(ids)  # type: ignore[arg-type]


def test_own_embedder_is_asked_for_documents_and_queries_apart(store_path: Path) -> None:
    letters = Letters()
    with recollect.open(store_path, embedder=letters) as store:
        store.rules.add_many(["aaa aaa", "bbb bbb"])
        result = store.search("b")

        assert store.embeds
        assert store.space is not None
        assert (store.space.name, store.space.revision, store.space.dimension) == ("letters", "1", 26)
    assert letters.documents == ["aaa aaa", "bbb bbb"]
    assert letters.queries == ["b"]
    assert [hit.snippet for hit in result] == ["bbb bbb", "aaa aaa"]


def test_text_without_meaning_to_the_embedder_is_kept_with_a_warning(store_path: Path) -> None:
    with recollect.open(store_path, embedder=Letters()) as store:
        added = store.rules.add("123 456")

        assert [warning.code for warning in added.warnings] == ["not_embedded"]
        assert store.rules.get(added.id).text == "123 456"
        with pytest.raises(InvalidInputError):
            store.search("789")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda texts: np.full((len(texts), 26), np.nan, dtype=np.float32), "embed"),
        (lambda texts: np.zeros((len(texts) + 1, 26), dtype=np.float32), "embed"),
        (lambda texts: np.zeros((len(texts), 25), dtype=np.float32), "embed"),
        (lambda texts: ["words"] * len(texts), "embed"),
        (lambda texts: np.ones((len(texts), 26)), "float32"),
    ],
)
def test_embedder_that_answers_nonsense_is_refused(store_path: Path, answer: Any, message: str) -> None:
    class Broken(Letters):
        def embed_documents(self, texts: Sequence[str], /) -> NDArray[np.float32]:
            return answer(texts)  # type: ignore[no-any-return] # that is the point

    with recollect.open(store_path, embedder=Broken()) as store:
        with pytest.raises(EmbedderError, match=message):
            store.rules.add("abc")
        assert store.stats().seq == 0


def test_embedder_that_raises_is_heard(store_path: Path) -> None:
    class Failing(Letters):
        def embed_documents(self, texts: Sequence[str], /) -> NDArray[np.float32]:
            raise ZeroDivisionError(len(texts))

    with recollect.open(store_path, embedder=Failing()) as store:
        with pytest.raises(RecollectError, match="ZeroDivisionError"):
            store.rules.add("abc")
        assert store.stats().seq == 0


@pytest.mark.parametrize(
    "other",
    [
        ExternalVectors("mine", 9, "r1"),
        ExternalVectors("theirs", 8, "r1"),
        ExternalVectors("mine", 8, "r2"),
        Letters(),
        recollect.StaticEmbedder(),
    ],
    ids=["dimension", "name", "revision", "embedder", "built-in"],
)
def test_store_of_another_space_is_refused(brought: Store, store_path: Path, other: Any) -> None:
    brought.rules.add("one", vector=EYE[0])

    with pytest.raises(ConflictError) as caught:
        recollect.open(store_path, embedder=other)

    assert "mine" in caught.value.message
    assert caught.value.hint


def test_auto_leaves_vectors_of_another_space_alone(brought: Store, store_path: Path, caplog: Any) -> None:
    brought.rules.add("one", vector=EYE[0])

    with recollect.open(store_path) as store:
        assert not store.embeds
        assert [hit.snippet for hit in store.search(vector=EYE[0])] == ["one"]
        with pytest.raises(UnsupportedError):
            store.search("one")
    assert "mine" in caplog.text


def test_text_query_without_an_embedder_is_unsupported(brought: Store) -> None:
    brought.rules.add("one", vector=EYE[0])

    with pytest.raises(UnsupportedError) as caught:
        brought.search("one")

    assert "vector" in caught.value.hint


def test_built_in_embedder_finds_by_meaning(store: Store) -> None:
    store.rules.add_many(
        [
            "Passwords and private keys never go into the repository.",
            "Indent with four spaces.",
            "Close the database connection when you are done.",
        ]
    )

    assert "Passwords" in store.search("secret credentials must not be committed to git")[0].snippet
    assert "Indent" in store.search("how wide is the indentation")[0].snippet
