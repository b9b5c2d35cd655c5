"""What becomes of open stores when the process ends or forks."""

import atexit
import os
import time
from typing import Final
from weakref import WeakSet

from recollect._core import Store as CoreStore
from recollect._core import end, lock_descriptors
from recollect.exceptions import RecollectError

__all__ = ["remember"]

_open: Final[WeakSet[CoreStore]] = WeakSet()

# In seconds. A store without calls in other threads needs no patience; one with a call in a daemon thread, which the
# interpreter ends without asking, gets a moment.
_FIRST_PATIENCE: Final = 0.01
_PATIENCE: Final = 0.5


def remember(core: CoreStore) -> None:
    """Has the store closed when the interpreter exits, unless it was closed or collected before."""
    _open.add(core)


def _close_all() -> None:
    """Closes what is still open, the busy ones last and in bounded time: a store left open loses nothing."""
    busy = [core for core in list(_open) if not _close(core, _FIRST_PATIENCE)]
    until = time.monotonic() + _PATIENCE
    for core in busy:
        _close(core, max(until - time.monotonic(), 0.0))
    # A daemon thread that converts an answer while the interpreter is taken down would abort the process.
    end(_PATIENCE)


def _close(core: CoreStore, patience: float) -> bool:
    try:
        core.close(patience)
    except RecollectError:
        return False
    return True


def _give_up_locks() -> None:
    """In the child of a fork: lets go of the parent's locks, which would outlive the parent otherwise.

    The kernel frees the lock on a file when its last descriptor is closed, and the child has inherited copies. They
    are replaced rather than closed, so that no number is given to another file while the parent's stores still think
    it theirs.
    """
    _open.clear()
    descriptors = lock_descriptors()
    if not descriptors:
        return
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for descriptor in descriptors:
        os.dup2(null, descriptor, inheritable=False)
    os.close(null)


atexit.register(_close_all)
os.register_at_fork(after_in_child=_give_up_locks)
