"""The fields of items to be added and of lists, as mappings with typed keys."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Required, TypedDict

from recollect.records import RefState, TargetKind, Trust

__all__ = ["DocFilters", "Filters", "NewDoc", "NewItem", "NewRef", "NewRule", "RefFilters", "RuleFilters"]


class NewItem(TypedDict, total=False):
    """The fields that new rules, docs and refs have in common; see `Item` for their meaning."""

    key: str | None
    project: str | None
    tags: Sequence[str]
    metadata: Mapping[str, Any] | None
    channel: str | None
    tier: str | None
    priority: int
    source: str | None
    trust: Trust | None
    valid_from: datetime | None
    valid_until: datetime | None
    expires_at: datetime | None


class NewRule(NewItem, total=False):
    """A rule for `rules.add_many`; see `Rule`."""

    text: Required[str]
    applies_to: Sequence[str]
    modes: Sequence[str]
    always_on: bool


class NewDoc(NewItem, total=False):
    """A document for `docs.add_many`; see `Doc`."""

    text: Required[str]
    path: str | None
    title: str | None
    media_type: str | None


class NewRef(NewItem, total=False):
    """A ref for `refs.add_many`; see `Ref`."""

    target: Required[str]
    note: Required[str]
    target_kind: TargetKind | None
    checked_at: datetime | None
    state: RefState | None


class Filters(TypedDict, total=False):
    """Which items are meant; what is not given means "any".

    Attributes:
        project: `acme/web` for one project alone, `acme/*` for it and all below, the empty path for the root alone.
            None, as when it is not given, is every project, whatever the store's default project; so is `*`.
        tags: Items that have all of these.
        channel: Items of this channel.
        tier: Items of this tier.
        key_prefix: Items whose key begins so.
        source: Items of exactly this source.
        trust: Items of this trust level.
        deleted: True for deleted items within their undo window, instead of live ones.
    """

    project: str | None
    tags: Sequence[str]
    channel: str | None
    tier: str | None
    key_prefix: str | None
    source: str | None
    trust: Trust | None
    deleted: bool


class RuleFilters(Filters, total=False):
    """Which rules are meant.

    Attributes:
        always_on: Rules that always apply, or those that do not.
    """

    always_on: bool | None


class DocFilters(Filters, total=False):
    """Which docs are meant.

    Attributes:
        path_prefix: Docs whose path begins so.
    """

    path_prefix: str | None


class RefFilters(Filters, total=False):
    """Which refs are meant.

    Attributes:
        path_prefix: Refs whose target begins so.
    """

    path_prefix: str | None
