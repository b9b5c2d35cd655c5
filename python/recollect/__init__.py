"""Memory for AI agents and coding assistants: rules, project docs and refs in one libSQL file, searched in process.

```python
import recollect

with recollect.open("memory.db") as store:
    store.rules.add("Never commit secrets.", tags=["security"], always_on=True)
    for hit in store.search("what must not be in the repository?"):
        print(hit.score, hit.snippet)
```
"""

from recollect.embedders import Embedder, ExternalVectors, StaticEmbedder
from recollect.exceptions import (
    AlreadyExistsError,
    CancelledError,
    ClosedError,
    ConflictError,
    CorruptError,
    DeadlineExceededError,
    EmbedderError,
    InternalError,
    InvalidInputError,
    LockedError,
    NotFoundError,
    PermissionDeniedError,
    RecollectError,
    StorageIOError,
    UnsupportedError,
)
from recollect.records import (
    Added,
    AddWarning,
    Change,
    Checkpoint,
    CheckReport,
    Deleted,
    DeletedMany,
    Doc,
    Hit,
    Page,
    Piece,
    Project,
    Purged,
    Ref,
    Rule,
    SearchResult,
    Space,
    StoreStats,
    Swept,
    Version,
)
from recollect.store import (
    LEAVE,
    CancelToken,
    Embeddings,
    NewDoc,
    NewRef,
    NewRule,
    Store,
    __version__,
    open,
)

__all__ = [
    "LEAVE",
    "AddWarning",
    "Added",
    "AlreadyExistsError",
    "CancelToken",
    "CancelledError",
    "Change",
    "CheckReport",
    "Checkpoint",
    "ClosedError",
    "ConflictError",
    "CorruptError",
    "DeadlineExceededError",
    "Deleted",
    "DeletedMany",
    "Doc",
    "Embedder",
    "EmbedderError",
    "Embeddings",
    "ExternalVectors",
    "Hit",
    "InternalError",
    "InvalidInputError",
    "LockedError",
    "NewDoc",
    "NewRef",
    "NewRule",
    "NotFoundError",
    "Page",
    "PermissionDeniedError",
    "Piece",
    "Project",
    "Purged",
    "RecollectError",
    "Ref",
    "Rule",
    "SearchResult",
    "Space",
    "StaticEmbedder",
    "StorageIOError",
    "Store",
    "StoreStats",
    "Swept",
    "UnsupportedError",
    "Version",
    "__version__",
    "open",
]
