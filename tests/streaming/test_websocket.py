"""`/ws/predictions/`: who may listen, and what is heard."""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import AsyncClient

from housevalue.asgi import application
from predictions.callers import VISITOR_COOKIE, Caller, make_token
from streaming import feed
from tests.making import user, visitor
from tests.streaming.following import answered, listeners, until, visitor_cookie

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
ANN, BOB = visitor("ann"), visitor("bob")
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def only_bells(monkeypatch) -> None:
    monkeypatch.setattr(feed, "REPAIR_SECONDS", 60.0)


@pytest.fixture
async def connect():
    """Opens sockets as a browser or a program would, and closes them at the end."""
    sockets: list[WebsocketCommunicator] = []

    def make(query: str = "", **headers: str) -> WebsocketCommunicator:
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        sockets.append(WebsocketCommunicator(application, f"/ws/predictions/{query}", headers=raw))
        return sockets[-1]

    yield make
    for socket in sockets:
        await socket.disconnect()


def cookies_of(caller: Caller) -> str:
    return f"{VISITOR_COOKIE}={visitor_cookie(caller)}"


async def heard(socket: WebsocketCommunicator) -> dict:
    return json.loads(await socket.receive_from(timeout=5))


async def opened(socket: WebsocketCommunicator) -> dict:
    """Connect; the ready message."""
    is_open, _ = await socket.connect(timeout=5)
    assert is_open
    ready = await heard(socket)
    assert ready["type"] == "ready"
    return ready


async def test_a_visitor_hears_of_an_answer_and_only_of_own_ones(connect):
    ann, bob = connect(Cookie=cookies_of(ANN)), connect(Cookie=cookies_of(BOB))
    await opened(ann)
    await opened(bob)
    of_ann, of_bob = await answered(ANN), await answered(BOB)
    event = await heard(ann)
    assert (event["type"], event["prediction"]["id"]) == ("answered", str(of_ann.pk))
    assert event["prediction"]["price"] == 452_600
    assert (await heard(bob))["prediction"]["id"] == str(of_bob.pk)
    assert await ann.receive_nothing(0.2)
    assert await bob.receive_nothing(0.1)


async def test_a_new_socket_hears_nothing_old_and_says_where_the_feed_stands(connect):
    await answered(ANN)
    socket = connect(Cookie=cookies_of(ANN))
    assert (await opened(socket))["cursor"] > 0
    assert await socket.receive_nothing(0.2)


async def test_a_socket_with_a_cursor_first_hears_what_it_missed(connect):
    missed = [await answered(ANN) for _ in range(3)]
    socket = connect("?after=0", Cookie=cookies_of(ANN))
    assert (await socket.connect())[0]
    events = [await heard(socket) for _ in range(3)]
    assert [event["prediction"]["id"] for event in events] == [str(prediction.pk) for prediction in missed]
    assert await heard(socket) == {"type": "ready", "cursor": events[-1]["cursor"]}
    again = connect(f"?after={events[1]['cursor']}", Cookie=cookies_of(ANN))
    assert (await again.connect())[0]
    assert await heard(again) == events[2]


async def test_a_socket_with_a_cursor_of_another_database_is_told_to_forget_it(connect):
    told = await answered(ANN)
    socket = connect("?after=1000000", Cookie=cookies_of(ANN))
    assert (await socket.connect())[0]
    cursor = (await told.events.aget()).pk
    assert await heard(socket) == {"type": "reset", "cursor": cursor}
    assert await heard(socket) == {"type": "ready", "cursor": cursor}
    after = await answered(ANN)
    assert (await heard(socket))["prediction"]["id"] == str(after.pk)


async def test_a_session_hears_its_users_feed(connect):
    owner = await sync_to_async(user)()
    browser = AsyncClient()
    await browser.aforce_login(owner, backend=MODEL_BACKEND)
    socket = connect(Cookie=f"sessionid={browser.cookies['sessionid'].value}")
    await opened(socket)
    prediction = await answered(Caller.of_user(owner))
    assert (await heard(socket))["prediction"]["id"] == str(prediction.pk)


async def test_a_program_with_a_token_and_without_an_origin_hears_its_users_feed(connect):
    owner = await sync_to_async(user)()
    _, key = await sync_to_async(make_token)(user=owner, name="script")
    socket = connect(Authorization=f"Token {key}")
    await opened(socket)
    prediction = await answered(Caller.of_user(owner))
    assert (await heard(socket))["prediction"]["id"] == str(prediction.pk)


async def test_a_stranger_hears_a_feed_of_nobody(connect):
    socket = connect()
    await opened(socket)
    await answered(ANN)
    assert await socket.receive_nothing(0.2)


async def closed(socket: WebsocketCommunicator) -> int:
    """Connect; the code with which the server closes."""
    assert (await socket.connect())[0]
    message = await socket.receive_output(timeout=5)
    assert message["type"] == "websocket.close"
    return message["code"]


@pytest.mark.parametrize("cursor", ["soon", "-1", "1.5", "%C2%B2", "9" * 30, "0x10"])
async def test_a_cursor_that_is_none_closes_the_socket_with_4400(connect, cursor):
    assert await closed(connect(f"?after={cursor}")) == 4400


@pytest.mark.parametrize("authorization", ["Token wrong", "Bearer x"])
async def test_a_bad_token_closes_the_socket_with_4401(connect, authorization):
    assert await closed(connect(Authorization=authorization)) == 4401


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost.evil.example"])
async def test_another_sites_page_may_not_listen(connect, origin):
    is_open, _ = await connect(Origin=origin, Cookie=cookies_of(ANN)).connect()
    assert not is_open


async def test_our_own_page_may_listen(connect):
    await opened(connect(Origin="http://localhost:8000", Cookie=cookies_of(ANN)))


async def test_a_ping_is_answered_and_anything_else_ignored(connect):
    socket = connect()
    await opened(socket)
    await socket.send_to(text_data="ping")
    assert await socket.receive_from() == "pong"
    await socket.send_to(text_data='{"anything": "else"}')
    await socket.send_to(bytes_data=b"\xff" * 1000)
    assert await socket.receive_nothing(0.2)


async def test_a_feed_that_can_not_be_followed_closes_the_socket_with_try_again(connect, monkeypatch):
    def fail(**wanted) -> list[dict]:
        raise ConnectionError("the database went away")

    monkeypatch.setattr(feed, "read_events", fail)
    assert await closed(connect("?after=0")) == 4503


async def test_a_socket_that_closes_is_no_longer_rung(connect):
    socket = connect(Cookie=cookies_of(ANN))
    await opened(socket)
    assert await listeners("vann") == 1
    await socket.disconnect()

    async def nobody_listens() -> bool:
        return await listeners("vann") == 0

    await until(nobody_listens)


async def test_the_token_of_a_user_who_was_made_inactive_is_a_bad_token(connect):
    def inactive_owner():
        owner = user()
        _, key = make_token(user=owner, name="x")
        owner.is_active = False
        owner.save()
        return key

    key = await sync_to_async(inactive_owner)()
    assert await closed(connect(Authorization=f"Token {key}")) == 4401


async def test_sockets_opened_at_once_all_hear(connect):
    sockets = [connect(Cookie=cookies_of(ANN)) for _ in range(30)]
    await asyncio.gather(*map(opened, sockets))
    prediction = await answered(ANN)
    events = await asyncio.gather(*map(heard, sockets))
    assert {event["prediction"]["id"] for event in events} == {str(prediction.pk)}
