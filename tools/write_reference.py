"""Writes the reference pages that are made from the program: the command line, errors and limits.

`python tools/write_reference.py` writes them anew; a test compares them with what this module makes.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from recollect import store
from recollect.cli.main import _parser as command_parser
from recollect.config import PROJECT_VARIABLE, STORE_VARIABLE

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"


def errors_page() -> str:
    """The page of the error codes."""
    rows = [f"| `{code}` | {'yes' if retry else 'no'} | {status} | {hint} |" for code, retry, status, hint in table()]
    return f"""# Errors

Every exception derives from `recollect.RecollectError` and carries `code`, `retryable` and `hint`. The command line
prints the hint on stderr and ends with the exit status. Both come from this one table.

| code | worth a retry | exit status | hint, where the message has no better one |
| --- | --- | --- | --- |
{chr(10).join(rows)}

A write that ends in an error was undone as a whole.
"""


def table() -> tuple[tuple[str, bool, int, str], ...]:
    """The errors of the core."""
    return store.error_table()


def limits_page() -> str:
    """The page of the limits."""
    rows = [f"| `{name}` | {value:,} | {unit} | {about} |" for name, value, unit, about in store.limits()]
    return f"""# Limits

What is larger is refused with `invalid_input`, and nothing is written. Bytes are those of UTF-8.

| limit | at most | of | bounds |
| --- | --- | --- | --- |
{chr(10).join(rows)}
"""


def command_line_page() -> str:
    """The page of the `recollect` command."""
    parsers = list(commands(command_parser()))
    common = [row(action) for action in common_options(parsers[0][1])]
    sections = "\n".join(section for name, parser in parsers for section in command(name, parser, common))
    return f"""# Command line

Data goes to stdout, talk to stderr. `--json` makes the data of every command one JSON value. The exit status is 0, or
1 if `check` found problems, or that of the [error](errors.md).

| variable | stands in for |
| --- | --- |
| `{STORE_VARIABLE}` | `--store` |
| `{PROJECT_VARIABLE}` | `--project` |

Every command takes these:

| option | meaning |
| --- | --- |
{chr(10).join(common)}

{sections}"""


def commands(parser: argparse.ArgumentParser, prefix: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The commands of the parser that take options themselves, with their full names."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no public way to read a parser
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for name, below in action.choices.items():
                nested = list(commands(below, f"{prefix}{name} "))
                yield from nested or [(f"{prefix}{name}", below)]


def command(name: str, parser: argparse.ArgumentParser, common: list[str]) -> Iterator[str]:
    """The section of one command, line by line, without the rows that all commands have in common."""
    yield f"## recollect {name}\n"
    yield f"{parser.description}\n"
    own = [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]  # noqa: SLF001
    rows = [row(action) for action in own if row(action) not in common]
    if rows:
        yield "\n".join(["| argument | meaning |", "| --- | --- |", *rows, ""])


def common_options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """The options that every command has."""
    groups = [group for group in parser._action_groups if group.title == "common options"]  # noqa: SLF001
    return [action for group in groups for action in group._group_actions]  # noqa: SLF001


def row(action: argparse.Action) -> str:
    """The row of a table that says what the argument does."""
    return f"| `{spelling(action)}` | {meaning(action)} |"


def spelling(action: argparse.Action) -> str:
    """How the argument is written on the command line."""
    takes_value = action.nargs != 0
    words = "\\|".join(str(choice) for choice in action.choices) if action.choices else ""
    value = str(action.metavar or words or action.dest.upper())
    if not action.option_strings:
        return str(action.metavar or words or action.dest)
    options = ", ".join(action.option_strings)
    return f"{options} {value}" if takes_value else options


def meaning(action: argparse.Action) -> str:
    """What the argument does, as its help says."""
    return (action.help or f"one of them; default: {action.default}").replace("|", "\\|")


PAGES = {"errors.md": errors_page, "limits.md": limits_page, "command-line.md": command_line_page}


def main() -> None:
    """Writes all pages."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
