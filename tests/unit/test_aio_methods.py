"""The asynchronous store has every method of the store, with the same parameters, and is written by the tool."""

import ast
import importlib.util
import inspect
import subprocess
import sys
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import recollect.aio
import recollect.store
from recollect.store.items import Items

ROOT = Path(__file__).resolve().parents[2]

PAIRS: list[tuple[type, type]] = [
    (recollect.store.Store, recollect.aio.AsyncStore),
    (Items, recollect.aio.AsyncItems),
    (recollect.store.Rules, recollect.aio.AsyncRules),
    (recollect.store.Docs, recollect.aio.AsyncDocs),
    (recollect.store.Refs, recollect.aio.AsyncRefs),
    (recollect.store.Projects, recollect.aio.AsyncProjects),
    (recollect.store.Channels, recollect.aio.AsyncChannels),
    (recollect.store.StoreEmbeddings, recollect.aio.AsyncStoreEmbeddings),
]
# Properties of the store that read the file, which a property of an asynchronous store must not.
LOOKED_UP = {"tiers", "space"}


def tool() -> ModuleType:
    """The program that writes the modules."""
    spec = importlib.util.spec_from_file_location("write_aio", ROOT / "tools" / "write_aio.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def public(cls: type) -> dict[str, Any]:
    """The public members of a class."""
    return {name: inspect.getattr_static(cls, name) for name in dir(cls) if not name.startswith("_")}


def methods(cls: type) -> dict[str, Callable[..., Any]]:
    """The public methods of a class."""
    return {name: member for name, member in public(cls).items() if inspect.isfunction(member)}


def parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters but for the token, which cancelling the task stands in for."""
    return [given for given in inspect.signature(function).parameters.values() if given.name != "cancel"]


def pairs_of_methods() -> Iterator[tuple[str, Callable[..., Any], Callable[..., Any]]]:
    for cls, counterpart in PAIRS:
        there = methods(counterpart)
        for name, method in methods(cls).items():
            yield f"{cls.__name__}.{name}", method, there[name]


@pytest.mark.parametrize("name", list(tool().MODULES))
def test_written_module_equals_what_the_tool_makes(name: str) -> None:
    written = Path(recollect.aio.__file__).with_name(name).read_text(encoding="utf-8")

    assert ast.dump(ast.parse(tool().MODULES[name]())) == ast.dump(ast.parse(written)), (
        "run `python tools/write_aio.py`"
    )


@pytest.mark.parametrize(("cls", "counterpart"), PAIRS)
def test_members_are_the_same(cls: type, counterpart: type) -> None:
    assert set(public(counterpart)) == set(public(cls))
    for name, member in public(cls).items():
        if isinstance(member, property):
            assert isinstance(public(counterpart)[name], property) == (name not in LOOKED_UP), name


def test_collections_of_a_store_are_the_same() -> None:
    with recollect.open(":memory:", embedder=None) as store:
        names = {name: type(value).__name__ for name, value in vars(store).items() if not name.startswith("_")}
        counterpart = recollect.aio.AsyncStore(store, None)  # type: ignore[arg-type]
        there = {name: type(value).__name__ for name, value in vars(counterpart).items() if not name.startswith("_")}
    assert len(names) >= 6
    assert there == {name: f"Async{cls}" for name, cls in names.items()}


@pytest.mark.parametrize(("name", "method", "counterpart"), list(pairs_of_methods()))
def test_method_takes_the_same_parameters(
    name: str, method: Callable[..., Any], counterpart: Callable[..., Any]
) -> None:
    assert parameters(counterpart) == parameters(method)
    assert "cancel" not in inspect.signature(counterpart).parameters
    expected = inspect.signature(method).return_annotation
    returned = inspect.signature(counterpart).return_annotation
    if name.endswith(".iterate"):
        assert typing.get_origin(returned) is typing.get_origin(typing.AsyncIterator[int])
        assert typing.get_args(returned) == typing.get_args(expected)
    else:
        assert inspect.iscoroutinefunction(counterpart)
        assert returned == expected


@pytest.mark.parametrize(("name", "method", "counterpart"), list(pairs_of_methods()))
def test_method_says_the_same(name: str, method: Callable[..., Any], counterpart: Callable[..., Any]) -> None:
    doc = inspect.getdoc(counterpart) or ""
    there = inspect.getdoc(method) or ""

    assert doc
    assert "cancel:" not in doc
    assert doc.count("Raises:") == there.count("Raises:")
    if not name.endswith(".close"):
        assert doc.splitlines()[0] == there.splitlines()[0]


def test_open_takes_the_same_parameters_and_threads() -> None:
    (*mine, threads) = parameters(recollect.aio.open)

    assert mine == parameters(recollect.open)
    assert threads.name == "threads"


@pytest.mark.parametrize("name", recollect.aio.__all__)
def test_type_hints_are_evaluated(name: str) -> None:
    value = getattr(recollect.aio, name)
    for member in [value, *(methods(value).values() if inspect.isclass(value) else ())]:
        hints = typing.get_type_hints(member)
        assert not any(isinstance(hint, (str, typing.ForwardRef)) for hint in hints.values())


def test_import_of_recollect_loads_neither_asyncio_nor_this() -> None:
    program = "import sys, recollect; print([name for name in ('asyncio', 'recollect.aio') if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert printed == "[]\n"
