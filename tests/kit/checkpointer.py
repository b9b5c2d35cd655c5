"""A program that checkpoints a store, and reads all of it that can be read, without end.

    python -m tests.kit.checkpointer STORE [--durability normal] [--timeout S]

It opens the store, prints `{"opened": AT}`, and then a line `{"checkpointing": N}` before each checkpoint and a line
`{"checkpoint": N, ...}` after it. What it
reads may not go back in time: a smaller change number than before is an error. `pause` and the end of its standard
input mean what they mean to `tests.kit.writer`.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time

from tests.kit.instructions import Instructions, say
from tests.kit.items import Label, open_store, vector_of

import recollect


def main() -> int:
    """Obeys the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store")
    parser.add_argument("--durability", choices=("full", "normal"), default="full")
    parser.add_argument("--timeout", type=float, default=10.0)
    options = parser.parse_args()
    with open_store(options.store, durability=options.durability, timeout=options.timeout) as store:
        say({"opened": time.monotonic()})
        instructions, count, seq = Instructions(), 0, 0
        try:
            while instructions.allow(count):
                count += 1
                say({"checkpointing": count})
                done = store.checkpoint()
                say({"checkpoint": count, "busy": done.busy, "frames": done.checkpointed_frames})
                if count % 5 == 0:
                    newest = read(store, count)
                    if newest < seq:
                        say({"error": f"commit {newest} was the last, after commit {seq} had been seen"})
                    seq = newest
        except recollect.RecollectError as error:
            say({"error": f"{type(error).__name__}: {error}"})
            return 1
    return 0


def read(store: recollect.Store, count: int) -> int:
    """Reads in every way there is; returns the number of the last commit."""
    for hit in store.search(vector=vector_of(Label("wanted", count)), k=5):
        with contextlib.suppress(recollect.NotFoundError):  # deleted since
            store.get(hit.id)
    store.embeddings.missing(1)
    store.rules.list(limit=20, order="updated", descending=True)
    return store.stats().seq


if __name__ == "__main__":
    sys.exit(main())
