"""Writes the asynchronous store, `recollect.aio`, from the classes of the store.

`python tools/write_aio.py` writes the modules anew and has ruff format them; a test compares them with what this
program makes. What has no counterpart in the store, such as threads and cancelling, is written by hand, in the modules
that are not listed in `MODULES`.
"""

import ast
import inspect
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any, Final

import recollect
from recollect import store
from recollect.store.items import Items

FOLDER: Final = Path(recollect.__file__).parent / "aio"

# What may have to wait for other writers, or reads the whole file, and what does not. A method that is in neither is an
# error, so that nobody forgets to decide.
WRITES: Final = frozenset(
    {
        *("add", "add_many", "update", "delete", "delete_many", "restore", "revert", "purge", "purge_many"),
        *("sweep", "check", "checkpoint", "create", "rename", "move", "put"),
    }
)
READS: Final = frozenset(
    {
        *("get", "list", "iterate", "count", "history", "search", "changes", "stats"),
        *("split", "split_sections", "missing"),
    }
)
# What only reads unless its arguments say otherwise.
WRITES_IF: Final = {"check": "repair is not False", "delete_many": "dry_run is not True"}
# What the handle knows, and what it looks up in the file; the latter become coroutine methods.
KNOWN: Final = frozenset({"path", "read_only", "schema_version", "uuid", "default_project", "embeds", "closed"})
LOOKED_UP: Final = frozenset({"tiers", "space"})
# Written by hand in `recollect.aio.handle`.
BY_HAND: Final = frozenset({"close"})

# Of a docstring's text, within the line length, in a method.
WIDTH: Final = 112
TIMEOUT: Final = "How long the call may take, waiting for a free thread included."

ITEMS_DOC: Final = """\
The items of one kind in a store: the shape that `store.rules`, `store.docs` and `store.refs` share.

Every method takes `timeout` (seconds or a `timedelta`, counted from the call on, the wait for a thread included;
None is no limit but the store's on each wait for other writers and for a free reader), and may raise
`DeadlineExceededError`, `LockedError` (writes only) and `ClosedError`. A call that ends so has written nothing.
When the task is cancelled the call is undone before `asyncio.CancelledError` is raised, unless it had ended
already."""

STORE_DOC: Final = """An open store for asyncio; `recollect.aio.open` makes one.

It may be used by any number of tasks, of any event loop and thread. It is an asynchronous context manager that
closes at the end. In the child of a fork it refuses every call.

Attributes:
    rules: Instructions to obey.
    docs: Documents kept verbatim.
    refs: Pointers with a note.
    projects: The projects that items belong to.
    channels: The named rooms that items may be in.
    embeddings: The stored vectors."""

OPEN_EXAMPLE: Final = """Examples:
    >>> import asyncio, recollect.aio
    >>> async def main():
    ...     async with recollect.aio.open(":memory:") as store:
    ...         added = await store.rules.add("Run the tests before every commit.", tags=["git"])
    ...         return (await store.rules.get(added.id)).text
    >>> asyncio.run(main())
    'Run the tests before every commit.'"""

THREADS_DOC: Final = """\
    threads: How many calls may run at the same time, from 1 to 1024; None is one more than there are readers, at
        most 32. A quarter of them, and at least one, may be writes, so that writers which wait for one another
        leave threads to readers."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of a method, as it is written."""

    name: str
    annotation: ast.expr
    default: ast.expr | None
    is_keyword: bool

    def declared(self, source: str) -> str:
        """The parameter in a signature."""
        default = "" if self.default is None else f" = {ast.get_source_segment(source, self.default)}"
        return f"{self.name}: {ast.get_source_segment(source, self.annotation)}{default}"

    def passed(self) -> str:
        """The parameter in a call."""
        return f"{self.name}={self.name}" if self.is_keyword else self.name


class Method:
    """A method or function of the store, taken apart."""

    def __init__(self, function: FunctionType) -> None:
        self.function = function
        self.name = function.__name__
        self.source = textwrap.dedent(inspect.getsource(function))
        node = ast.parse(self.source).body[0]
        if not isinstance(node, ast.FunctionDef) or node.returns is None:
            raise TypeError(f"{function.__qualname__} is no annotated function")
        self.node = node
        self.returns = node.returns
        self.parameters = [parameter for parameter in self._parameters() if parameter.name not in {"self", "cancel"}]
        self.has_cancel = any(argument.arg == "cancel" for argument in node.args.kwonlyargs)
        self.doc = without_cancel(inspect.getdoc(function) or "")

    def _parameters(self) -> Iterator[Parameter]:
        arguments = self.node.args
        defaults: list[ast.expr | None] = [None] * (len(arguments.args) - len(arguments.defaults))
        positional = zip(arguments.args, [*defaults, *arguments.defaults], strict=True)
        named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        for is_keyword, group in ((False, positional), (True, named)):
            for argument, default in group:
                yield Parameter(argument.arg, argument.annotation or ast.Name("Any"), default, is_keyword)

    @property
    def returned(self) -> str:
        """The annotation of what it returns."""
        return ast.get_source_segment(self.source, self.returns) or ""

    def signature(self, *more: str, bound: bool = True) -> str:
        """The parameters between the parentheses."""
        parts = ["self"] if bound else []
        parts += [parameter.declared(self.source) for parameter in self.parameters if not parameter.is_keyword]
        named = [parameter.declared(self.source) for parameter in self.parameters if parameter.is_keyword]
        parts += ["*", *named, *more] if named or more else []
        if (rest := self.node.args.kwarg) is not None and rest.annotation is not None:
            parts.append(f"**{rest.arg}: {ast.get_source_segment(self.source, rest.annotation)}")
        return ", ".join(parts)

    def arguments(self, *more: str) -> str:
        """What is passed on, all of it by the name it has."""
        rest = self.node.args.kwarg
        spread = [f"**{rest.arg}"] if rest is not None else []
        return ", ".join([*(parameter.passed() for parameter in self.parameters), *more, *spread])

    def names(self) -> set[str]:
        """The names that its signature needs."""
        nodes = [parameter.annotation for parameter in self.parameters]
        nodes += [parameter.default for parameter in self.parameters if parameter.default is not None]
        if (rest := self.node.args.kwarg) is not None and rest.annotation is not None:
            nodes.append(rest.annotation)
        return {name for node in [*nodes, self.returns] for name in names_in(node)}


def names_in(node: ast.AST) -> Iterator[str]:
    """The names in an annotation, those in strings too."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Constant) and isinstance(part.value, str) and "[" in part.value:
            yield from names_in(ast.parse(part.value, mode="eval"))


def without_cancel(doc: str) -> str:
    """The docstring of the method without its token, which cancelling the task stands in for."""
    doc = re.sub(r"^    cancel: .*\n?(?:^ {8,}.*\n?)*", "", doc, flags=re.MULTILINE)
    return re.sub(r"^    timeout: How long .*\n?(?:^ {8,}.*\n?)*", timeout_of, doc, flags=re.MULTILINE).rstrip()


def timeout_of(match: re.Match[str]) -> str:
    """What a method says of its time limit, with the wait for a thread."""
    text = " ".join(match[0].split()).replace("How long the call may take.", TIMEOUT)
    return textwrap.fill(text, WIDTH, initial_indent="    ", subsequent_indent="        ") + "\n"


def docstring(text: str, indent: str) -> str:
    """The text as a docstring."""
    end = f"\n{indent}" if "\n" in text else ""
    return textwrap.indent(f'"""{text}', indent) + f'{end}"""'


def lines_of_method(method: Method, attribute: str) -> str:
    """A method that runs the one of the same name in a thread."""
    if method.name not in WRITES | READS:
        raise LookupError(f"{method.name}: tools/write_aio.py does not say whether it writes")
    doc = docstring(method.doc, "        ")
    if method.name == "iterate":
        returned = method.returned.replace("Iterator[", "AsyncIterator[")
        page = f"self.list({method.arguments('limit=PAGE_ITEMS', 'cursor=cursor')})"
        head = f"    def iterate({method.signature()}) -> {returned}:\n{doc}\n"
        return f"{head}        return walk(lambda cursor: {page})\n"
    pool = "write" if method.name in WRITES else "read"
    threads = f"self._threads.{pool}"
    if condition := WRITES_IF.get(method.name):
        threads = f"(self._threads.write if {condition} else self._threads.read)"
    call = f"self.{attribute}.{method.name}"
    if method.has_cancel:
        work = f"lambda timeout, cancel: {call}({method.arguments('cancel=cancel')}), timeout"
    else:
        work = f"lambda _timeout, _cancel: {call}({method.arguments()})"
    return (
        f"    async def {method.name}({method.signature()}) -> {method.returned}:\n{doc}\n"
        f"        return await {threads}({work})\n"
    )


def lines_of_property(method: Method, attribute: str) -> str:
    """A property that the handle knows, or a coroutine method for one that it must look up."""
    doc = docstring(method.doc, "        ")
    if method.name in KNOWN:
        head = f"    @property\n    def {method.name}(self) -> {method.returned}:\n{doc}\n"
        return f"{head}        return self.{attribute}.{method.name}\n"
    if method.name in LOOKED_UP:
        head = f"    async def {method.name}(self) -> {method.returned}:\n{doc}\n"
        return (
            f"{head}        return await self._threads.read(lambda _timeout, _cancel: self.{attribute}.{method.name})\n"
        )
    raise LookupError(f"{method.name}: tools/write_aio.py does not say whether it reads the file")


def members(cls: type) -> Iterator[tuple[Method, bool]]:
    """The public methods and properties of a class, and whether each is a property.

    Those of its bases count too, but not those of `Items`, which is written as a class of its own.
    """
    seen: set[str] = set()
    for base in cls.__mro__:
        if base is object or (base is Items and cls is not Items):
            continue
        for name, member in vars(base).items():
            function = member.fget if isinstance(member, property) else member
            if name.startswith("_") or name in seen | BY_HAND or not isinstance(function, FunctionType):
                continue
            seen.add(name)
            yield Method(function), isinstance(member, property)


def imports(methods: list[Method], more: dict[str, str]) -> str:
    """The import statements for the names that the methods need, in the order that ruff gives them."""
    found = dict(more)
    for method in methods:
        module = inspect.getmodule(method.function)
        if module is None:
            raise LookupError(f"{method.name} is of no module")
        known = imported_names(inspect.getsource(module))
        for name in method.names():
            if name in known:
                found[name] = known[name]
            elif name in vars(module):
                found[name] = module.__name__
    modules: dict[str, list[str]] = {}
    for name, origin in found.items():
        modules.setdefault(origin, []).append(name)
    whole = [f"import {name}" for name in sorted(modules.pop("", []))]
    groups: dict[bool, list[str]] = {False: whole, True: []}
    for origin, names in sorted(modules.items()):
        is_ours = origin.partition(".")[0] == "recollect"
        groups[is_ours].append(f"from {origin} import {', '.join(sorted(names, key=order))}")
    return "\n\n".join("\n".join(group) for group in groups.values() if group)


def imported_names(source: str) -> dict[str, str]:
    """The names that a module imports, and from where; nothing for a module that is imported whole."""
    found: dict[str, str] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: node.module or "" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name: "" for alias in node.names}
    return found


def order(name: str) -> tuple[int, str]:
    """Constants come first, then classes, then the rest."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2, name.lower())


def module(name: str, about: str, head: str, body: str, public: str) -> str:
    """The text of a module."""
    origin = f"Written by `tools/write_aio.py` from `recollect.store.{name}`."
    return f'"""{about}\n\n{origin}\n"""\n\n{head}\n\n__all__ = ["{public}"]\n\n\n{body}'


def about(cls: type) -> str:
    """What a module says of itself."""
    first = (inspect.getdoc(cls) or "").splitlines()[0].rstrip(".").partition(":")[0]
    return f"{first}, for asyncio."


def body_of(cls: type, attribute: str) -> tuple[list[Method], str]:
    """The methods of a class, and the lines of its counterpart."""
    found = list(members(cls))
    lines = [
        lines_of_property(method, attribute) if is_property else lines_of_method(method, attribute)
        for method, is_property in found
    ]
    return [method for method, _ in found], "\n".join(lines)


def items_module() -> str:
    """The module of what the three kinds have in common."""
    methods, body = body_of(Items, "_items")
    head = imports(
        methods,
        {
            "ClassVar": "typing",
            "Generic": "typing",
            "Kind": "recollect.records",
            "Items": "recollect.store.items",
            "Threads": "recollect.aio.threads",
        },
    )
    lines = f"""class AsyncItems(Generic[ItemT]):
{docstring(ITEMS_DOC, "    ")}

    kind: ClassVar[Kind]

    def __init__(self, items: Items[ItemT], threads: Threads) -> None:
        self._items: Items[ItemT] = items
        self._threads = threads

{body}
    def __repr__(self) -> str:
        return repr(self._items)
"""
    return module("items", "What rules, docs and refs can do alike, for asyncio.", head, lines, "AsyncItems")


def kind_module(cls: type[Items[Any]]) -> str:
    """The module of one kind of items."""
    name = cls.__name__
    attribute = name.lower()
    record = name.removesuffix("s")
    methods, body = body_of(cls, f"_{attribute}")
    head = imports(
        methods,
        {
            "AsyncIterator": "collections.abc",
            "ClassVar": "typing",
            "Kind": "recollect.records",
            record: "recollect.records",
            name: f"recollect.store.{attribute}",
            "AsyncItems": "recollect.aio.items",
            "PAGE_ITEMS": "recollect.aio.pages",
            "walk": "recollect.aio.pages",
            "Threads": "recollect.aio.threads",
        },
    )
    # Each page is fetched by `list`, so nothing iterates here itself.
    head = re.sub(r"\bIterator, ", "", head)
    lines = f"""class Async{name}(AsyncItems[{record}]):
{docstring(inspect.getdoc(cls) or "", "    ")}

    kind: ClassVar[Kind] = "{cls.kind}"

    def __init__(self, {attribute}: {name}, threads: Threads) -> None:
        super().__init__({attribute}, threads)
        self._{attribute} = {attribute}

{body}"""
    return module(attribute, about(cls), head, lines, f"Async{name}")


def plain_module(cls: type, name: str) -> str:
    """The module of a collection that stands alone."""
    methods, body = body_of(cls, f"_{name}")
    head = imports(methods, {cls.__name__: f"recollect.store.{name}", "Threads": "recollect.aio.threads"})
    lines = f"""class Async{cls.__name__}:
{docstring(inspect.getdoc(cls) or "", "    ")}

    def __init__(self, {name}: {cls.__name__}, threads: Threads) -> None:
        self._{name} = {name}
        self._threads = threads

{body}"""
    return module(name, about(cls), head, lines, f"Async{cls.__name__}")


def store_module() -> str:
    """The module of the store."""
    methods, body = body_of(store.Store, "_store")
    parts = collections()
    used = {f"Async{cls}": f"recollect.aio.{attribute}" for attribute, cls in parts.items()}
    used |= {"Handle": "recollect.aio.handle", "Threads": "recollect.aio.threads", "Store": "recollect.store.store"}
    made = "\n".join(
        f"        self.{attribute} = Async{cls}(store.{attribute}, threads)" for attribute, cls in parts.items()
    )
    lines = f"""class AsyncStore(Handle):
{docstring(STORE_DOC, "    ")}

    def __init__(self, store: Store, threads: Threads) -> None:
        super().__init__(store, threads)
{made}

{body}"""
    return module("store", "The store itself, for asyncio.", imports(methods, used), lines, "AsyncStore")


def collections() -> dict[str, str]:
    """The collections that a store makes, by their attributes."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(store.Store.__init__)))
    return {
        node.targets[0].attr: node.value.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Attribute)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
    }


def opening_module() -> str:
    """The module of `open`."""
    function: object = store.open
    if not isinstance(function, FunctionType):
        raise TypeError("open is no function")
    method = Method(function)
    doc = re.sub(r"^Examples:\n(?:^ .*\n?|^\n)*", "", method.doc, flags=re.MULTILINE).rstrip()
    doc = doc.replace("Opens a store, and creates it where there is none.", OPEN_SUMMARY)
    doc = doc.replace("\n\nRaises:", f"\n{THREADS_DOC}\n\nRaises:")
    doc = f"{doc}\n\n{OPEN_EXAMPLE}"
    head = imports([method], {"Opening": "recollect.aio.connecting", "connect": "recollect.aio.connecting"})
    head = re.sub(r"^from recollect\.store\.store import Store\n", OPEN_STORE, head, flags=re.MULTILINE)
    lines = f"""def open({method.signature("threads: int | None = None", bound=False)}) -> Opening:
{docstring(doc, "    ")}
    return Opening(
        connect(
            lambda: open_store({method.arguments()}), threads=threads, readers=readers, timeout=timeout
        )
    )
"""
    return module("opening", "Opening a store, for asyncio.", head, lines, "open")


OPEN_SUMMARY: Final = """Opens a store for asyncio, and creates it where there is none.

`await` what it returns, or enter it with `async with`, which closes the store at the end."""

OPEN_STORE: Final = "from recollect.store.opening import open as open_store\n"

MODULES: Final[dict[str, Callable[[], str]]] = {
    "channels.py": lambda: plain_module(store.Channels, "channels"),
    "docs.py": lambda: kind_module(store.Docs),
    "embeddings.py": lambda: plain_module(store.StoreEmbeddings, "embeddings"),
    "items.py": items_module,
    "opening.py": opening_module,
    "projects.py": lambda: plain_module(store.Projects, "projects"),
    "refs.py": lambda: kind_module(store.Refs),
    "rules.py": lambda: kind_module(store.Rules),
    "store.py": store_module,
}


def main() -> None:
    """Writes all modules."""
    paths = [FOLDER / name for name in MODULES]
    for path in paths:
        path.write_text(MODULES[path.name](), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", *paths], check=True)


if __name__ == "__main__":
    main()
