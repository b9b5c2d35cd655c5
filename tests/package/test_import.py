"""`import recollect` is quick, and brings no server, no protocol and no telemetry with it."""

import json
import sys

from tests.package.programs import check_import_time, printed

FORBIDDEN = frozenset(
    {
        "aiohttp",
        "fastapi",
        "granian",
        "grpc",
        "http.server",
        "httpx",
        "httpx2",
        "huggingface_hub",
        "mcp",
        "opentelemetry",
        "prometheus_client",
        "pydantic",
        "requests",
        "safetensors",
        "sentry_sdk",
        "starlette",
        "tokenizers",
        "torch",
        "urllib3",
        "uvicorn",
        "wordllama",
    },
)


def python(program: str) -> str:
    """What a fresh interpreter prints for the program."""
    return printed(sys.executable, program)


def test_import_is_within_forty_milliseconds_of_numpy() -> None:
    check_import_time(sys.executable)


def test_import_loads_no_server_protocol_or_telemetry() -> None:
    loaded = set(json.loads(python("import json, sys, recollect; print(json.dumps(sorted(sys.modules)))")))
    assert "recollect" in loaded
    assert loaded & FORBIDDEN == set()


def test_built_in_embedder_does_not_import_the_package_of_its_weights() -> None:
    program = """
import json, sys, recollect
with recollect.open(":memory:") as store:
    store.rules.add("Run the tests before every commit.")
    assert store.search("when do tests run?").hits
print(json.dumps(sorted(sys.modules)))
"""
    assert set(json.loads(python(program))) & FORBIDDEN == set()


def test_import_configures_no_logging() -> None:
    program = """
import logging, recollect
print(len(logging.root.handlers), type(logging.getLogger("recollect").handlers[0]).__name__)
"""
    assert python(program).split() == ["0", "NullHandler"]
