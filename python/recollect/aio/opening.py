"""Opening a store, for asyncio.

Written by `tools/write_aio.py` from `recollect.store.opening`.
"""

import os
from typing import Literal

from recollect.aio.connecting import Opening, connect
from recollect.embedders import Embedder, ExternalVectors
from recollect.store.opening import open as open_store
from recollect.store.values import Timeout

__all__ = ["open"]


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
    threads: int | None = None,
) -> Opening:
    """Opens a store for asyncio, and creates it where there is none.

    `await` what it returns, or enter it with `async with`, which closes the store at the end.

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
        threads: How many calls may run at the same time, from 1 to 1024; None is one more than there are readers, at
            most 32. A quarter of them, and at least one, may be writes, so that writers which wait for one another
            leave threads to readers.

    Raises:
        NotFoundError: There is no store, and none was to be created.
        InvalidInputError: An argument is malformed, or the path is a folder.
        PermissionDeniedError: The file system does not allow it.
        CorruptError: The file is damaged, or is no store of recollect.
        UnsupportedError: The store was written by a newer release, or the file system cannot lock.
        ConflictError: The store holds vectors of another embedding space than the given embedder's.
        LockedError: Another process held the store beyond the time limit.

    Examples:
        >>> import asyncio, recollect.aio
        >>> async def main():
        ...     async with recollect.aio.open(":memory:") as store:
        ...         added = await store.rules.add("Run the tests before every commit.", tags=["git"])
        ...         return (await store.rules.get(added.id)).text
        >>> asyncio.run(main())
        'Run the tests before every commit.'
    """
    return Opening(
        connect(
            lambda: open_store(
                path,
                read_only=read_only,
                create=create,
                embedder=embedder,
                durability=durability,
                timeout=timeout,
                readers=readers,
                project=project,
                principal=principal,
                sweep=sweep,
            ),
            threads=threads,
            readers=readers,
            timeout=timeout,
        )
    )
