"""The owners' bells, rung from a synchronous process."""

import asyncio
import logging
from collections.abc import Iterable

from channels.layers import get_channel_layer

from streaming.feed import group_of

logger = logging.getLogger(__name__)


class Bells:
    """Rings owners' bells from a synchronous process, on one kept event loop (one connection to Redis)."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._layer = get_channel_layer()

    def ring(self, feeds: Iterable[str]) -> None:
        """Tell these feeds that they moved. A bell may be lost: every connection looks at its feed now and then."""
        try:
            self._loop.run_until_complete(self._ring(list(feeds)))
        except Exception as error:
            # Whatever the layer raises: the rows are stored, and a bell must not stop who rings it.
            logger.warning("bells not rung: %s", error)

    async def _ring(self, feeds: list[str]) -> None:
        async with asyncio.timeout(2):
            for feed_key in feeds:
                await self._layer.group_send(group_of(feed_key), {"type": "feed.moved"})
