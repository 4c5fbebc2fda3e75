"""What tests of the feed, WebSocket and SSE do around it."""

import asyncio
from collections.abc import Callable

import redis.asyncio
from channels.layers import get_channel_layer
from django.conf import settings
from django.http import HttpResponse

from predictions.callers import VISITOR_COOKIE, Caller, remember_visitor
from predictions.database_threads import in_database_thread
from predictions.models import Prediction
from streaming.feed import group_of
from tests import making


async def answered(caller: Caller, *, ring: bool = True) -> Prediction:
    """A prediction of `caller`, just answered; its owner's bell rung."""
    prediction = await in_database_thread(making.answered, caller)
    if ring:
        await ring_bell(caller.feed_key)
    return prediction


async def ring_bell(feed_key: str) -> None:
    await get_channel_layer().group_send(group_of(feed_key), {"type": "feed.moved"})


async def listeners(feed_key: str) -> int:
    """How many event loops hear this feed's bell, as Redis sees it."""
    async with redis.asyncio.Redis.from_url(settings.REDIS_URL) as client:
        ((_, count),) = await client.pubsub_numsub(f"housevalue__group__{group_of(feed_key)}")
    return count


async def until(condition: Callable, seconds: float = 10) -> None:
    """Wait until the coroutine function `condition` gives something true."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)


def visitor_cookie(caller: Caller) -> str:
    """The value of the cookie by which this visitor is known."""
    response = HttpResponse()
    remember_visitor(response, caller)
    return response.cookies[VISITOR_COOKIE].value
