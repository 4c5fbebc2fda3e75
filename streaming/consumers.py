"""WebSocket: `ws/predictions/?after=<cursor>`, the caller's own feed."""

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer
from django.http import parse_cookie

from predictions.callers import BadToken, identify, is_still
from predictions.database_threads import in_database_thread
from streaming.feed import follow, note_pushed
from streaming.metrics import following

logger = logging.getLogger(__name__)

TRANSPORT = "websocket"
# From 4000 on: of the codes below 3000 daphne lets an application send 1000 only, and fails for any other.
BAD_REQUEST, UNAUTHORIZED, TRY_AGAIN = 4400, 4401, 4503


class FeedConsumer(AsyncWebsocketConsumer):
    """Sends `{"type": "ready", "cursor"}`, then a message per feed event. Answers only pings."""

    _following: asyncio.Task | None = None

    async def connect(self) -> None:
        await self.accept()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self.scope["headers"]}
        try:
            cursor = _cursor(self.scope["query_string"])
            cookies = parse_cookie(headers.get("cookie", ""))
            caller = await in_database_thread(identify, cookies, headers.get("authorization", ""))
        except ValueError as error:
            await self.close(BAD_REQUEST, str(error))
            return
        except BadToken as error:
            await self.close(UNAUTHORIZED, str(error))
            return
        may_hear = partial(is_still, caller, cookies, headers.get("authorization", ""))
        self._following = asyncio.create_task(self._follow(caller.feed_key, cursor, may_hear))

    async def disconnect(self, code: int) -> None:
        if self._following is not None:
            self._following.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if text_data == "ping":
            await self.send("pong")

    async def _follow(self, feed_key: str, cursor: int | None, may_hear: Callable[[], bool]) -> None:
        is_ready = False
        try:
            with following(TRANSPORT, cursor=cursor):
                async with aclosing(follow(feed_key, cursor=cursor, may_hear=may_hear)) as pages:
                    async for reached, events in pages:
                        for event in events:
                            await self.send(json.dumps(event, separators=(",", ":")))
                        note_pushed(TRANSPORT, events)
                        if not is_ready:
                            await self.send(json.dumps({"type": "ready", "cursor": reached}))
                            is_ready = True
            await self.close(UNAUTHORIZED, "signed out")
        except Exception:
            logger.exception("a feed can't be followed; the client is told to come back")
            await self.close(TRY_AGAIN)


def _cursor(query: bytes) -> int | None:
    text = parse_qs(query.decode("latin-1")).get("after", [""])[-1]
    return read_cursor(text)


def read_cursor(text: str) -> int | None:
    """A cursor as it stands in an address or header; None where there is none.

    Raises:
        ValueError: not a cursor.
    """
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise ValueError("a cursor is a whole number")
    return int(text)
