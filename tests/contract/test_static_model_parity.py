"""The built-in embedder gives what the Python package that ships its weights gives, token for token.

The peer is ``wordllama`` itself, with its own tokeniser (the ``tokenizers`` library) and numpy.
"""

import ast
import random
import sysconfig
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recollect.embedders import StaticEmbedder

LINE_COUNT = 2_000
ADVERSARIAL_COUNT = 3_000
PARTS = (
    *(" ", "  ", "    ", "\n", "\r\n", "\t", "\0", "\ufeff", "\u00a0", "\u200b", "\u2028", "\u3000", "\x7f", "\x80"),
    *("<s>", "</s>", "<unk>", "<", "</", "s>", "<0x0A>", "<0x", "\u2581", "\u2581\u2581", " \u2581", "\u2581a"),
    *(
        "\u2580",
        "\u2582",
        "e\u0301",
        "\u0301",
        "\u0308",
        "é",
        "漢",
        "字",
        "ع",
        "न",
        "😀",
        "👩\u200d👩\u200d👧",
        "\U00010348",
    ),
    *("a", "b", "the", "ing", "er", "foo_bar", "CamelCase", "0", "1", "2024", ".", "...", "==", "((", "))", "-" * 40),
)


@pytest.fixture(scope="module")
def peer() -> Any:
    """``wordllama`` with the weights of its own wheel; its cache folder is named so that it downloads nothing."""
    import wordllama

    model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    # Nothing is padded: texts are embedded one at a time, since padding could alter a sum in its last bit.
    model.tokenizer.no_padding()
    return model


@pytest.fixture(scope="module")
def embedder() -> StaticEmbedder:
    return StaticEmbedder()


@cache
def library_lines() -> list[str]:
    """Docstrings and source lines of the standard library, spread over its modules."""
    chosen = random.Random(3)
    lines: list[str] = []
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        source = path.read_text("utf-8")
        nodes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.ClassDef))
        found = [text for node in nodes if (text := ast.get_docstring(node, clean=False))]
        found += [line for line in source.splitlines() if line]
        lines += chosen.sample(found, min(40, len(found)))
    return chosen.sample(lines, min(LINE_COUNT, len(lines)))


@cache
def adversarial_texts() -> list[str]:
    """Texts of parts that a tokeniser can trip over, and of any characters; and some long words."""
    chosen = random.Random(5)

    def any_character() -> str:
        limits = ((32, 127), (0, 0x800), (0x2570, 0x2590), (0, 0xD800), (0xE000, 0x110000))
        return chr(chosen.randrange(*chosen.choice(limits)))

    texts = [
        "".join(chosen.choice(PARTS) if mixed else any_character() for _ in range(chosen.randrange(1, 40)))
        for mixed in (chosen.random() < 0.7 for _ in range(ADVERSARIAL_COUNT))
    ]
    # Both sides of the length at which the merging of a word changes its way.
    words = ["a", "ab", "-", " ", "\u2581", "=+", "e\u0301"]
    return texts + [word * count for word in words for count in (31, 32, 63, 64, 65, 66, 500)]


@pytest.fixture(scope="module", params=[library_lines, adversarial_texts], ids=["library", "adversarial"])
def texts(request: pytest.FixtureRequest) -> list[str]:
    made: list[str] = request.param()
    assert len(made) >= min(LINE_COUNT, ADVERSARIAL_COUNT)
    return made


def test_token_ids_of_many_texts_are_those_of_the_package(
    peer: Any, embedder: StaticEmbedder, texts: list[str]
) -> None:
    expected = [list(encoding.ids) for encoding in peer.tokenizer.encode_batch(texts, add_special_tokens=False)]

    differing = [text for text, ids in zip(texts, expected, strict=True) if list(embedder.token_ids(text)) != ids]

    assert differing == []


def test_vectors_of_many_texts_are_those_of_the_package(peer: Any, embedder: StaticEmbedder, texts: list[str]) -> None:
    expected = np.concatenate([peer.embed(text) for text in texts]).astype(np.float64)

    vectors = np.asarray(embedder.embed_documents(texts))

    assert vectors.dtype == np.float32
    assert vectors.shape == (len(texts), 256)
    exact = vectors.astype(np.float64)
    cosines = (exact * expected).sum(axis=1) / (np.linalg.norm(exact, axis=1) * np.linalg.norm(expected, axis=1))
    assert float(cosines.min()) >= 0.999999


def test_an_empty_text_has_no_tokens_in_either(peer: Any, embedder: StaticEmbedder) -> None:
    assert list(peer.tokenizer.encode("", add_special_tokens=False).ids) == []
    assert list(embedder.token_ids("")) == []
