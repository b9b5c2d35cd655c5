"""The closed sets of words that items, changes and calls use."""

from typing import Literal

__all__ = ["Kind", "Operation", "Order", "RefState", "TargetKind", "Trust", "WarningCode"]

Kind = Literal["rule", "doc", "ref"]
"""What an item is."""

Trust = Literal["trusted", "unverified", "untrusted"]
"""How far the origin of an item is trusted; apart from who may see it."""

TargetKind = Literal["url", "file", "commit", "issue"]
"""What a ref points to."""

RefState = Literal["unchecked", "fresh", "stale", "broken"]
"""What was found when the target of a ref was last looked at."""

Operation = Literal[
    "created", "updated", "deleted", "restored", "reverted", "embedded", "moved", "purged", "swept", "repaired"
]
"""What a change did."""

Order = Literal["created", "updated", "priority", "key"]
"""The order of a list: by creation, by last change, by priority, or by key (items without one first)."""

WarningCode = Literal["near_duplicate", "fields_kept", "not_embedded"]
"""What an addition may be warned of."""
