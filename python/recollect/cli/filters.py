"""The options that choose items, of the commands that take many at once."""

import argparse
from typing import Final

from recollect.cli.arguments import add_project, project
from recollect.exceptions import InvalidInputError
from recollect.store import Filters

__all__ = ["add_filters", "filters", "names_a_filter"]

_OPTIONS: Final = ("project", "tags", "channel", "tier", "key_prefix", "source", "trust")


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Gives a command the options."""
    add_project(parser, "only of this project; `acme/*` is it and all below; default: every project")
    parser.add_argument("--tag", action="append", default=[], dest="tags", help="only items with this tag")
    parser.add_argument("--channel", help="only items of this channel")
    parser.add_argument("--tier", help="only items of this tier")
    parser.add_argument("--key-prefix", help="only items whose key begins so")
    parser.add_argument("--source", help="only items of this source")
    parser.add_argument("--trust", choices=("trusted", "unverified", "untrusted"), help="only items so trusted")


def filters(arguments: argparse.Namespace) -> Filters:
    """What the options and the environment choose."""
    return {
        "project": project(arguments),
        "tags": arguments.tags,
        "channel": arguments.channel,
        "tier": arguments.tier,
        "key_prefix": arguments.key_prefix,
        "source": arguments.source,
        "trust": arguments.trust,
    }


def names_a_filter(arguments: argparse.Namespace) -> bool:
    """Whether at least one of the options was given; the environment does not count.

    Raises:
        InvalidInputError: One of them is empty, as it is where a variable of the shell is not set.
    """
    given = {name: value for name in _OPTIONS if (value := getattr(arguments, name)) not in (None, [])}
    for name, value in given.items():
        if value == "" or (isinstance(value, list) and "" in value):
            raise InvalidInputError(
                f"--{name.removesuffix('s').replace('_', '-')} is empty",
                "leave the option out, or say what it is to be; --project '*' is every project",
            )
    return bool(given)
