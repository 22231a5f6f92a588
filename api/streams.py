"""Lets every open stream of a server know that it stops."""

from __future__ import annotations

import asyncio


class Streams:
    """One flag that all streams of a server look at; `close` ends them."""

    def __init__(self) -> None:
        self._closed = asyncio.Event()

    @property
    def closing(self) -> bool:
        return self._closed.is_set()

    def close(self) -> None:
        """End every live tail, break off every export. Call it from the event loop; it returns at once."""
        self._closed.set()

    async def closed(self) -> None:
        """Wait until `close`."""
        await self._closed.wait()
