"""The built-in embedder is found without being imported, and a store does without it where it is missing."""

import importlib.util
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import recollect
from recollect import Embedder, ExternalVectors, InvalidInputError, StaticEmbedder, UnsupportedError


def test_built_in_embedder_is_an_embedder() -> None:
    embedder = StaticEmbedder()

    vectors = embedder.embed_documents(["a text", "another one", " "])

    assert isinstance(embedder, Embedder)
    assert vectors.shape == (3, embedder.dimension)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    assert embedder.token_count("a text") == len(embedder.token_ids("a text")) > 0
    assert embedder.name in repr(embedder)


def test_missing_weights_are_an_error_with_the_command_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    with pytest.raises(UnsupportedError) as caught:
        StaticEmbedder()

    assert "pip install wordllama" in caught.value.hint


def test_store_opened_without_weights_warns_and_still_keeps_items(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, store_path: Path
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    with caplog.at_level(logging.WARNING, "recollect"), recollect.open(store_path) as store:
        added = store.rules.add("Keep calm.")
        assert store.rules.get(added.id).text == "Keep calm."
        with pytest.raises(UnsupportedError) as caught:
            store.search("calm")

    assert "wordllama" in caplog.text
    assert caught.value.hint


class Letters:
    """An embedder of three components."""

    name = "letters"
    dimension = 3

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One vector a text."""
        return np.ones((len(texts), 3), dtype=np.float32)

    embed_queries = embed_documents


@pytest.mark.parametrize("broken", ["name", "dimension", "revision"])
def test_embedder_whose_property_raises_is_refused_at_open(broken: str, store_path: Path) -> None:
    def fail(_self: object) -> str:
        raise RuntimeError("no model was loaded")

    embedder = type("Broken", (Letters,), {broken: property(fail)})()

    with pytest.raises(
        InvalidInputError, match=f"{broken} cannot be read: RuntimeError: no model was loaded"
    ) as caught:
        recollect.open(store_path, embedder=embedder)

    assert isinstance(caught.value.__cause__, RuntimeError)
    assert not store_path.exists()


@pytest.mark.parametrize("given", [Letters, StaticEmbedder, ExternalVectors])
def test_class_in_place_of_an_embedder_is_refused(given: Any, store_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="is a class") as caught:
        recollect.open(store_path, embedder=given)

    assert "instance" in caught.value.hint
    assert not store_path.exists()


def test_library_is_silent_unless_logging_is_configured() -> None:
    handlers = logging.getLogger("recollect").handlers

    assert any(isinstance(handler, logging.NullHandler) for handler in handlers)
