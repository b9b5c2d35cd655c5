"""The rules and refs of the demo."""

from typing import Final

from recollect.store import NewRef, NewRule

__all__ = ["QUERIES", "REFS", "RULES"]

RULES: Final[tuple[NewRule, ...]] = (
    {
        "key": "secrets",
        "text": "Never commit passwords, tokens or private keys to the repository.",
        "always_on": True,
        "priority": 900,
    },
    {
        "key": "test-before-push",
        "text": "Run the whole test suite before you push to the main branch.",
        "tags": ["git", "tests"],
    },
    {
        "key": "atomic-writes",
        "text": "Write files to a temporary name beside the target, then rename: a crash never leaves half a file.",
    },
    {
        "key": "pathlib",
        "text": "Use pathlib instead of joining paths by hand.",
        "applies_to": ["**/*.py"],
        "tags": ["python"],
    },
    {
        "key": "narrow-except",
        "text": "Catch the narrowest exception you can handle; a bare except is an error.",
        "applies_to": ["**/*.py"],
    },
    {
        "key": "typed-public-functions",
        "text": "Public functions carry type annotations and a docstring.",
        "applies_to": ["src/**/*.py"],
    },
    {
        "key": "no-shell",
        "text": "Pass arguments to other programs as a list; never build a shell command from input.",
        "priority": 800,
    },
    {
        "key": "context-managers",
        "text": "Close files, sockets and database connections with a context manager.",
        "applies_to": ["**/*.py"],
    },
    {"key": "utc", "text": "Store times in UTC and convert to local time only when you show them to a person."},
    {"key": "decimal-money", "text": "Money is a Decimal or a whole number of cents, never a float."},
    {"key": "log-once", "text": "Log what went wrong once, where it is handled; do not log and raise."},
    {
        "key": "bound-parameters",
        "text": "Every SQL value is a bound parameter; no query is put together from strings.",
        "priority": 800,
    },
    {
        "key": "forward-migrations",
        "text": "Migrations go forward only, and each runs in one transaction.",
        "applies_to": ["migrations/**"],
    },
    {"key": "backoff", "text": "A retry waits longer each time, with some randomness, and gives up after a minute."},
    {"key": "comments", "text": "Comments give reasons; what a line does should be plain from the line."},
    {"key": "dependencies", "text": "Ask before you add a dependency, and say what it replaces.", "modes": ["plan"]},
    {
        "key": "regression-tests",
        "text": "When a bug is fixed, a test that fails without the fix comes with it.",
        "tags": ["tests"],
    },
    {"key": "gettext", "text": "User-facing texts go through gettext and are never assembled from fragments."},
    {
        "key": "small-changes",
        "text": "A pull request does one thing and fits on a few screens.",
        "tags": ["git"],
        "modes": ["review"],
    },
    {"key": "dead-code", "text": "Delete code that nothing calls; version control remembers it."},
)
"""Instructions as a small team might have them."""

REFS: Final[tuple[NewRef, ...]] = (
    {"target": "https://peps.python.org/pep-0008/", "note": "Style guide for Python code: naming, layout, imports."},
    {"target": "https://peps.python.org/pep-0257/", "note": "How docstrings are written."},
    {"target": "https://semver.org/", "note": "What the three parts of a version number promise to users."},
    {"target": "https://keepachangelog.com/", "note": "How the changelog is laid out."},
    {
        "target": "https://www.sqlite.org/wal.html",
        "note": "How the write-ahead log works, and when it is checkpointed.",
    },
    {"target": "https://docs.python.org/3/howto/logging.html", "note": "Where to begin with logging in Python."},
    {
        "target": "https://owasp.org/www-project-top-ten/",
        "note": "The ten most common security risks of web applications.",
    },
    {"target": "src/payment/rounding.py:40-72", "note": "The one place where amounts of money are rounded."},
    {"target": "ops/runbook.md:12", "note": "What to do when the disk of the server is full."},
    {"target": "#482", "note": "Why the nightly import was moved from cron to the job queue."},
)
"""Pointers as a small team might have them."""

QUERIES: Final = (
    "parse command line arguments",
    "what must never be committed",
    "turn a Python object into JSON text",
    "where are amounts of money rounded",
    "average and median of numbers",
)
"""What the demo asks."""
