"""The docstrings of the standard library as Markdown documents: text that every Python brings along."""

import ast
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from recollect.store import NewDoc

__all__ = ["documents"]

_MODULES: Final = (
    "abc",
    "argparse",
    "ast",
    "asyncio/tasks.py",
    "base64",
    "bisect",
    "calendar",
    "cmd",
    "codecs",
    "collections/__init__.py",
    "concurrent/futures/thread.py",
    "configparser",
    "contextlib",
    "copy",
    "csv",
    "dataclasses",
    "datetime",
    "difflib",
    "email/message.py",
    "enum",
    "fileinput",
    "filecmp",
    "fnmatch",
    "fractions",
    "functools",
    "getpass",
    "gettext",
    "glob",
    "graphlib",
    "gzip",
    "hashlib",
    "heapq",
    "hmac",
    "html/parser.py",
    "http/client.py",
    "inspect",
    "ipaddress",
    "json/__init__.py",
    "logging/__init__.py",
    "mailbox",
    "mimetypes",
    "multiprocessing/pool.py",
    "operator",
    "os",
    "pathlib",
    "pdb",
    "pickle",
    "platform",
    "pprint",
    "queue",
    "random",
    "sched",
    "secrets",
    "selectors",
    "shelve",
    "shlex",
    "shutil",
    "socket",
    "sqlite3/__init__.py",
    "statistics",
    "string",
    "subprocess",
    "tarfile",
    "tempfile",
    "textwrap",
    "threading",
    "timeit",
    "tokenize",
    "traceback",
    "types",
    "unittest/mock.py",
    "urllib/parse.py",
    "uuid",
    "warnings",
    "weakref",
    "webbrowser",
    "zipfile",
)


def documents() -> Iterator[NewDoc]:
    """Yields one Markdown document per module: a section for the module and one for each class and function.

    The sources are parsed, not imported, so nothing of them runs. Modules that this Python lacks are left out.
    """
    library = Path(sysconfig.get_path("stdlib"))
    for name in _MODULES:
        source = library / (name if name.endswith(".py") else f"{name}.py")
        if not source.is_file() and (library / name / "__init__.py").is_file():
            source = library / name / "__init__.py"
        if source.is_file():
            path = source.relative_to(library).as_posix()
            module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            tree = ast.parse(source.read_bytes(), path)
            text = "\n\n".join(_sections(module, tree))
            if "\n\n" in text:
                yield NewDoc(text=text, path=path, title=module, source="the Python standard library")


def _sections(module: str, tree: ast.Module) -> Iterator[str]:
    yield f"# {module}"
    if about := ast.get_docstring(tree):
        yield about
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield f"## class {module}.{node.name}"
            if about := ast.get_docstring(node):
                yield about
            for method in node.body:
                yield from _function(f"### {node.name}", method)
        else:
            yield from _function(f"## {module}", node)


def _function(owner: str, node: ast.stmt) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_"):
        about = ast.get_docstring(node)
        if about:
            yield f"{owner}.{node.name}({ast.unparse(node.args)})"
            yield about
