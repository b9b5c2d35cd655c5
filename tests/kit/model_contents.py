"""What items are made of: defaults, what a patch makes of an item, and the embedder of the model."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from tests.kit.model_state import Refused

from recollect.records import Kind

__all__ = ["DEFAULTS", "DIMENSION", "MEANINGLESS", "SPACE", "KitEmbedder", "embed", "patched", "ready", "row"]

DIMENSION: Final = 4
"""The components of the model's vectors: few, so that equal scores are common and ties are seen."""

SPACE: Final = "kit"
"""The name of the embedding space."""

MEANINGLESS: Final = "..."
"""A text that the embedder has no vector for."""

_COMMON: Final[Mapping[str, Any]] = {
    "key": None,
    "tags": (),
    "metadata": {},
    "channel": None,
    "tier": "internal",
    "priority": 0,
    "source": None,
    "trust": "trusted",
    "valid_from": None,
    "valid_until": None,
    "expires_at": None,
}

DEFAULTS: Final[Mapping[Kind, Mapping[str, Any]]] = {
    "rule": {**_COMMON, "text": None, "applies_to": (), "modes": (), "always_on": False},
    "doc": {**_COMMON, "text": None, "path": None, "title": None, "media_type": "text/markdown"},
    "ref": {
        **_COMMON,
        "target": None,
        "note": "",
        "target_kind": None,
        "checked_at": None,
        "state": "unchecked",
    },
}
"""What a field is when nobody set it, by kind. The project is kept apart: it is known by its number."""

_REQUIRED: Final = frozenset({"text", "target", "media_type"})


def row(components: Sequence[float]) -> bytes:
    """The bytes of a vector."""
    return np.array(components, dtype=np.float32).tobytes()


def embed(text: str) -> bytes | None:
    """The vector of a text, told from its hash; none for a text that means nothing."""
    if text.strip() == MEANINGLESS:
        return None
    digest = hashlib.blake2b(text.encode(), digest_size=DIMENSION).digest()
    # Few different values, so that texts of equal scores are common; never all of them zero.
    return row([1 + digest[0] % 3, *(byte % 5 - 2 for byte in digest[1:])])


class KitEmbedder:
    """The model's embedder, as a store takes it."""

    name = SPACE
    dimension = DIMENSION

    def embed_documents(self, texts: Sequence[str], /) -> npt.NDArray[np.float32]:
        """One row for each text."""
        rows = [embed(text) or row([0] * DIMENSION) for text in texts]
        return np.frombuffer(b"".join(rows), dtype=np.float32).reshape(-1, DIMENSION)

    def embed_queries(self, texts: Sequence[str], /) -> npt.NDArray[np.float32]:
        """As documents."""
        return self.embed_documents(texts)


def ready(kind: Kind, draft: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a new item, with what the draft leaves open filled in."""
    values = dict(DEFAULTS[kind])
    # A None stands for "not given", for every field.
    values.update({name: value for name, value in draft.items() if name != "project" and value is not None})
    if kind == "doc":
        if draft.get("media_type") is None:
            values["media_type"] = _media_type(values["path"])
        if values["title"] is None:
            values["title"] = _title(values["text"], values["media_type"])
    if kind == "ref" and values["target_kind"] is None:
        values["target_kind"] = _target_kind(values["target"])
    return _tidy(values)


def patched(kind: Kind, before: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an item after an update. None takes a value away."""
    if any(value is None and name in _REQUIRED for name, value in patch.items()):
        raise Refused("invalid_input")
    values = dict(before)
    for name, value in patch.items():
        if name != "project":
            values[name] = DEFAULTS[kind][name] if value is None else value
    if kind == "doc" and patch.get("title") is None:
        was_told = before["title"] == _title(before["text"], before["media_type"])
        if "title" in patch or was_told:
            values["title"] = _title(values["text"], values["media_type"])
    has_other_target = "target" in patch and "target_kind" not in patch
    if kind == "ref" and (values["target_kind"] is None or has_other_target):
        values["target_kind"] = _target_kind(values["target"])
    return _tidy(values)


def _tidy(values: dict[str, Any]) -> dict[str, Any]:
    """Tags and modes are sorted, each once; lists are tuples."""
    for name in ("tags", "modes"):
        if name in values:
            values[name] = tuple(sorted(set(values[name]), key=str.encode))
    if "applies_to" in values:
        values["applies_to"] = tuple(values["applies_to"])
    return values


def _media_type(path: str | None) -> str:
    extension = (path or "").rpartition(".")[2] if "." in (path or "") else ""
    return "text/markdown" if extension.lower() in {"", "md", "markdown", "mdc", "mdx"} else "text/plain"


def _title(text: str, media_type: str) -> str | None:
    """The first heading of a Markdown text."""
    if media_type != "text/markdown":
        return None
    heading = next((line for line in text.splitlines() if line.startswith("# ")), None)
    return heading.strip("# ") if heading else None


def _target_kind(target: str) -> str:
    if "://" in target:
        return "url"
    if target.startswith("commit:"):
        return "commit"
    return "issue" if target.rpartition("#")[2].isdigit() and "#" in target else "file"
