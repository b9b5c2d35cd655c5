"""The store for asyncio: the same methods as coroutines, run on threads of the store's own.

```python
import asyncio

import recollect.aio


async def main():
    async with recollect.aio.open("memory.db") as store:
        await store.rules.add("Never commit secrets.", tags=["security"], always_on=True)
        for hit in await store.search("what must not be in the repository?"):
            print(hit.score, hit.snippet)


asyncio.run(main())
```
"""

from recollect.aio.channels import AsyncChannels
from recollect.aio.connecting import Opening
from recollect.aio.docs import AsyncDocs
from recollect.aio.embeddings import AsyncStoreEmbeddings
from recollect.aio.items import AsyncItems
from recollect.aio.opening import open
from recollect.aio.projects import AsyncProjects
from recollect.aio.refs import AsyncRefs
from recollect.aio.rules import AsyncRules
from recollect.aio.store import AsyncStore

__all__ = [
    "AsyncChannels",
    "AsyncDocs",
    "AsyncItems",
    "AsyncProjects",
    "AsyncRefs",
    "AsyncRules",
    "AsyncStore",
    "AsyncStoreEmbeddings",
    "Opening",
    "open",
]
