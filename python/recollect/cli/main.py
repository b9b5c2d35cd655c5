"""From the words of the command line to the command, and from its errors to exit statuses."""

import logging
import os
import sys
from collections.abc import Sequence

from recollect.cli import add, check, delete, demo, get, init, list, purge, restore, search, stats, sweep
from recollect.cli.arguments import Parser
from recollect.cli.output import Output, check_stdout
from recollect.exceptions import RecollectError
from recollect.store import __version__, error_table

__all__ = ["main"]

# What shells report for a process that ended by these signals.
_INTERRUPTED = 130
_BROKEN_PIPE = 141


def _parser() -> Parser:
    parser = Parser(
        prog="recollect",
        description="Keep rules, project docs and refs in one file, and find them by meaning.",
        epilog="Exit status 0 is success, 1 a check that found problems; every kind of error has its own.",
    )
    parser.add_argument("--version", action="version", version=f"recollect {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (init, add, search, get, list, delete, restore, purge, sweep, stats, check, demo):
        command.register(commands)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Runs the `recollect` command.

    Args:
        words: The words after the command's name; None takes those of the process.

    Returns:
        The exit status. It is 2 for a wrong command line, as for every invalid input.
    """
    given = _words_of_the_process() if words is None else [*words]
    # A wrong command line is told as JSON too, and then there are no parsed arguments yet.
    output = Output(as_json="--json" in given)
    try:
        check_stdout()
        status = _run(given, output)
        sys.stdout.flush()
    except RecollectError as error:
        output.fail(error)
        status = {code: status for code, _, status, _ in error_table()}[error.code]
    except KeyboardInterrupt:
        status = _INTERRUPTED
    except BrokenPipeError:
        # The reader, `head` for one, has seen enough.
        status = _BROKEN_PIPE
    if status:
        _discard_unwritten()
    return status


def _run(words: Sequence[str], output: Output) -> int:
    arguments = _parser().parse_args(words)
    output.as_json = arguments.json
    level = logging.DEBUG if arguments.verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(levelname)s: %(message)s", stream=sys.stderr)
    status: int = arguments.run(arguments, output)
    return status


def _words_of_the_process() -> Sequence[str]:
    """The words of the command line as UTF-8, whatever the locale took them for."""
    return [os.fsencode(word).decode("utf-8", "surrogateescape") for word in sys.argv[1:]]


def _discard_unwritten() -> None:
    """Turns stdout to the null device, so that Python does not complain about the rest when it flushes at exit."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)
