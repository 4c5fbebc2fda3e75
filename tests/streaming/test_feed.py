"""Following a feed: no event is missed, doubled, or told to somebody else."""

import asyncio
import time
from contextlib import AsyncExitStack, aclosing

import pytest
from channels.layers import get_channel_layer
from channels_redis.pubsub import RedisPubSubLoopLayer

from predictions.database_threads import in_database_thread
from predictions.models import FeedEvent
from streaming import feed
from streaming.bells import Bells
from streaming.complaints import Complaints
from streaming.feed import follow
from tests import making
from tests.making import visitor
from tests.streaming.following import answered, listeners, ring_bell, until

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
ANN, BOB = visitor("ann"), visitor("bob")


def anybody() -> bool:
    return True


@pytest.fixture
def no_repair(monkeypatch) -> None:
    """Only a bell, never a look now and then."""
    monkeypatch.setattr(feed, "REPAIR_SECONDS", 60.0)


async def next_events(pages) -> list[dict]:
    """The next page that has events."""
    async with asyncio.timeout(10):
        async for _, events in pages:
            if events:
                return events
    raise AssertionError("the feed ended")


def ids(events: list[dict]) -> list[str]:
    return [event["prediction"]["id"] for event in events]


async def test_the_first_page_comes_at_once_even_when_it_is_empty(no_repair):
    async with aclosing(follow("vann", cursor=0, may_hear=anybody)) as pages:
        async with asyncio.timeout(2):
            assert await anext(pages) == (0, [])


async def test_an_event_reaches_a_follower_by_its_bell(no_repair):
    async with aclosing(follow("vann", cursor=0, may_hear=anybody)) as pages:
        await anext(pages)
        prediction = await answered(ANN)
        started = time.monotonic()
        (event,) = await next_events(pages)
        assert time.monotonic() - started < 1
    assert (event["type"], event["prediction"]["id"]) == ("answered", str(prediction.pk))
    assert event["prediction"]["price"] == 452_600


async def test_an_event_while_the_feed_is_first_read_is_not_missed(no_repair, monkeypatch):
    """Joined before the read, however long that takes, and the bell cleared before it: a ring in between is heard."""
    read_events, group_add, happened = feed.read_events, RedisPubSubLoopLayer.group_add, []

    async def join_slowly(layer: RedisPubSubLoopLayer, group: str, channel: str) -> None:
        await asyncio.sleep(0.3)
        await group_add(layer, group, channel)

    def read_and_then_it_happens(**wanted) -> list[dict]:
        events = read_events(**wanted)
        if not happened:
            happened.append(making.answered(ANN))
            Bells().ring(["vann"])
            time.sleep(0.2)  # The ring arrives before the read is over.
        return events

    monkeypatch.setattr(RedisPubSubLoopLayer, "group_add", join_slowly)
    monkeypatch.setattr(feed, "read_events", read_and_then_it_happens)
    async with aclosing(follow("vann", cursor=0, may_hear=anybody)) as pages:
        assert await anext(pages) == (0, [])
        assert ids(await next_events(pages)) == [str(happened[0].pk)]


async def test_a_lost_bell_is_repaired_by_a_look_after_a_while(monkeypatch):
    monkeypatch.setattr(feed, "REPAIR_SECONDS", 0.3)
    async with aclosing(follow("vann", cursor=0, may_hear=anybody)) as pages:
        await anext(pages)
        await answered(ANN, ring=False)
        started = time.monotonic()
        assert await next_events(pages)
        assert time.monotonic() - started < 2


async def test_many_bells_are_one_read(no_repair, monkeypatch):
    read_events, reads = feed.read_events, []

    def counted(**wanted) -> list[dict]:
        reads.append(wanted)
        return read_events(**wanted)

    monkeypatch.setattr(feed, "read_events", counted)
    async with aclosing(follow("vann", cursor=0, may_hear=anybody)) as pages:
        await anext(pages)
        for _ in range(5):
            await in_database_thread(making.answered, ANN)
        for _ in range(100):
            await ring_bell("vann")
        assert len(await next_events(pages)) == 5
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(next_events(pages), 0.5)
    assert len(reads) <= 6


async def test_a_long_feed_is_read_page_by_page_without_a_wait(no_repair, monkeypatch):
    monkeypatch.setattr(feed, "PAGE_SIZE", 2)
    predictions = [await answered(ANN) for _ in range(5)]
    seen: list[str] = []
    async with aclosing(follow("vann", cursor=0, may_hear=anybody)) as pages, asyncio.timeout(5):
        while len(seen) < 5:
            seen += ids((await anext(pages))[1])
    assert seen == [str(prediction.pk) for prediction in predictions]


async def test_a_follower_comes_back_with_its_cursor_and_misses_and_doubles_nothing(no_repair):
    first = await answered(ANN)
    async with aclosing(follow("vann", cursor=0, may_hear=anybody)) as pages:
        (event,) = await next_events(pages)
        assert ids([event]) == [str(first.pk)]
    while_away = await answered(ANN)
    async with aclosing(follow("vann", cursor=event["cursor"], may_hear=anybody)) as pages:
        assert ids(await next_events(pages)) == [str(while_away.pk)]


async def test_without_a_cursor_a_feed_is_followed_from_now_on(no_repair):
    before = await answered(ANN)
    async with aclosing(follow("vann", cursor=None, may_hear=anybody)) as pages:
        cursor, events = await anext(pages)
        assert cursor > 0
        assert events == []
        after = await answered(ANN)
        assert ids(await next_events(pages)) == [str(after.pk)] != [str(before.pk)]


async def test_a_cursor_of_another_database_is_set_to_where_the_feed_stands(no_repair):
    told = await answered(ANN)
    await answered(BOB)
    async with aclosing(follow("vann", cursor=1_000_000, may_hear=anybody)) as pages:
        cursor, events = await anext(pages)
        assert events == [{"type": "reset", "cursor": cursor}]
        assert cursor == (await told.events.aget()).pk
        after = await answered(ANN)
        assert ids(await next_events(pages)) == [str(after.pk)]


async def test_a_database_wiped_under_an_open_connection_leaves_nobody_deaf(monkeypatch):
    monkeypatch.setattr(feed, "REPAIR_SECONDS", 0.3)
    await answered(ANN)
    async with aclosing(follow("vann", cursor=0, may_hear=anybody)) as pages:
        assert await next_events(pages)
        await FeedEvent.objects.all().adelete()
        assert await next_events(pages) == [{"type": "reset", "cursor": 0}]
        after = await answered(ANN)
        assert ids(await next_events(pages)) == [str(after.pk)]


async def test_a_cursor_that_only_other_feeds_have_reached_is_no_reason_to_reset(no_repair):
    """A visitor's page that is signed out again follows a feed that stands lower than its cursor."""
    await answered(ANN)
    cursor = (await (await answered(BOB)).events.aget()).pk
    async with aclosing(follow("vann", cursor=cursor, may_hear=anybody)) as pages:
        assert await anext(pages) == (cursor, [])


async def test_two_owners_never_see_each_others_events(no_repair):
    async with (
        aclosing(follow("vann", cursor=0, may_hear=anybody)) as anns,
        aclosing(follow("vbob", cursor=0, may_hear=anybody)) as bobs,
    ):
        await anext(anns)
        await anext(bobs)
        of_bob = await answered(BOB)
        of_ann = await answered(ANN)
        assert ids(await next_events(anns)) == [str(of_ann.pk)]
        assert ids(await next_events(bobs)) == [str(of_bob.pk)]


async def test_another_owners_bell_wakes_nobody(no_repair):
    async with aclosing(follow("vann", cursor=0, may_hear=anybody)) as pages:
        await anext(pages)
        await answered(BOB)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(pages), 0.3)


async def test_two_connections_of_one_owner_both_hear(no_repair):
    async with (
        aclosing(follow("vann", cursor=0, may_hear=anybody)) as one,
        aclosing(follow("vann", cursor=0, may_hear=anybody)) as other,
    ):
        await anext(one)
        await anext(other)
        prediction = await answered(ANN)
        assert ids(await next_events(one)) == ids(await next_events(other)) == [str(prediction.pk)]


async def test_a_follower_that_leaves_is_no_longer_rung(no_repair):
    async with aclosing(follow("vann", cursor=0, may_hear=anybody)) as pages:
        await anext(pages)
        assert await listeners("vann") == 1
    assert await listeners("vann") == 0


async def test_without_redis_a_feed_is_read_all_the_same_and_bells_are_heard_when_it_is_back(redis_away, monkeypatch):
    monkeypatch.setattr(feed, "REPAIR_SECONDS", 0.3)
    before = await in_database_thread(making.answered, ANN)
    async with aclosing(follow("vann", cursor=0, may_hear=anybody)) as pages:
        assert ids(await next_events(pages)) == [str(before.pk)]
        while_away = await in_database_thread(making.answered, ANN)
        assert ids(await next_events(pages)) == [str(while_away.pk)]
        redis_away.start()
        await asyncio.to_thread(redis_away.wait_ready, 20)
        await until(lambda: listeners("vann"))
        monkeypatch.setattr(feed, "REPAIR_SECONDS", 60.0)
        rung = await answered(ANN)
        assert ids(await next_events(pages)) == [str(rung.pk)]


async def test_tries_to_hear_bells_while_redis_is_away_leave_nothing_behind(redis_away, no_repair, monkeypatch):
    hear, tries = feed._hear, []
    layer = get_channel_layer()

    async def counted(*of) -> None:
        tries.append(of)
        await hear(*of)

    async def has_failed_again_and_again() -> bool:
        return len(tries) >= 20

    monkeypatch.setattr(feed, "_REJOIN_SECONDS", 0.02)
    monkeypatch.setattr(feed, "_hear", counted)
    async with aclosing(follow("vann", cursor=0, may_hear=anybody)) as pages:
        await anext(pages)
        await until(has_failed_again_and_again)
        assert len(layer.channels) <= 1, "that of the try that is going on"
        redis_away.start()
        await asyncio.to_thread(redis_away.wait_ready, 20)
        await until(lambda: listeners("vann"))
        rung = await answered(ANN)
        assert ids(await next_events(pages)) == [str(rung.pk)]
    assert not layer.channels
    assert not layer.groups


async def test_many_connections_complain_once_that_redis_is_away(redis_away, monkeypatch, caplog):
    hear, heard = feed._hear, []

    async def counted(*of) -> None:
        heard.append(of)
        await hear(*of)

    async def all_have_failed_again_and_again() -> bool:
        return len(heard) >= 20

    monkeypatch.setattr(feed, "_REJOIN_SECONDS", 0.02)
    monkeypatch.setattr(feed, "_complaints", Complaints(feed.logger))
    monkeypatch.setattr(feed, "_hear", counted)
    async with AsyncExitStack() as connections:
        for _ in range(5):
            pages = await connections.enter_async_context(aclosing(follow("vann", cursor=0, may_hear=anybody)))
            await anext(pages)
        await until(all_have_failed_again_and_again)
    assert len([said for said in caplog.messages if "channel layer is away" in said]) == 1


async def test_leaving_while_redis_is_away_ends(valkey, no_repair):
    pages = follow("vann", cursor=0, may_hear=anybody)
    await anext(pages)
    valkey.kill()
    try:
        async with asyncio.timeout(5):
            await pages.aclose()
    finally:
        valkey.start()
        valkey.wait_ready(20)


async def test_bells_are_heard_after_redis_restarted_under_a_follower(valkey, no_repair):
    async with aclosing(follow("vann", cursor=0, may_hear=anybody)) as pages:
        await anext(pages)
        valkey.kill()
        valkey.start()
        await asyncio.to_thread(valkey.wait_ready, 20)
        await until(lambda: listeners("vann"))
        prediction = await answered(ANN)
        assert ids(await next_events(pages)) == [str(prediction.pk)]


async def test_a_follower_that_heard_nothing_for_six_seconds_still_hears(no_repair):
    """redis-py 8 lets idle sockets die after five."""
    async with aclosing(follow("vann", cursor=0, may_hear=anybody)) as pages:
        await anext(pages)
        await asyncio.sleep(6)
        prediction = await answered(ANN)
        async with asyncio.timeout(2):
            assert ids(await next_events(pages)) == [str(prediction.pk)]


async def test_who_is_no_longer_welcome_hears_nothing_more(monkeypatch):
    monkeypatch.setattr(feed, "REPAIR_SECONDS", 0.05)
    monkeypatch.setattr(feed, "WELCOME_SECONDS", 0.1)
    welcome = [True]
    async with asyncio.timeout(10), aclosing(follow("vann", cursor=0, may_hear=lambda: welcome[0])) as pages:
        await anext(pages)
        await asyncio.sleep(0.3)
        await anext(pages)
        welcome[0] = False
        assert len([page async for page in pages]) < 20
