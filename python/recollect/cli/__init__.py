"""The `recollect` command."""

from recollect.cli.main import main

__all__ = ["main"]
