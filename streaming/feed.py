"""Following a feed: the one way by which WebSocket and SSE hear of answers.

A push is a bell, never the message. Join the group, read the feed after the cursor, then wait for a bell or a few
seconds and read again: live delivery, catching up after a reconnect and the repair of a lost bell are one path.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from channels.layers import get_channel_layer
from channels_redis.pubsub import RedisPubSubChannelLayer

from predictions import life_log, services
from predictions.database_threads import in_database_thread
from predictions.representation import represent_event
from streaming.complaints import Complaints
from streaming.metrics import PUSHED

logger = logging.getLogger(__name__)
_complaints = Complaints(logger)

REPAIR_SECONDS = 3.0
PAGE_SIZE = 200
# A connection may stay open for days; a logout, a new password or a revoked token must end it.
WELCOME_SECONDS = 30.0
_REJOIN_SECONDS = 1.0
RESET = "reset"


def group_of(feed_key: str) -> str:
    return f"feed.{feed_key}"


def read_events(*, feed_key: str, cursor: int, prediction: uuid.UUID | None = None) -> list[dict]:
    """The next page of a feed as it is shown, oldest first.

    A cursor that no event of this database has reached comes from another one, wiped or newer than a restored backup.
    Nothing would be heard until the ids have caught up, so the page is then one `{"type": "reset", "cursor"}`: what
    was told is to be read anew, and the feed goes on from that cursor, where it stands now.
    """
    events = services.events_after(feed_key=feed_key, cursor=cursor, limit=PAGE_SIZE, prediction=prediction)
    if not events and cursor > services.newest_cursor():
        return [{"cursor": services.latest_cursor(feed_key), "type": RESET}]
    return [represent_event(event) for event in events]


def note_pushed(transport: str, events: list[dict]) -> None:
    """Count and log a page of `read_events` that was handed to a connection."""
    PUSHED.labels(transport).inc(len(events))
    if life_log.is_told():
        life_log.tell("pushed", [event["prediction"]["id"] for event in events if event["type"] != RESET], by=transport)


async def follow(
    feed_key: str,
    *,
    cursor: int | None,
    may_hear: Callable[[], bool],
    prediction: uuid.UUID | None = None,
) -> AsyncGenerator[tuple[int, list[dict]]]:
    """The feed from `cursor` on (None: from where it stands now), until `may_hear`, asked now and then, says no.

    Yields the cursor reached and the events that led there: first at once, even when there are none, then whenever
    there are some, and at least every REPAIR_SECONDS with none, so that a caller can say "I am alive".
    """
    async with _bell_of(feed_key) as bell:
        asked_at = time.monotonic()
        while True:
            if time.monotonic() - asked_at >= WELCOME_SECONDS:
                if not await in_database_thread(may_hear):
                    return
                asked_at = time.monotonic()
            bell.clear()
            events: list[dict] = []
            if cursor is None:
                cursor = await in_database_thread(services.latest_cursor, feed_key)
            else:
                events = await in_database_thread(read_events, feed_key=feed_key, cursor=cursor, prediction=prediction)
                cursor = events[-1]["cursor"] if events else cursor
            yield cursor, events
            if len(events) < PAGE_SIZE:
                await _wait(bell, REPAIR_SECONDS)


async def _wait(bell: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await bell.wait()
    except TimeoutError:
        pass


@asynccontextmanager
async def _bell_of(feed_key: str) -> AsyncIterator[asyncio.Event]:
    """An event that is set when the feed moves; joined to the feed's group before this yields, if Redis is there."""
    bell, joined = asyncio.Event(), asyncio.Event()
    listening = asyncio.create_task(_listen(feed_key, bell, joined))
    try:
        await _wait(joined, _REJOIN_SECONDS)
        yield bell
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def _listen(feed_key: str, bell: asyncio.Event, joined: asyncio.Event) -> None:
    """Hear bells until cancelled; many bells while nobody reads become one."""
    layer = get_channel_layer()
    while True:
        try:
            await _hear(layer, group_of(feed_key), bell, joined)
        except Exception as error:
            # Every connection meets it once a second.
            _complaints.warn("away", "the channel layer is away, looking at the feed instead: %s", error)
            await asyncio.sleep(_REJOIN_SECONDS)


async def _hear(layer: RedisPubSubChannelLayer, group: str, bell: asyncio.Event, joined: asyncio.Event) -> None:
    # `layer.new_channel()` makes the queue too, and then subscribes in Redis to what is never sent to. Where Redis is
    # away that fails, and the queue stays: under a name that nobody is told, one for each try.
    channel = f"{layer.prefix}.{uuid.uuid4().hex}"
    layer.channels[channel] = asyncio.Queue()
    try:
        await layer.group_add(group, channel)
        joined.set()
        while True:
            await layer.receive(channel)
            bell.set()
    finally:
        layer.channels.pop(channel, None)
        # With Redis away this fails, and must not hide the cancellation that brought us here.
        with suppress(Exception):
            async with asyncio.timeout(1):
                await layer.group_discard(group, channel)
