"""The store: opening it, its items, its answers."""

from recollect._core import CancelToken, __version__, error_table, limits
from recollect.store.channels import Channels
from recollect.store.docs import Docs
from recollect.store.embeddings import Embeddings, StoreEmbeddings
from recollect.store.fields import DocFilters, Filters, NewDoc, NewItem, NewRef, NewRule, RefFilters, RuleFilters
from recollect.store.items import Items
from recollect.store.opening import open
from recollect.store.projects import Projects
from recollect.store.refs import Refs
from recollect.store.rules import Rules
from recollect.store.store import Store
from recollect.store.values import LEAVE, Leave, Timeout, Vector, Vectors

__all__ = [
    "LEAVE",
    "CancelToken",
    "Channels",
    "DocFilters",
    "Docs",
    "Embeddings",
    "Filters",
    "Items",
    "Leave",
    "NewDoc",
    "NewItem",
    "NewRef",
    "NewRule",
    "Projects",
    "RefFilters",
    "Refs",
    "RuleFilters",
    "Rules",
    "Store",
    "StoreEmbeddings",
    "Timeout",
    "Vector",
    "Vectors",
    "__version__",
    "error_table",
    "limits",
    "open",
]
