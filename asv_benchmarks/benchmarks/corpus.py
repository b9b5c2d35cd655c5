"""Text to measure with: the docstrings and the documentation that every Python carries, cut to size."""

import ast
import sysconfig
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from recollect import StaticEmbedder

PARAGRAPH_TOKENS = 60


@cache
def paragraphs(count: int) -> list[str]:
    """`count` different paragraphs of 60 tokens each, in the order of the sources.

    Where the sources end, they begin again with the words of each paragraph in another order, so that no two paragraphs
    share many pairs of words.
    """
    embedder = StaticEmbedder()
    found: list[str] = []
    seen: set[str] = set()
    for text in _sources():
        words: list[str] = []
        tokens = 0
        for word in text.split():
            words.append(word)
            tokens += embedder.token_count(word)
            if tokens >= PARAGRAPH_TOKENS:
                paragraph = " ".join(words)
                words, tokens = [], 0
                if paragraph not in seen:
                    seen.add(paragraph)
                    found.append(paragraph)
        if len(found) >= count:
            break
    distinct = len(found)
    random = Random(7)
    while len(found) < count:
        words = found[random.randrange(distinct)].split()
        random.shuffle(words)
        paragraph = " ".join(words)
        if paragraph not in seen:
            seen.add(paragraph)
            found.append(paragraph)
    return found[:count]


def _sources() -> list[str]:
    library = Path(sysconfig.get_paths()["stdlib"])
    texts = []
    for path in sorted(library.rglob("*.py")):
        if "site-packages" in path.parts or "test" in path.parts:
            continue
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        nodes = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        docstrings = (ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, nodes))
        texts.append("\n\n".join(docstring for docstring in docstrings if docstring))
    return texts


def vectors(rows: int, dimension: int, seed: int = 7) -> NDArray[np.float32]:
    """Random directions, shape (rows, dimension)."""
    return np.random.default_rng(seed).standard_normal((rows, dimension), dtype=np.float32)


def shuffled(values: list[str], seed: int = 7) -> list[str]:
    """The values in another order, the same each time."""
    copy = list(values)
    Random(seed).shuffle(copy)
    return copy
