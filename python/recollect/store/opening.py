"""Opening a store."""

import os
from typing import Final, Literal

from recollect._core import Store as CoreStore
from recollect.config import logger
from recollect.embedders import Embedder, ExternalVectors, StaticEmbedder
from recollect.exceptions import InvalidInputError, RecollectError
from recollect.store.lifetime import remember
from recollect.store.store import Store
from recollect.store.values import Timeout, seconds

__all__ = ["open"]

_IN_MEMORY: Final = ":memory:"


def open(
    path: str | os.PathLike[str],
    *,
    read_only: bool = False,
    create: bool = True,
    embedder: Literal["auto"] | Embedder | ExternalVectors | None = "auto",
    durability: Literal["full", "normal"] = "full",
    timeout: Timeout = 10.0,
    readers: int = 8,
    project: str = "",
    principal: str = "owner",
    sweep: bool = True,
) -> Store:
    """Opens a store, and creates it where there is none.

    Args:
        path: The database file, or `:memory:` for a store that ends with the process.
        read_only: Whether to open for reading alone. A store that does not exist is then not created.
        create: Whether to create a store that does not exist.
        embedder: What turns texts into vectors. `auto` is the built-in model if it is installed and fits the store;
            where it does not, a warning is logged and the store opens without semantic search. None embeds nothing.
            `ExternalVectors` declares the space of vectors that the caller brings. The first embedder or declaration
            fixes the embedding space of the store.
        durability: `full` survives the loss of power after each commit. `normal` may lose the last commits then, and is
            never damaged.
        timeout: The time limit of opening itself, in seconds or as a `timedelta`; and, in calls that give no time limit
            of their own, how long they wait for other writers and for a free reader. Only a call's own `timeout` bounds
            the whole call.
        readers: How many calls may read at the same time.
        project: The store's default project; the empty path is the root. `add` puts items there that name no project,
            `get` by key looks there and then in its ancestors, and `search` searches it and its ancestors. It does not
            narrow `list`, `iterate` and `count`, which mean every project when they name none.
        principal: The name that is written as the author of changes.
        sweep: Whether to look once a minute, in the background, for items that have expired or were deleted too long
            ago to be restored, and to remove them for good. A store that is open for reading alone never does.

    Raises:
        NotFoundError: There is no store, and none was to be created.
        InvalidInputError: An argument is malformed, or the path is a folder.
        PermissionDeniedError: The file system does not allow it.
        CorruptError: The file is damaged, or is no store of recollect.
        UnsupportedError: The store was written by a newer release, or the file system cannot lock.
        ConflictError: The store holds vectors of another embedding space than the given embedder's.
        LockedError: Another process held the store beyond the time limit.

    Examples:
        >>> import recollect
        >>> with recollect.open(":memory:") as store:
        ...     added = store.rules.add("Run the tests before every commit.", tags=["git"])
        ...     store.rules.get(added.id).text
        'Run the tests before every commit.'
    """
    model, space = _choose(embedder)
    core = CoreStore.open(
        _location(path),
        read_only=read_only,
        create=create,
        durability=durability,
        timeout=seconds(timeout),
        readers=readers,
        project=project,
        principal=principal,
        sweep=sweep,
        embedder=model,
        space=space,
        require_space=not _is_automatic(embedder),
    )
    remember(core)
    if model is not None and not core.embeds:
        held = core.space
        logger.warning(
            "%s holds vectors of %s, which the built-in model cannot search: semantic search by text is off",
            core.path,
            held.name if held else "another space",
        )
    logger.debug("opened %s, schema %d", core.path or _IN_MEMORY, core.schema_version)
    return Store(core)


def _choose(embedder: object) -> tuple[object | None, tuple[str, str, int] | None]:
    """What embeds, and the space of vectors that the caller brings instead."""
    match embedder:
        case None:
            return None, None
        case str() if _is_automatic(embedder):
            return _built_in(), None
        case ExternalVectors():
            return None, (embedder.name, embedder.revision, embedder.dimension)
        case StaticEmbedder():
            return embedder.model, None
        case _ if _is_embedder(embedder):
            return embedder, None
        case type():
            raise InvalidInputError(
                f"{embedder.__name__} is a class, not an embedder", f"pass an instance: embedder={embedder.__name__}(…)"
            )
        case _:
            raise InvalidInputError(
                f"a {type(embedder).__name__} is no embedder",
                "an embedder has name, dimension, embed_documents and embed_queries; 'auto' and None will do too",
            )


def _is_automatic(embedder: object) -> bool:
    """Whether it is the word `auto`; an embedder is not asked whether it equals a word."""
    return isinstance(embedder, str) and str.__eq__(embedder, "auto")


def _is_embedder(candidate: object) -> bool:
    """Whether the object has the members of an embedder, and they can be read.

    Raises:
        InvalidInputError: Reading one of them fails.
    """
    if isinstance(candidate, type):
        return False
    for name in ("name", "dimension", "revision"):
        try:
            getattr(candidate, name, None)
        except Exception as error:
            raise InvalidInputError(
                f"the embedder's {name} cannot be read: {type(error).__name__}: {error}",
                "mend the embedder: name, dimension and revision are plain values",
            ) from error
    return isinstance(candidate, Embedder)


def _built_in() -> object | None:
    """The model of the built-in embedder, or None, with a warning, where it cannot be had."""
    try:
        return StaticEmbedder().model
    except RecollectError as error:
        logger.warning("no semantic search by text: %s (%s)", error.message, error.hint)
        return None


def _location(path: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> str | None:
    """The path as text; None in memory."""
    try:
        location = os.fspath(path)
    except Exception as error:
        raise InvalidInputError(f"a {type(path).__name__} is no path", "pass a path, or ':memory:'") from error
    if not isinstance(location, str):
        raise InvalidInputError("a path is text, not bytes", "decode it with os.fsdecode")
    return None if location == _IN_MEMORY else location
