"""Import, open, add and search open no socket and start no program: the work is done in this process."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest
from tests.package.programs import WORK, audited


def test_import_open_add_and_search_open_no_socket(store_path: Path) -> None:
    assert audited(sys.executable, WORK, store_path) == ""


def test_audit_hook_sees_a_socket(store_path: Path) -> None:
    assert "SEEN socket." in audited(sys.executable, "import socket; socket.socket().close()", store_path)


def imported_functions(library: Path) -> set[str]:
    """The names in the string tables of a shared library, those of the functions it imports among them."""
    return {word.decode("ascii") for word in re.findall(rb"\0([A-Za-z_]\w*)(?=\0)", library.read_bytes())}


def module_file(name: str) -> Path:
    """The shared library of an extension module."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        pytest.fail(f"{name} is no shared library")
    return Path(spec.origin)


def test_core_is_not_even_linked_with_socket_functions() -> None:
    # Python's audit hook does not see what compiled code calls.
    names = imported_functions(module_file("recollect._core"))
    assert "PyModuleDef_Init" in names or "PyModule_Create2" in names
    assert names & {"socket", "connect", "getaddrinfo", "sendto", "bind", "listen"} == set()
