"""Type hints of everything public can be evaluated, as pydantic, Sphinx and other tools do."""

import inspect
import subprocess
import sys
import typing
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import recollect
import recollect.records
import recollect.store

NAMES = sorted(
    {
        (module.__name__, name)
        for module in (recollect, recollect.store, recollect.records)
        for name in module.__all__
        if inspect.isclass(getattr(module, name)) or inspect.isfunction(getattr(module, name))
    }
)


def annotated(value: Any) -> Iterator[Any]:
    """The class or function, and the methods and properties of the class."""
    yield value
    if inspect.isclass(value):
        for name, member in inspect.getmembers(value):
            if inspect.isfunction(member) and not name.startswith("__"):
                yield member
            if isinstance(member, property) and member.fget is not None:
                yield member.fget


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_type_hints_are_evaluated(module: str, name: str) -> None:
    for value in annotated(getattr(sys.modules[module], name)):
        hints = typing.get_type_hints(value)
        assert not any(isinstance(hint, (str, typing.ForwardRef)) for hint in hints.values()), (value, hints)


def test_vectors_are_hinted_as_arrays_among_others() -> None:
    hint = typing.get_type_hints(recollect.Store.search)["vector"]

    origins = {typing.get_origin(choice) or choice for choice in typing.get_args(hint)}
    assert {np.ndarray, bytes, memoryview, type(None)} <= origins


def test_import_does_not_load_numpy() -> None:
    program = "import sys, recollect; print('numpy' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert printed == "False\n"
