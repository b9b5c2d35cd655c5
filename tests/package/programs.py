"""Programs that a fresh interpreter runs, of this environment or of one that holds the wheel alone."""

import subprocess
from pathlib import Path

MOST_SECONDS_ABOVE_NUMPY = 0.040
# What a program pays that has loaded numpy already. A share, because machines change their speed while they work.
MOST_SHARE_OF_NUMPY = 0.75
_RUNS = 9

_TIMED = """
import sys, time
for name in sys.argv[1:]:
    before = time.perf_counter()
    __import__(name)
print(time.perf_counter() - before)
"""

_WATCH = """
import sys

forbidden = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "urllib.", "http.client.")

def refuse(event, arguments):
    if event.startswith(forbidden):
        print("SEEN", event, arguments, flush=True)

sys.addaudithook(refuse)
"""

WORK = """
import recollect
with recollect.open(sys.argv[1]) as store:
    store.rules.add("Run the tests before every commit.", tags=["git"])
    store.docs.add("# Deploying\\n\\nThe site is deployed from the main branch.", path="docs/deploy.md")
    store.refs.add("https://example.org/guide", note="how the site is deployed")
    assert store.search("how do we deploy?").hits
"""


def printed(python: str | Path, program: str, *words: str | Path, cwd: Path | None = None) -> str:
    """What an interpreter, apart from the environment's variables and from the folder it is in, prints."""
    command = [str(python), "-I", "-c", program, *map(str, words)]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=cwd).stdout


def audited(python: str | Path, program: str, path: Path, cwd: Path | None = None) -> str:
    """What the program prints, and every socket it opens and program it starts."""
    return printed(python, _WATCH + program, path, cwd=cwd)


def check_import_time(python: str | Path, cwd: Path | None = None) -> None:
    """Asserts that `import recollect` takes at most as long as `import numpy` and 40 ms, and little after numpy.

    By the wall clock, the least of several runs: a busy machine makes runs longer and none shorter.
    """
    orders = (("numpy",), ("recollect",), ("numpy", "recollect"))
    runs = [[float(printed(python, _TIMED, *order, cwd=cwd)) for order in orders] for _ in range(_RUNS)]
    numpy, alone, after = map(min, zip(*runs, strict=True))
    told = f"numpy {numpy:.3f} s, recollect {alone:.3f} s, after numpy {after:.3f} s"
    assert alone <= numpy + MOST_SECONDS_ABOVE_NUMPY, told
    assert after <= numpy * MOST_SHARE_OF_NUMPY, told
