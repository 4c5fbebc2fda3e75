"""Clients that do not read: they cost a bounded amount of memory, are told to resume, and then miss nothing."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import httpx
import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.utils import timezone
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from housevalue.embedded import ValkeyServer
from predictions.callers import VISITOR_COOKIE
from predictions.models import FeedEvent, Prediction
from tests.making import FEATURES, visitor
from tests.stack import wait_until
from tests.streaming.following import ring_bell, visitor_cookie
from tests.streaming.web_process import WebProcess, running_web

pytestmark = pytest.mark.django_db(transaction=True)
ANN = visitor("ann")
EVENTS = 20_000
READERS = 10
SLOW_SECONDS = 5
TOO_SLOW = 4408
# All of it in the buffers of ten connections would be 155.
MOST_MEGABYTES = 40.0


@pytest.fixture(scope="module")
def web(django_db_setup: None, valkey_server: ValkeyServer, tmp_path_factory) -> Iterator[WebProcess]:
    if connection.vendor != "sqlite":
        pytest.skip("once is enough: the wire does not know the database")
    constants = {"streaming__back_pressure__SLOW_SECONDS": SLOW_SECONDS}
    with running_web(tmp_path_factory.mktemp("web"), **constants) as running:
        yield running


def test_sockets_that_do_not_read_cost_little_and_are_told_to_resume(web: WebProcess) -> None:
    with ExitStack() as stack:
        readers = [stack.enter_context(opened_socket(web, after=0)) for _ in range(READERS)]
        for reader in readers:
            reader.recv(timeout=20)
        asked = let_events_flow_past_them(web)
        # Each has SLOW_SECONDS to hear its close code; who was cut last has all of them.
        read = [read_to_the_end(reader) for reader in readers]
    assert TOO_SLOW in {code for _, code in read}
    told = next(events for events, code in read if code == TOO_SLOW)
    with opened_socket(web, after=told[-1]["cursor"]) as resumed:
        rest = [json.loads(resumed.recv(timeout=20)) for _ in range(EVENTS - len(told) + 1)]
    assert ids([*told, *(event for event in rest if event["type"] != "ready")]) == asked


def test_streams_that_do_not_read_cost_little_and_are_cut_to_resume(web: WebProcess) -> None:
    with ExitStack() as stack:
        readers = [stack.enter_context(closing(opened_stream(web))) for _ in range(READERS)]
        asked = let_events_flow_past_them(web)
        told = events_of(whatever_comes(readers[0]))
    assert 0 < len(told) < EVENTS
    rest: list[dict] = []
    last = {"Last-Event-ID": str(told[-1]["cursor"])}
    with httpx.stream("GET", f"http://{web.address}/stream", headers=cookie() | last, timeout=20) as response:
        for line in response.iter_lines():
            rest += events_of(line)
            if len(told) + len(rest) >= EVENTS:
                break
    assert ids([*told, *rest]) == asked


def let_events_flow_past_them(web: WebProcess) -> list[str]:
    """Answer 20,000 questions of ANN and wait until every reader was cut; ids in the order of their events."""
    cut_before, memory = web.log.count("read nothing"), web.memory()
    web.forget_peak()
    asked = answer_many()
    async_to_sync(ring_bell)(ANN.feed_key)
    wait_until(lambda: web.log.count("read nothing") - cut_before == READERS, 90, "the readers to be cut")
    grown = web.peak_memory() - memory
    print(f"the web process has grown by {grown:.1f} MB")
    assert grown < MOST_MEGABYTES
    return asked


def answer_many() -> list[str]:
    now = timezone.now()
    rows = [
        Prediction(
            feed_key=ANN.feed_key,
            source="api",
            features=FEATURES,
            status=Prediction.Status.ANSWERED,
            requested_at=now,
            published_at=now,
            settled_at=now,
            price=452_600,
            low=390_000,
            high=500_001,
            model_id="monotone-hgb-1",
            model_sha256="a" * 64,
        )
        for _ in range(EVENTS)
    ]
    Prediction.objects.bulk_create(rows, batch_size=1000)
    FeedEvent.objects.bulk_create(
        [FeedEvent(feed_key=ANN.feed_key, prediction=row, kind=row.status, created_at=now) for row in rows],
        batch_size=1000,
    )
    return [str(row.pk) for row in rows]


def ids(events: list[dict]) -> list[str]:
    return [event["prediction"]["id"] for event in events]


# -- clients -------------------------------------------------------------------------------------------------------
def cookie() -> dict[str, str]:
    return {"Cookie": f"{VISITOR_COOKIE}={visitor_cookie(ANN)}"}


def narrow_socket(web: WebProcess) -> socket.socket:
    """A connection whose own end takes in little."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.settimeout(20)
    raw.connect((web.host, web.port))
    return raw


def opened_socket(web: WebProcess, *, after: int) -> ClientConnection:
    """A WebSocket that reads from the network only what is asked of it."""
    address = f"ws://{web.address}/ws/predictions/?after={after}"
    return connect(
        address, sock=narrow_socket(web), additional_headers=cookie(), max_queue=1, ping_interval=None, max_size=None
    )


def read_to_the_end(reader: ClientConnection) -> tuple[list[dict], int | None]:
    """What is left to read, and the close code."""
    events = []
    try:
        while True:
            events.append(json.loads(reader.recv(timeout=20)))
    except ConnectionClosed:
        return events, reader.close_code


def opened_stream(web: WebProcess) -> socket.socket:
    """An event stream that has been asked for and is not read."""
    raw = narrow_socket(web)
    lines = ["GET /stream?after=0 HTTP/1.1", "Host: localhost", f"Cookie: {cookie()['Cookie']}", "", ""]
    raw.sendall("\r\n".join(lines).encode())
    return raw


def whatever_comes(raw: socket.socket) -> str:
    """All that can still be read of a connection that was cut."""
    parts: list[bytes] = []
    try:
        while part := raw.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts).decode(errors="replace")


def events_of(text: str) -> list[dict]:
    """The whole events in a piece of a stream."""
    found = []
    for line in text.splitlines():
        if line.startswith("data: ") and line.endswith("}"):
            event = json.loads(line.removeprefix("data: "))
            found += [event] if event["type"] == "answered" else []
    return found
