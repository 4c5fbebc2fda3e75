"""The web process is told to end: what it is answering is answered, and nothing new is taken."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from django.db import connection

from tests.stack import wait_until
from tests.streaming.web_process import WebProcess, running_web

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="holds up a request by SQLite's lock"),
]


@contextmanager
def locked_database() -> Iterator[None]:
    """Nobody else can write: a question waits at the door."""
    with sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebProcess]:
    with running_web(tmp_path) as running:
        yield running


def has_ended(web: WebProcess) -> bool:
    return web.process.poll() is not None


def takes_connections(web: WebProcess) -> bool:
    try:
        return httpx.get(f"http://{web.address}/healthz").is_success
    except httpx.ConnectError:
        return False


def test_a_question_that_is_being_taken_is_accepted_before_the_web_process_ends(web: WebProcess, house: dict) -> None:
    with ThreadPoolExecutor() as elsewhere:
        with locked_database():
            asking = elsewhere.submit(httpx.post, f"http://{web.address}/predict_api", json=house, timeout=10)
            # One loop reads all connections: when this one is answered twice the question has been read.
            assert takes_connections(web)
            assert takes_connections(web)
            web.process.terminate()
            wait_until(lambda: not takes_connections(web), 5, "the port to be closed")
            assert not has_ended(web)
        assert asking.result(10).status_code == 202
        assert asking.result().headers["connection"] == "close"
    wait_until(lambda: has_ended(web), 5, "the web process to end")


def test_an_open_event_stream_does_not_keep_the_web_process(web: WebProcess) -> None:
    with httpx.stream("GET", f"http://{web.address}/stream", timeout=10) as stream:
        lines = stream.iter_lines()
        wait_until(lambda: "ready" in next(lines), 5, "the stream to begin")
        web.process.terminate()
        wait_until(lambda: has_ended(web), 10, "the web process to end")
    assert "are cut" not in web.log
