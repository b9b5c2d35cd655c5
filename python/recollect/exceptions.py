"""What recollect raises.

Every exception carries a stable ``code``, whether trying again can help (``retryable``), and a ``hint`` that says what
to do. The compiled core holds the one table of codes; a test compares these classes with it.

```text
RecollectError
├── NotFoundError            (also LookupError)    not_found
├── AlreadyExistsError                             already_exists
├── InvalidInputError        (also ValueError)     invalid_input
├── PermissionDeniedError                          permission_denied
├── ConflictError                                  conflict
├── LockedError                                    locked             retryable
├── DeadlineExceededError                          timeout            retryable
├── CancelledError                                 cancelled          retryable
├── CorruptError                                   corrupt
├── UnsupportedError                               unsupported
├── ClosedError                                    closed
├── StorageIOError                                 io
├── EmbedderError                                  embedder           retryable
└── InternalError                                  internal
```

None of them derives from `OSError`, whose constructor reads two arguments as an error number and its text. Ctrl-C
during a call raises `KeyboardInterrupt`, as everywhere in Python; a write it interrupts is undone as a whole.
"""

from typing import ClassVar

__all__ = [
    "AlreadyExistsError",
    "CancelledError",
    "ClosedError",
    "ConflictError",
    "CorruptError",
    "DeadlineExceededError",
    "EmbedderError",
    "InternalError",
    "InvalidInputError",
    "LockedError",
    "NotFoundError",
    "PermissionDeniedError",
    "RecollectError",
    "StorageIOError",
    "UnsupportedError",
]


class RecollectError(Exception):
    """The base of every exception of recollect.

    Args:
        message: What happened, in one sentence.
        hint: What to do about it; by default what helps in most cases of this class. Tracebacks show it as a note.

    Attributes:
        code: The stable name of the kind of error, the same on every surface.
        retryable: Whether the same call may succeed later without any change.
        default_hint: The hint of an error that knows no better one.
        message: What happened.
        hint: What to do about it.
    """

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False
    default_hint: ClassVar[str] = ""

    message: str
    hint: str

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.default_hint
        if self.hint:
            self.add_note(f"hint: {self.hint}")

    def __reduce__(self) -> tuple[type["RecollectError"], tuple[str, str]]:
        return type(self), (self.message, self.hint)


class NotFoundError(RecollectError, LookupError):
    """There is no such item, project, channel or store that the caller may see."""

    code = "not_found"
    default_hint = "check the id or key, and the project it is looked up in"


class AlreadyExistsError(RecollectError):
    """A key, project or store of that name exists already."""

    code = "already_exists"
    default_hint = "use update, or choose another name"


class InvalidInputError(RecollectError, ValueError):
    """An argument is malformed, out of range or of the wrong shape. Nothing was written."""

    code = "invalid_input"
    default_hint = "correct the argument that the message names"


class PermissionDeniedError(RecollectError):
    """The principal, the file system or the way the store was opened does not allow it."""

    code = "permission_denied"
    default_hint = "open with other rights"


class ConflictError(RecollectError):
    """The state does not fit what was asked: a version, an embedding space, an undo window."""

    code = "conflict"
    default_hint = "read the current state and decide anew"


class LockedError(RecollectError):
    """Another process or thread held the write guard beyond the time limit, or this thread itself is inside a write.

    The latter happens to a signal handler that writes while its thread does, and is told at once.
    """

    code = "locked"
    retryable = True
    default_hint = "another writer is busy: try again, or give a longer timeout"


class DeadlineExceededError(RecollectError):
    """The time limit of the call ran out; a write was undone as a whole."""

    code = "timeout"
    retryable = True
    default_hint = "give a longer timeout, or ask for less"


class CancelledError(RecollectError):
    """The caller cancelled; a write was undone as a whole."""

    code = "cancelled"
    retryable = True
    default_hint = "nothing was changed; call again if it is still wanted"


class CorruptError(RecollectError):
    """The file is damaged, or is no recollect store."""

    code = "corrupt"
    default_hint = "run `recollect check`, then restore a backup"


class UnsupportedError(RecollectError):
    """This build, platform, installation or store cannot do it."""

    code = "unsupported"
    default_hint = "see the documentation of the feature"


class ClosedError(RecollectError):
    """The store is closed, or belongs to the process that forked this one."""

    code = "closed"
    default_hint = "open the store again in this process"


class StorageIOError(RecollectError):
    """The operating system refused or failed.

    After a full disk the store goes on once there is room. After a write that failed otherwise it is lost, as the
    message says: close it and open it again.
    """

    code = "io"
    default_hint = "check disk space, permissions and the path"


class EmbedderError(RecollectError):
    """The embedding model failed, or returned what are no vectors of its space. Nothing was written.

    What the embedder itself raised is the `__cause__`.
    """

    code = "embedder"
    retryable = True
    default_hint = "see the embedder's own error; nothing was written"


class InternalError(RecollectError):
    """A defect of recollect itself."""

    code = "internal"
    default_hint = "this is a defect: please report it with the message"
