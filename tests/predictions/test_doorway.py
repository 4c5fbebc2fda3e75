"""Before Django: who is inside the door is counted, and a closed door refuses for little."""

import asyncio
import json
import math
import time

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.asgi import get_asgi_application

from predictions import doorway
from predictions.admission import Admission, LineFull
from predictions.admission import admission as standing
from predictions.doorway import Doorway
from predictions.line import Line

DOOR = "/predict_api"


@pytest.fixture
def admission(settings, monkeypatch) -> Admission:
    """That of a process which finds 12 s of questions before its door."""
    settings.MOST_SECONDS_TO_ANSWER = 10

    def read(before: Line | None) -> Line:
        now = time.monotonic()
        return Line(1200, rate=100.0, rate_read_at=now, read_at=now)

    closed = Admission(read=read)
    closed.measure()
    monkeypatch.setattr(doorway, "admission", closed)
    return closed


async def asked(
    path: str = DOOR, *, method: str = "POST", headers: tuple = (), inside=None, refused=lambda: None, lap_at=0.0
) -> list[dict]:
    """What comes back for a request; Django's place is taken by `inside` and an empty answer.

    `lap_at`: when the event loop's lap is to be measured again.
    """

    async def django(scope, receive, send) -> None:
        if inside:
            await inside()
        await send({"type": "http.response.start", "status": 202, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    scope = {"type": "http", "method": method, "path": path, "headers": list(headers)}
    doorway = Doorway(django, paths={DOOR}, refused=refused)
    doorway._next_lap_at = lap_at
    door = ApplicationCommunicator(doorway, scope)
    return [await door.receive_output(5), await door.receive_output(5)]


async def test_a_closed_door_refuses_before_django_with_the_time_when_it_opens(admission):
    refusals: list[int] = []
    start, body = await asked(refused=lambda: refusals.append(1))
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    assert start["status"] == 429
    assert headers["content-type"] == "application/problem+json"
    assert headers["retry-after"] == "9"
    assert json.loads(body["body"])["code"] == "line_full"
    assert len(refusals) == 1


@pytest.mark.parametrize(
    "request_",
    [
        {"path": "/history"},
        {"method": "OPTIONS"},
        {"headers": ((b"idempotency-key", b"a-key"),)},
        {"headers": ((b"origin", b"https://other.example"),)},
    ],
    ids=["another address", "another method", "a retry perhaps", "another site's page"],
)
async def test_what_is_not_for_it_to_decide_goes_to_django(admission, request_):
    start, _ = await asked(**request_)
    assert start["status"] == 202


@pytest.mark.django_db(transaction=True)
async def test_who_was_let_in_is_not_refused_though_the_door_closed_meanwhile(house, monkeypatch):
    is_open = [True, False]

    def check() -> None:
        if not is_open.pop(0):
            raise LineFull(expected_seconds=12, retry_after=9)

    monkeypatch.setattr(standing, "check", check)
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": DOOR, "headers": headers, "query_string": b""}
    door = ApplicationCommunicator(Doorway(get_asgi_application(), paths={DOOR}, refused=lambda: None), scope)
    await door.send_input({"type": "http.request", "body": json.dumps(house).encode()})
    assert (await door.receive_output(20))["status"] == 202
    assert is_open == [False]


async def test_who_is_inside_is_counted_until_it_is_answered(admission, monkeypatch):
    monkeypatch.setattr(admission, "check", lambda: None)
    seen: list[int] = []
    together = asyncio.Barrier(3)

    async def look() -> None:
        async with together:
            seen.append(admission._inside)

    await asyncio.gather(*(asked(inside=look) for _ in range(3)))
    assert max(seen) == 3
    assert admission._inside == 0


async def test_a_slow_event_loop_is_seen_as_the_time_before_the_door(settings, monkeypatch):
    settings.MOST_SECONDS_TO_ANSWER = 1
    idle = Admission(read=lambda before: Line(0, rate=None, rate_read_at=0, read_at=time.monotonic()))
    monkeypatch.setattr(doorway, "admission", idle)
    assert (await asked())[0]["status"] == 202

    async def block_the_loop() -> None:
        time.sleep(0.5)

    for status in (202, 429):  # A single long lap is an accident.
        await asked(inside=block_the_loop)
        assert (await asked(lap_at=math.inf))[0]["status"] == status
