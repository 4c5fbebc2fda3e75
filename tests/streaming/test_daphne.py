"""What only a real server shows: codes, headers and streams as they come over the wire."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import httpx
import pytest
from django.db import connection
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from housevalue.embedded import ValkeyServer
from predictions.callers import VISITOR_COOKIE
from predictions.contract import MAX_BODY_BYTES
from predictions.models import Prediction
from tests.making import visitor
from tests.streaming.following import answered, listeners, until, visitor_cookie
from tests.streaming.web_process import running_web

pytestmark = pytest.mark.django_db(transaction=True)
ANN = visitor("ann")


@pytest.fixture(scope="module")
def server(django_db_setup: None, valkey_server: ValkeyServer, tmp_path_factory) -> Iterator[str]:
    """host:port of the web process as `make run` starts it."""
    _once()
    with running_web(tmp_path_factory.mktemp("web")) as web:
        yield web.address


@pytest.fixture(scope="module")
def server_of_bells(django_db_setup: None, valkey_server: ValkeyServer, tmp_path_factory) -> Iterator[str]:
    """host:port of one that looks at a feed once a minute, so that only a bell can tell in less."""
    _once()
    with running_web(tmp_path_factory.mktemp("web-of-bells"), streaming__feed__REPAIR_SECONDS=60) as web:
        yield web.address


def _once() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("once is enough: the wire does not know the database")


def cookie() -> dict[str, str]:
    return {"Cookie": f"{VISITOR_COOKIE}={visitor_cookie(ANN)}"}


# -- HTTP ----------------------------------------------------------------------------------------------------------
async def test_the_status_line_says_what_422_is(server: str):
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"http://{server}/predict_api", json={"med_inc": 99})
    assert (answer.status_code, answer.reason_phrase) == (422, HTTPStatus.UNPROCESSABLE_ENTITY.phrase)


# -- WebSocket -----------------------------------------------------------------------------------------------------
async def test_close_codes_reach_the_client(server: str):
    for query, headers, code in (("?after=soon", {}, 4400), ("", {"Authorization": "Token wrong"}, 4401)):
        async with connect(f"ws://{server}/ws/predictions/{query}", additional_headers=headers) as socket:
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(socket.recv(), 5)
        assert socket.close_code == code


async def test_another_sites_page_is_refused_at_the_handshake(server: str):
    with pytest.raises(InvalidStatus) as caught:
        await connect(f"ws://{server}/ws/predictions/", origin="http://evil.example")  # type: ignore[arg-type]
    assert caught.value.response.status_code == 403


async def test_a_socket_is_opened_without_the_last_slash_too(server: str):
    async with connect(f"ws://{server}/ws/predictions?after=0") as socket:
        assert json.loads(await asyncio.wait_for(socket.recv(), 5))["type"] == "ready"


@pytest.mark.parametrize("path", ["/", "/ws/", "/ws/predictions/7/", "/xws/predictions/"])
async def test_a_socket_of_another_address_is_refused_at_the_handshake(server: str, path):
    with pytest.raises(InvalidStatus) as caught:
        await connect(f"ws://{server}{path}")
    assert caught.value.response.status_code == 403


@asynccontextmanager
async def opened_socket(server: str) -> AsyncIterator[ClientConnection]:
    """A socket of ANN that is told what happens from now on."""
    async with connect(f"ws://{server}/ws/predictions/", additional_headers=cookie()) as socket:
        assert json.loads(await asyncio.wait_for(socket.recv(), 5))["type"] == "ready"
        yield socket


async def test_a_bell_tells_a_socket_over_the_wire(server_of_bells: str):
    async with opened_socket(server_of_bells) as socket:
        prediction = await answered(ANN)
        event = json.loads(await asyncio.wait_for(socket.recv(), 20))
        assert event["prediction"]["id"] == str(prediction.pk)


async def test_a_socket_whose_bell_was_lost_is_told_within_five_seconds(server: str):
    async with opened_socket(server) as socket:
        prediction = await answered(ANN, ring=False)
        event = json.loads(await asyncio.wait_for(socket.recv(), 5))
        assert event["prediction"]["id"] == str(prediction.pk)


async def test_a_message_over_64_kib_closes_the_socket(server: str):
    async with connect(f"ws://{server}/ws/predictions/") as socket:
        await asyncio.wait_for(socket.recv(), 5)
        await socket.send("x" * 70_000)
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 5)


# -- SSE -----------------------------------------------------------------------------------------------------------
async def events(response: httpx.Response) -> AsyncIterator[dict]:
    async for line in response.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


@asynccontextmanager
async def opened_stream(server: str) -> AsyncIterator[tuple[httpx.Response, AsyncIterator[dict]]]:
    """A stream of ANN that tells what happens from now on."""
    async with httpx.AsyncClient(base_url=f"http://{server}", timeout=30) as client:
        headers = cookie() | {"Accept-Encoding": "gzip, br"}
        async with client.stream("GET", "/stream", headers=headers) as response:
            stream = events(response)
            assert (await anext(stream))["type"] == "ready"
            yield response, stream


async def test_an_event_is_on_the_wire_while_its_stream_is_still_open(server_of_bells: str):
    async with opened_stream(server_of_bells) as (response, stream):
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in response.headers
        prediction = await answered(ANN)
        event = await asyncio.wait_for(anext(stream), 20)
        assert event["prediction"]["id"] == str(prediction.pk)
        assert await listeners("vann") == 1

    async def nobody_listens() -> bool:
        return await listeners("vann") == 0

    await until(nobody_listens)


async def test_a_stream_whose_bell_was_lost_is_told_within_five_seconds(server: str):
    async with opened_stream(server) as (_, stream):
        prediction = await answered(ANN, ring=False)
        event = await asyncio.wait_for(anext(stream), 5)
        assert event["prediction"]["id"] == str(prediction.pk)


# -- bodies --------------------------------------------------------------------------------------------------------
async def test_bodies_that_are_too_large_are_refused_with_or_without_their_length(server: str):
    huge = b'{"med_inc": 1' + b" " * MAX_BODY_BYTES + b"}"

    async def in_chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(huge), 8192):
            yield huge[start : start + 8192]

    async with httpx.AsyncClient(base_url=f"http://{server}") as client:
        for content in (huge, in_chunks()):
            response = await client.post("/predict_api", content=content, headers={"Content-Type": "application/json"})
            assert response.status_code == 413
            assert response.headers["content-type"] == "application/problem+json"
    assert await Prediction.objects.acount() == 0


@pytest.mark.parametrize("length", ["-1", "ten", "5, 5", "99999999999999999999"])
async def test_a_content_length_that_is_none_is_never_a_server_error(server: str, length: str):
    host, port = server.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST /predict_api HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\nConnection: close\r\n\r\n{{}}".encode()
    )
    writer.write_eof()
    status_line = await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    assert not status_line or b" 4" in status_line, status_line
