"""The projects of the model: paths that are renamed, moved and deleted with all that is below them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager

from tests.kit.model_state import Handle, Known, Refused, State

from recollect.records import Operation

__all__ = ["ProjectVerbs", "ancestors", "is_below"]

_MOST_SEGMENTS = 16


def is_below(path: str, top: str) -> bool:
    """Whether a project is another one or stands below it; everything stands below the root."""
    return not top or path == top or path.startswith(f"{top}/")


def ancestors(path: str) -> tuple[str, ...]:
    """A path and those above it, nearest first, the root last."""
    names = path.split("/") if path else []
    return tuple("/".join(names[:count]) for count in range(len(names), -1, -1))


class ProjectVerbs:
    """What can be done with whole projects."""

    state: State
    _entries: list[tuple[Known | None, Operation]]

    def _commit(self, who: Handle) -> AbstractContextManager[int]:
        raise NotImplementedError

    def _delete_one(self, before: Known, seq: int) -> Known:
        raise NotImplementedError

    def _below(self, top: str) -> list[int]:
        """The numbers of a project and of everything below it."""
        return [number for number, path in self.state.projects.items() if is_below(path, top)]

    def _held(self, number: int) -> Iterator[Known]:
        return (known for known in self.state.items.values() if known.project == number)

    def _forget_empty(self, top: str) -> None:
        """Frees the paths of projects without any item, not even a deleted one: they do not stand in the way."""
        for number in self._below(top):
            if not any(self._held(number)):
                del self.state.projects[number]

    def rename_project(self, who: Handle, path: str, name: str) -> str:
        """Gives a project another last name."""
        parent = path.rpartition("/")[0]
        return self._set_path(who, path, f"{parent}/{name}" if parent else name)

    def move_project(self, who: Handle, path: str, parent: str) -> str:
        """Puts a project under another parent."""
        if path and is_below(parent, path):
            raise Refused("invalid_input")
        name = path.rpartition("/")[2]
        return self._set_path(who, path, f"{parent}/{name}" if parent else name)

    def _set_path(self, who: Handle, path: str, new: str) -> str:
        if not path or not new or new.count("/") >= _MOST_SEGMENTS:
            raise Refused("invalid_input")
        with self._commit(who):
            if new != path:
                self._forget_empty(new)
            moved = self._below(path)
            if not moved:
                raise Refused("not_found")
            if new == path:
                return new
            if set(self._below(new)) - set(moved):
                raise Refused("already_exists")
            for number in moved:
                self.state.projects[number] = new + self.state.projects[number][len(path) :]
                if self.state.projects[number].count("/") >= _MOST_SEGMENTS:
                    raise Refused("invalid_input")
            for number in moved:
                self._entries += [(known, "moved") for known in self._held(number)]
        return new

    def delete_project(self, who: Handle, path: str, *, recursive: bool) -> int:
        """Deletes the items of a project."""
        with self._commit(who) as seq:
            numbers = self._below(path)
            if not numbers:
                raise Refused("not_found")
            doomed = [known for number in numbers for known in self._held(number) if known.is_live]
            if not recursive and any(self.state.projects[known.project] != path for known in doomed):
                raise Refused("conflict")
            for known in doomed:
                self._delete_one(known, seq)
        return len(doomed)
