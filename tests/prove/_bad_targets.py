"""What `bad_input.py` calls: every public method, property and class, found by introspection."""

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import recollect
import recollect.aio
from recollect import RecollectError, Store, records
from recollect import store as layer
from recollect.aio.threads import Threads

__all__ = ["Target", "targets", "uncovered"]

HOLDERS: Final[dict[str | None, tuple[type, type]]] = {
    None: (Store, recollect.aio.AsyncStore),
    "rules": (layer.Rules, recollect.aio.AsyncRules),
    "docs": (layer.Docs, recollect.aio.AsyncDocs),
    "refs": (layer.Refs, recollect.aio.AsyncRefs),
    "projects": (layer.Projects, recollect.aio.AsyncProjects),
    "channels": (layer.Channels, recollect.aio.AsyncChannels),
    "embeddings": (layer.StoreEmbeddings, recollect.aio.AsyncStoreEmbeddings),
}
"""The classes whose methods are called, by the attribute of the store; each with its counterpart for asyncio."""

WITHOUT_STORE: Final[tuple[type, ...]] = (
    recollect.StaticEmbedder,
    recollect.ExternalVectors,
    recollect.CancelToken,
)
"""Classes that need no store; they are called, and so are their methods."""

NOT_CALLED: Final[dict[str, str]] = {
    "Embedder": "a protocol: what implements it wrongly is passed to open",
    "Embeddings": "a value that the store makes",
    "NewRule": "a type for drafts, which add_many is given",
    "NewDoc": "as NewRule",
    "NewRef": "as NewRule",
    "AsyncItems": "what AsyncRules, AsyncDocs and AsyncRefs have in common",
    "Opening": "what recollect.aio.open answers; it is awaited there",
}
"""Public classes that are neither exceptions nor records and are not called, and why."""

# So much oftener than for asyncio a method is called directly; what adds and changes is called most of all.
SYNCHRONOUS_TIMES: Final = 3
CHANGING_TIMES: Final = 5


@dataclass(frozen=True)
class Target:
    """Something public that can be called.

    Attributes:
        label: Its name, such as `rules.add` or `aio.rules.add`.
        function: The function, for its signature.
        owner: The attribute of the store that it is a method of; None for the store, "" for what needs no store.
        is_async: Whether it is a method of the store for asyncio.
        is_property: Whether it is read, not called.
    """

    label: str
    function: Callable[..., Any]
    owner: str | None
    is_async: bool = False
    is_property: bool = False

    @property
    def name(self) -> str:
        """The label without the mark of asyncio."""
        return self.label.removeprefix("aio.")

    @property
    def verb(self) -> str:
        """The last part of the label."""
        return self.label.rpartition(".")[2]

    def bound(self, store: Store, threads: Threads, loop: asyncio.Runner) -> Callable[..., Any]:
        """The function on a store; where it is for asyncio, one that runs it on an event loop to its end."""
        if self.owner == "":
            return self.function
        whole = recollect.aio.AsyncStore(store, threads) if self.is_async else store
        holder = whole if self.owner is None else getattr(whole, self.owner)
        if self.is_property:
            return lambda: getattr(holder, self.verb)
        method = getattr(holder, self.verb)
        return awaited(method, loop) if self.is_async else method


def awaited(method: Callable[..., Any], loop: asyncio.Runner) -> Callable[..., Any]:
    """A function that runs a coroutine to its end, or takes the first values of an asynchronous iterator."""

    def call(*placed: Any, **named: Any) -> Any:
        async def wait() -> Any:
            value = method(*placed, **named)
            if not hasattr(value, "__aiter__"):
                return await value
            first = []
            async for one in value:
                first.append(one)
                if len(first) == 3:
                    break
            return first

        return loop.run(wait())

    call.__signature__ = inspect.signature(method)  # type: ignore[attr-defined]
    return call


def targets() -> list[Target]:
    """Everything that is called, what adds and changes several times as often as the rest."""
    found = []
    for owner, (holder, other) in HOLDERS.items():
        for is_async, one, prefix in ((False, holder, ""), (True, other, "aio.")):
            for name, member in inspect.getmembers(one):
                if name.startswith("_") or (owner, name) == (None, "close"):
                    continue
                label = prefix + (f"{owner}.{name}" if owner else name)
                times = CHANGING_TIMES if name in {"add", "add_many", "update"} else 1
                if inspect.isfunction(member):
                    found += [Target(label, member, owner, is_async)] * (times * (1 if is_async else SYNCHRONOUS_TIMES))
                elif isinstance(member, property):
                    found.append(Target(label, lambda: None, owner, is_async, is_property=True))
    for one in WITHOUT_STORE:
        made = one("mine", 8) if one is recollect.ExternalVectors else one()
        found.append(Target(one.__name__, one, ""))
        for name in dir(one):
            if not name.startswith("_") and callable(getattr(made, name)):
                found.append(Target(f"{one.__name__}.{name}", getattr(made, name), ""))
    found += [Target("close", close_another, ""), Target("aio.close", close_asynchronously, "")]
    return [*found, Target("open", recollect.open, ""), Target("aio.open", open_asynchronously(), "")]


def uncovered() -> list[str]:
    """The public classes and functions that are neither called nor named as not to be."""
    called = {one for pair in HOLDERS.values() for one in pair} | {*WITHOUT_STORE, recollect.open, recollect.aio.open}
    missing = []
    for module in (recollect, recollect.aio):
        for name in module.__all__:
            one = getattr(module, name)
            is_value = isinstance(one, type) and (
                issubclass(one, RecollectError) or getattr(records, name, None) is one
            )
            if callable(one) and one not in called and not is_value and name not in NOT_CALLED:
                missing.append(f"{module.__name__}.{name}")
    return missing


def close_another(*, timeout: layer.Timeout = None) -> None:
    """Closes a store of its own; the one of the block stays open."""
    with recollect.open(":memory:", embedder=None) as store:
        store.close(timeout=timeout)


def close_asynchronously(*, timeout: layer.Timeout = None) -> None:
    """Closes a store for asyncio."""

    async def work() -> None:
        async with recollect.aio.open(":memory:", embedder=None) as store:
            await store.close(timeout=timeout)

    asyncio.run(work())


def open_asynchronously() -> Callable[..., Any]:
    """Opens a store for asyncio, closes it, and opens it again as any other, if that can be done."""

    def work(*placed: Any, **named: Any) -> Any:
        async def opened() -> None:
            async with recollect.aio.open(*placed, **named):
                pass

        asyncio.run(opened())
        named.pop("threads", None)
        return recollect.open(*placed, **named)

    work.__signature__ = inspect.signature(recollect.aio.open)  # type: ignore[attr-defined]
    return work
