"""How a program of the kit hears its crew and answers: lines on standard input, JSON lines on standard output."""

from __future__ import annotations

import json
import os
import select
import sys


def say(what: dict[str, object]) -> None:
    """Prints one line, in one write."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Instructions:
    """What the crew writes to this program's standard input.

    The descriptor is read directly: a buffer would hide from `select` what it has already taken in.
    """

    def __init__(self) -> None:
        self._heard = b""

    def wait(self) -> str | None:
        """The next line, waited for; None when the crew has gone or wants this program to end."""
        while b"\n" not in self._heard:
            piece = os.read(sys.stdin.fileno(), 65_536)
            if not piece:
                return None
            self._heard += piece
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode()

    def allow(self, count: int) -> bool:
        """Whether to go on. `pause` is answered with `{"paused": COUNT}`, and whatever comes then lets go on."""
        if b"\n" not in self._heard and not select.select([sys.stdin], [], [], 0)[0]:
            return True
        line = self.wait()
        if line == "pause":
            say({"paused": count})
            line = self.wait()
        return line is not None
