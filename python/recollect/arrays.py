"""numpy, imported when it is first used: `import recollect` must not cost the import of numpy.

Annotations name it by these two as well, so that `typing.get_type_hints` can evaluate them.
"""

import importlib
from typing import TYPE_CHECKING

__all__ = ["np", "npt"]

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
else:

    class _OnFirstUse:
        """Stands for a module, and imports it for its first attribute."""

        def __init__(self, module: str) -> None:
            self._module = module

        def __getattr__(self, name: str) -> object:
            value = getattr(importlib.import_module(self._module), name)
            # Found in the instance from now on, without coming here.
            setattr(self, name, value)
            return value

    np = _OnFirstUse("numpy")
    npt = _OnFirstUse("numpy.typing")
