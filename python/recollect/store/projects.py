"""The projects of a store."""

from recollect._core import CancelToken
from recollect._core import Store as CoreStore
from recollect.records import Project
from recollect.store.values import Timeout, seconds

__all__ = ["Projects"]


class Projects:
    """The projects of a store. A project exists as soon as an item is added to it."""

    def __init__(self, core: CoreStore) -> None:
        self._core = core

    def list(self, *, timeout: Timeout = None, cancel: CancelToken | None = None) -> tuple[Project, ...]:
        """Returns the projects that hold live items, with their numbers, sorted by path."""
        return self._core.projects(seconds(timeout), cancel)

    def rename(self, path: str, name: str, *, timeout: Timeout = None, cancel: CancelToken | None = None) -> str:
        """Gives a project another name under the same parent, with everything below it.

        Args:
            path: The project, such as `acme/web`.
            name: Its new last name, such as `site`.
            timeout: How long the call may take.
            cancel: Ends the call from elsewhere.

        Returns:
            The new path, such as `acme/site`.

        Raises:
            NotFoundError: There is no such project.
            AlreadyExistsError: There is a project of the new path.
            InvalidInputError: The name is malformed, or the project is the root.
        """
        return self._core.rename_project(path, name, seconds(timeout), cancel)

    def move(self, path: str, parent: str, *, timeout: Timeout = None, cancel: CancelToken | None = None) -> str:
        """Puts a project, with everything below it, under another parent.

        Args:
            path: The project.
            parent: The project it comes under; the empty path is the root.
            timeout: How long the call may take.
            cancel: Ends the call from elsewhere.

        Returns:
            The new path.

        Raises:
            NotFoundError: There is no such project.
            AlreadyExistsError: There is a project of the new path.
            InvalidInputError: The parent is the project itself or stands below it.
        """
        return self._core.move_project(path, parent, seconds(timeout), cancel)

    def delete(
        self, path: str, *, recursive: bool = False, timeout: Timeout = None, cancel: CancelToken | None = None
    ) -> int:
        """Deletes a project and its items, which can be restored one by one.

        Args:
            path: The project.
            recursive: Whether the projects below it go too.
            timeout: How long the call may take.
            cancel: Ends the call from elsewhere.

        Returns:
            The number of items deleted.

        Raises:
            NotFoundError: There is no such project.
            ConflictError: There are items in projects below it, and `recursive` is false.
        """
        return self._core.delete_project(path, recursive, seconds(timeout), cancel)
