"""The channels of a store, for asyncio.

Written by `tools/write_aio.py` from `recollect.store.channels`.
"""

from recollect.aio.threads import Threads
from recollect.store.channels import Channels
from recollect.store.values import Timeout

__all__ = ["AsyncChannels"]


class AsyncChannels:
    """The channels of a store: named rooms whose items only those see who were granted them."""

    def __init__(self, channels: Channels, threads: Threads) -> None:
        self._channels = channels
        self._threads = threads

    async def create(self, name: str, *, timeout: Timeout = None) -> bool:
        """Creates a channel.

        Returns:
            False if it was there already.

        Raises:
            InvalidInputError: The name is malformed.
        """
        return await self._threads.write(
            lambda timeout, cancel: self._channels.create(name, timeout=timeout, cancel=cancel), timeout
        )

    async def list(self, *, timeout: Timeout = None) -> tuple[str, ...]:
        """Returns the names of all channels."""
        return await self._threads.read(
            lambda timeout, cancel: self._channels.list(timeout=timeout, cancel=cancel), timeout
        )
