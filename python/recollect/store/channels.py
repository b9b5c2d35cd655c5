"""The channels of a store."""

from recollect._core import CancelToken
from recollect._core import Store as CoreStore
from recollect.store.values import Timeout, seconds

__all__ = ["Channels"]


class Channels:
    """The channels of a store: named rooms whose items only those see who were granted them."""

    def __init__(self, core: CoreStore) -> None:
        self._core = core

    def create(self, name: str, *, timeout: Timeout = None, cancel: CancelToken | None = None) -> bool:
        """Creates a channel.

        Returns:
            False if it was there already.

        Raises:
            InvalidInputError: The name is malformed.
        """
        return self._core.create_channel(name, seconds(timeout), cancel)

    def list(self, *, timeout: Timeout = None, cancel: CancelToken | None = None) -> tuple[str, ...]:
        """Returns the names of all channels."""
        return self._core.channels(seconds(timeout), cancel)
