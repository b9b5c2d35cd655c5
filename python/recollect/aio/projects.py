"""The projects of a store. A project exists as soon as an item is added to it, for asyncio.

Written by `tools/write_aio.py` from `recollect.store.projects`.
"""

from recollect.aio.threads import Threads
from recollect.records import Project
from recollect.store.projects import Projects
from recollect.store.values import Timeout

__all__ = ["AsyncProjects"]


class AsyncProjects:
    """The projects of a store. A project exists as soon as an item is added to it."""

    def __init__(self, projects: Projects, threads: Threads) -> None:
        self._projects = projects
        self._threads = threads

    async def list(self, *, timeout: Timeout = None) -> tuple[Project, ...]:
        """Returns the projects that hold live items, with their numbers, sorted by path."""
        return await self._threads.read(
            lambda timeout, cancel: self._projects.list(timeout=timeout, cancel=cancel), timeout
        )

    async def rename(self, path: str, name: str, *, timeout: Timeout = None) -> str:
        """Gives a project another name under the same parent, with everything below it.

        Args:
            path: The project, such as `acme/web`.
            name: Its new last name, such as `site`.
            timeout: How long the call may take, waiting for a free thread included.

        Returns:
            The new path, such as `acme/site`.

        Raises:
            NotFoundError: There is no such project.
            AlreadyExistsError: There is a project of the new path.
            InvalidInputError: The name is malformed, or the project is the root.
        """
        return await self._threads.write(
            lambda timeout, cancel: self._projects.rename(path, name, timeout=timeout, cancel=cancel), timeout
        )

    async def move(self, path: str, parent: str, *, timeout: Timeout = None) -> str:
        """Puts a project, with everything below it, under another parent.

        Args:
            path: The project.
            parent: The project it comes under; the empty path is the root.
            timeout: How long the call may take, waiting for a free thread included.

        Returns:
            The new path.

        Raises:
            NotFoundError: There is no such project.
            AlreadyExistsError: There is a project of the new path.
            InvalidInputError: The parent is the project itself or stands below it.
        """
        return await self._threads.write(
            lambda timeout, cancel: self._projects.move(path, parent, timeout=timeout, cancel=cancel), timeout
        )

    async def delete(self, path: str, *, recursive: bool = False, timeout: Timeout = None) -> int:
        """Deletes a project and its items, which can be restored one by one.

        Args:
            path: The project.
            recursive: Whether the projects below it go too.
            timeout: How long the call may take, waiting for a free thread included.

        Returns:
            The number of items deleted.

        Raises:
            NotFoundError: There is no such project.
            ConflictError: There are items in projects below it, and `recursive` is false.
        """
        return await self._threads.write(
            lambda timeout, cancel: self._projects.delete(path, recursive=recursive, timeout=timeout, cancel=cancel),
            timeout,
        )
