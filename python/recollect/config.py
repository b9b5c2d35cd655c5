"""What recollect reads from its surroundings: environment variables, each declared once, and its logger."""

import logging
from typing import Final

__all__ = ["PROJECT_VARIABLE", "STORE_VARIABLE", "logger"]

STORE_VARIABLE: Final = "RECOLLECT_STORE"
"""The store that the `recollect` command works on when `--store` is not given. The library itself never reads it."""

PROJECT_VARIABLE: Final = "RECOLLECT_PROJECT"
"""The project that the `recollect` command works in when `--project` is not given. The library never reads it."""

logger: Final = logging.getLogger("recollect")
"""Everything recollect logs goes through here. It is silent until the application configures logging."""

logger.addHandler(logging.NullHandler())
