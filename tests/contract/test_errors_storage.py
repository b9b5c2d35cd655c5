"""What a full disk looks like to the caller, and that the store goes on."""

import subprocess
import sys
from pathlib import Path

import recollect

# A limit on the length of files stands in for a full disk: it needs no disk of its own to be full.
PROGRAM = """
import os, resource, sys, recollect
store = recollect.open(sys.argv[1], embedder=None)
store.rules.add("before")
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (os.stat(sys.argv[1] + "-wal").st_size + 5000, hard))
for text in ("large " * 5000, "small"):
    try:
        store.rules.add(text)
    except recollect.StorageIOError as error:
        print(error.code, "full" in error.message, "room" in error.hint, store.rules.count())
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
print(store.rules.add("after").created, store.check().ok)
store.close()
"""


def test_full_disk_is_told_and_the_store_goes_on_when_there_is_room(store_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(store_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert ended.stderr == ""
    assert ended.stdout == "io True True 1\nio True True 1\nTrue True\n"
    with recollect.open(store_path, embedder=None) as store:
        assert [rule.text for rule in store.rules.list()] == ["before", "after"]
