"""`/stream` and `/feed`: the same feed without a WebSocket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import AsyncClient

from predictions.callers import VISITOR_COOKIE, Caller, make_token
from streaming import feed, sse
from tests.making import user, visitor
from tests.streaming.following import answered, listeners, until, visitor_cookie

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
ANN, BOB = visitor("ann"), visitor("bob")


@pytest.fixture(autouse=True)
def only_bells(monkeypatch) -> None:
    monkeypatch.setattr(feed, "REPAIR_SECONDS", 60.0)


def browser_of(caller: Caller) -> AsyncClient:
    client = AsyncClient()
    client.cookies[VISITOR_COOKIE] = visitor_cookie(caller)
    return client


def chunks(response: StreamingHttpResponse) -> AsyncIterator[str]:
    return response.streaming_content


async def next_event(stream: AsyncIterator[bytes]) -> dict:
    """The next event of a stream as id, event, data; comments and the retry line are passed over."""
    async with asyncio.timeout(5):
        while True:
            text = (await anext(stream)).decode()
            lines = dict(line.split(": ", 1) for line in text.strip().splitlines() if not line.startswith(":"))
            if "data" in lines:
                return lines | {"data": json.loads(lines["data"])}


async def test_a_stream_is_one_that_no_proxy_holds_back():
    response = await browser_of(ANN).get("/stream")
    assert response.status_code == 200
    assert response["Content-Type"] == "text/event-stream"
    assert response["Cache-Control"] == "no-cache"
    assert response["X-Accel-Buffering"] == "no"
    assert "Content-Encoding" not in response
    async with aclosing(chunks(response)) as stream:
        assert await anext(stream) == b"retry: 2000\n\n"


async def test_an_answer_is_streamed_with_its_cursor_as_id_and_only_to_its_owner():
    ann, bob = await browser_of(ANN).get("/stream"), await browser_of(BOB).get("/stream")
    async with aclosing(chunks(ann)) as anns, aclosing(chunks(bob)) as bobs:
        assert (await next_event(anns))["event"] == "ready"
        assert (await next_event(bobs))["event"] == "ready"
        of_bob, of_ann = await answered(BOB), await answered(ANN)
        event = await next_event(anns)
        assert event["event"] == "answered"
        assert event["data"]["prediction"]["id"] == str(of_ann.pk)
        assert int(event["id"]) == event["data"]["cursor"]
        assert (await next_event(bobs))["data"]["prediction"]["id"] == str(of_bob.pk)


@pytest.mark.parametrize("how", ["header", "query"])
async def test_a_client_that_comes_back_gets_what_it_missed(how):
    events = [await answered(ANN) for _ in range(3)]
    async with aclosing(chunks(await browser_of(ANN).get("/stream?after=0"))) as stream:
        first = await next_event(stream)
    if how == "header":
        response = await browser_of(ANN).get("/stream?after=0", headers={"Last-Event-ID": first["id"]})
    else:
        response = await browser_of(ANN).get(f"/stream?after={first['id']}")
    async with aclosing(chunks(response)) as stream:
        missed = [await next_event(stream) for _ in range(3)]
    assert [event["event"] for event in missed] == ["answered", "answered", "ready"]
    assert [event["data"]["prediction"]["id"] for event in missed[:2]] == [str(event.pk) for event in events[1:]]


async def test_a_stream_with_a_cursor_of_another_database_gives_one_of_this():
    told = await answered(ANN)
    cursor = (await told.events.aget()).pk
    async with aclosing(chunks(await browser_of(ANN).get("/stream?after=1000000"))) as stream:
        reset = {"event": "reset", "id": str(cursor), "data": {"type": "reset", "cursor": cursor}}
        assert await next_event(stream) == reset
        assert (await next_event(stream))["event"] == "ready"
        after = await answered(ANN)
        assert (await next_event(stream))["data"]["prediction"]["id"] == str(after.pk)


async def test_the_stream_of_one_prediction_begins_with_its_answer_and_tells_of_no_other():
    wanted, _ = await answered(ANN), await answered(ANN)
    response = await browser_of(BOB).get(f"/stream?prediction={wanted.pk}")
    async with aclosing(chunks(response)) as stream:
        assert (await next_event(stream))["data"]["prediction"]["id"] == str(wanted.pk)
        assert (await next_event(stream))["event"] == "ready"


async def test_a_users_prediction_is_not_there_for_anybody_else():
    owner = await sync_to_async(user)()
    prediction = await answered(Caller.of_user(owner))
    for query in (str(prediction.pk), "no-id", "", "00000000-0000-4000-8000-000000000000"):
        response = await browser_of(ANN).get(f"/stream?prediction={query}")
        assert response.status_code == 404
        assert response["Content-Type"] == "application/problem+json"
    _, key = await sync_to_async(make_token)(user=owner, name="script")
    response = await AsyncClient().get(f"/stream?prediction={prediction.pk}", headers={"Authorization": f"Token {key}"})
    async with aclosing(chunks(response)) as stream:
        assert (await next_event(stream))["data"]["prediction"]["id"] == str(prediction.pk)


@pytest.mark.parametrize("path", ["/stream", "/feed"])
async def test_what_is_no_cursor_or_token_is_a_problem(path):
    for query in ("?after=soon", "?after=-1", f"?after={'9' * 30}"):
        response = await AsyncClient().get(path + query)
        assert (response.status_code, response.json()["code"]) == (400, "bad_cursor")
    response = await AsyncClient().get(path, headers={"Authorization": "Token wrong"})
    assert (response.status_code, response.json()["code"]) == (401, "bad_token")


async def test_an_exception_ends_the_stream_and_does_not_leave_it_open(monkeypatch, caplog):
    """daphne would keep the connection for ever."""
    async with aclosing(chunks(await browser_of(ANN).get("/stream"))) as stream:
        await next_event(stream)

        def fail(**wanted) -> list[dict]:
            raise ConnectionError("the database went away")

        monkeypatch.setattr(feed, "read_events", fail)
        await answered(ANN)
        with pytest.raises(StopAsyncIteration):
            await next_event(stream)
    assert "the client comes back" in caplog.text


async def test_a_silent_stream_says_that_it_is_alive(monkeypatch):
    monkeypatch.setattr(feed, "REPAIR_SECONDS", 0.1)
    monkeypatch.setattr(sse, "HEARTBEAT_SECONDS", 0.2)
    async with aclosing(chunks(await browser_of(ANN).get("/stream"))) as stream:
        await next_event(stream)
        async with asyncio.timeout(5):
            assert await anext(stream) == b": alive\n\n"


async def test_a_stream_whose_client_left_is_no_longer_rung():
    stream = chunks(await browser_of(ANN).get("/stream"))
    await next_event(stream)
    assert await listeners("vann") == 1
    waiting = asyncio.create_task(next_event(stream))
    await asyncio.sleep(0)
    waiting.cancel()  # As Django does when the client is gone.

    async def nobody_listens() -> bool:
        return await listeners("vann") == 0

    await until(nobody_listens)


async def test_three_hundred_streams_hold_a_few_database_connections(settings):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no connections to run out of")
    responses = await asyncio.gather(*(browser_of(visitor(f"{number}")).get("/stream") for number in range(300)))
    streams = [chunks(response) for response in responses]
    ready = await asyncio.gather(*map(next_event, streams))
    assert {event["event"] for event in ready} == {"ready"}

    def open_connections() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            return cursor.fetchone()[0]

    assert await sync_to_async(open_connections)() <= settings.DATABASE_THREADS + 4
    prediction = await answered(visitor("299"))
    assert (await next_event(streams[299]))["data"]["prediction"]["id"] == str(prediction.pk)
    await asyncio.gather(*(stream.aclose() for stream in streams))


# -- polling -------------------------------------------------------------------------------------------------------
async def test_a_poll_gives_the_next_page_of_the_same_events():
    predictions = [await answered(ANN) for _ in range(2)]
    await answered(BOB)
    response = await browser_of(ANN).get("/feed")
    assert response["Cache-Control"] == "no-store"
    body = response.json()
    assert [event["prediction"]["id"] for event in body["events"]] == [str(one.pk) for one in predictions]
    assert body["cursor"] == body["events"][-1]["cursor"]
    rest = (await browser_of(ANN).get(f"/feed?after={body['events'][0]['cursor']}")).json()
    assert rest["events"] == body["events"][1:]
    nothing = (await browser_of(ANN).get(f"/feed?after={body['cursor']}")).json()
    assert nothing == {"cursor": body["cursor"], "events": []}


async def test_a_poll_with_a_cursor_of_another_database_gives_one_of_this():
    cursor = (await (await answered(ANN)).events.aget()).pk
    body = (await browser_of(ANN).get("/feed?after=1000000")).json()
    assert body == {"cursor": cursor, "events": [{"type": "reset", "cursor": cursor}]}


async def test_a_stranger_who_polls_becomes_a_visitor():
    response = await AsyncClient().get("/feed")
    assert response.json() == {"cursor": 0, "events": []}
    assert response.cookies[VISITOR_COOKIE].value
