"""What turns text into vectors.

A store without an explicit embedder uses `StaticEmbedder`, a small model of static word vectors that runs inside the
compiled core, offline, at tens of thousands of paragraphs a second. Any object with the four members of `Embedder` can
take its place. A caller who makes vectors elsewhere declares their space with `ExternalVectors`.
"""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol, runtime_checkable

from recollect._core import StaticModel
from recollect.arrays import np, npt
from recollect.exceptions import UnsupportedError

__all__ = ["Embedder", "ExternalVectors", "StaticEmbedder"]


@runtime_checkable
class Embedder(Protocol):
    """What a store needs of an embedding model.

    Documents and queries are told apart because many models treat them differently, with a prompt or even with two
    models. An embedder may also have an attribute `revision`, a string: vectors of two revisions are never compared.
    The store calls it from whichever thread called the store.
    """

    @property
    def name(self) -> str:
        """The name of the model. Together with revision and dimension it is the embedding space."""
        ...

    @property
    def dimension(self) -> int:
        """The number of components of each vector."""
        ...

    def embed_documents(self, texts: Sequence[str], /) -> "npt.NDArray[np.float32]":
        """Embeds texts that are to be found.

        Args:
            texts: n texts.

        Returns:
            An array of shape (n, dimension). A row of zeros means that the text has no vector.
        """
        ...

    def embed_queries(self, texts: Sequence[str], /) -> "npt.NDArray[np.float32]":
        """Embeds texts that ask.

        Args:
            texts: n texts.

        Returns:
            An array of shape (n, dimension).
        """
        ...


@dataclass(frozen=True, slots=True)
class ExternalVectors:
    """Declares the embedding space of vectors that the caller brings along.

    Such a store embeds nothing by itself: vectors are passed to `add`, `add_many`, `embeddings.put` and `search`.

    Attributes:
        name: The name of the model that made them.
        dimension: The number of components of each vector.
        revision: The revision of that model.
    """

    name: str
    dimension: int
    revision: str = ""


class StaticEmbedder:
    """The built-in embedder: 256 components, no network, no accelerator.

    The weights are those inside the installed `wordllama` package. Its files are found without importing it, and their
    content is checked against the hash that this release was built for.

    Raises:
        UnsupportedError: `wordllama` is not installed, or is another release.
        ConflictError: The files are not the ones this release knows.
        CorruptError: The files are damaged.
    """

    def __init__(self) -> None:
        self.model: StaticModel = _load(*_files())

    @property
    def name(self) -> str:
        """The name of the model."""
        return self.model.name

    @property
    def revision(self) -> str:
        """The release of the model."""
        return self.model.revision

    @property
    def dimension(self) -> int:
        """The number of components of each vector."""
        return self.model.dimension

    @property
    def weights_hash(self) -> str:
        """BLAKE3-256 of the model's files, in hexadecimal."""
        return self.model.weights_hash

    def embed_documents(self, texts: Sequence[str], /) -> "npt.NDArray[np.float32]":
        """Embeds texts; the result has shape (n, 256), with a row of zeros for a text without any token."""
        return np.frombuffer(self.model.embed(texts), dtype=np.float32).reshape(-1, self.dimension)

    def embed_queries(self, texts: Sequence[str], /) -> "npt.NDArray[np.float32]":
        """Embeds queries, which this model treats as it treats documents."""
        return self.embed_documents(texts)

    def token_ids(self, text: str) -> list[int]:
        """Splits a text into the tokens of the model."""
        return self.model.token_ids(text)

    def token_count(self, text: str) -> int:
        """Counts the tokens of a text."""
        return self.model.token_count(text)

    def __repr__(self) -> str:
        return f"StaticEmbedder({self.name!r}, revision={self.revision!r}, dimension={self.dimension})"


def _files() -> tuple[Path, Path]:
    """Finds the tokeniser and the weights in the installed `wordllama` package."""
    hint = "pip install wordllama; a store without an embedder keeps and lists items, and searches none"
    # For a top-level name this looks at the file system only; nothing of the package runs.
    specification = importlib.util.find_spec("wordllama")
    if specification is None or not specification.submodule_search_locations:
        raise UnsupportedError("the built-in embedder needs the package wordllama, which is not installed", hint)
    folder = Path(next(iter(specification.submodule_search_locations)))
    tokenizer = folder / "tokenizers" / "l2_supercat_tokenizer_config.json"
    weights = folder / "weights" / "l2_supercat_256.safetensors"
    for path in (tokenizer, weights):
        if not path.is_file():
            raise UnsupportedError(f"the installed wordllama has no file {path.relative_to(folder)}", hint)
    return tokenizer, weights


@cache
def _load(tokenizer: Path, weights: Path) -> StaticModel:
    """Loads the model once per process; it is never modified, and may be used by any number of threads."""
    return StaticModel(str(tokenizer), str(weights))
