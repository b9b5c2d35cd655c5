"""From the words of the command line to the command, and from its errors to exit statuses."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from recollect.cli import add, check, delete, demo, get, init, list, restore, search, stats
from recollect.cli.output import Output
from recollect.exceptions import RecollectError
from recollect.store import __version__, error_table

__all__ = ["main"]

# What shells report for a process that ended by these signals.
_INTERRUPTED = 130
_BROKEN_PIPE = 141


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="recollect",
        description="Keep rules, project docs and refs in one file, and find them by meaning.",
        epilog="Exit status 0 is success, 1 a check that found problems; every kind of error has its own.",
    )
    parser.add_argument("--version", action="version", version=f"recollect {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (init, add, search, get, list, delete, restore, stats, check, demo):
        command.register(commands)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Runs the `recollect` command.

    Args:
        words: The words after the command's name; None takes those of the process.

    Returns:
        The exit status. It is 2 for a wrong command line, as for every invalid input.
    """
    arguments = _parser().parse_args(words)
    level = logging.DEBUG if arguments.verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(levelname)s: %(message)s", stream=sys.stderr)
    output = Output(as_json=arguments.json)
    try:
        status: int = arguments.run(arguments, output)
        sys.stdout.flush()
    except RecollectError as error:
        output.fail(error)
        return {code: status for code, _, status, _ in error_table()}[error.code]
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader, `head` for one, has seen enough. Python would complain when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    return status
