"""Hints in the words of the command line: those of the core speak to callers from Python."""

from typing import Final

from recollect.exceptions import RecollectError

__all__ = ["hint_of"]

# What a hint contains, and what it means on the command line.
_HINTS: Final = (
    ("pass key=", "an id is a UUID as `recollect add` prints it; a key is looked up with --kind and --key"),
    ("datetime.now", "say how far from UTC: 2026-01-31T12:00:00+00:00"),
    ("dict with str keys", 'pass a JSON object: \'{"owner": "web"}\''),
    ("version=", "`recollect get ID` shows the version that there is"),
    ("channels.create", "a channel is created from Python, with `channels.create` of the store"),
    ("next_cursor", "pass the cursor of a page of the same store, kind, order and filters"),
    ("use update", "use another key, or delete the item first"),
    (
        "embedder it was filled with",
        "its vectors are of another model than the built-in one: search it from Python with that model",
    ),
    ("ExternalVectors", "add items with the built-in model installed (pip install wordllama), then search"),
    ('project="*"', "--project '*' chooses every item of the kind"),
    ("with dry_run", "--dry-run shows which they are; then expect that number"),
    ("close the store and open it again", "run the command again; if it fails again, the disk may be failing"),
    ("longer timeout", "give a longer --timeout, or try again when others are done"),
)


def hint_of(error: RecollectError) -> str:
    """What to do about the error, for someone at a shell."""
    for words, hint in _HINTS:
        if words in error.hint:
            return hint
    return error.hint
