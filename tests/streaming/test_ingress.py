"""The publisher's way through Connect, against a door that answers whatever a test wants."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core.management import CommandError

from predictions.models import Prediction
from streaming import ingress, kafka
from streaming.bells import Bells
from streaming.ingress import IngressPublisher
from streaming.kafka import NotDelivered
from streaming.management.commands.publish_predictions import _ingress
from streaming.outbox import OutboxPublisher
from streaming.topics import Topic
from tests.making import accepted

TOKEN = "the-token-of-the-door"


class Door(ThreadingHTTPServer):
    """Answers each body with the status that `judge` gives it, and remembers what it took."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.judge: Callable[[list[dict]], int] = lambda requests: 202
        self.bodies: list[list[dict]] = []
        self.authorizations: set[str] = set()
        self.taken: list[str] = []
        self.hangs_up = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/predictions"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Door

    def do_POST(self) -> None:
        requests = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.bodies.append(requests)
        self.server.authorizations.add(self.headers["Authorization"])
        status = self.server.judge(requests)
        if status == 202:
            self.server.taken += [request["id"] for request in requests]
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.close_connection = self.server.hangs_up

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def door() -> Iterator[Door]:
    server = Door()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def publisher(door: Door) -> IngressPublisher:
    return IngressPublisher(url=door.url, token=TOKEN)


def publish(publisher: IngressPublisher, *ids: str) -> None:
    for one in ids:
        headers: kafka.Headers = [("source", b"page"), ("attempt", b"1")]
        publisher.publish(Topic.REQUESTS, key=one.encode(), value=json.dumps({"id": one}).encode(), headers=headers)
    publisher.flush()


def test_requests_go_together_in_one_body_with_the_token_and_their_headers(door: Door, publisher):
    publish(publisher, "a", "b")
    headers = {"source": "page", "attempt": "1"}
    assert door.bodies == [[{"id": "a", "headers": headers}, {"id": "b", "headers": headers}]]
    assert door.authorizations == {f"Bearer {TOKEN}"}


def test_nothing_published_asks_nobody(door: Door, publisher):
    publisher.flush()
    assert door.bodies == []


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 401, 404])
def test_what_is_not_known_to_be_on_the_log_is_not_delivered(door: Door, publisher, status: int):
    door.judge = lambda requests: status
    with pytest.raises(NotDelivered, match=str(status)):
        publish(publisher, "a")
    door.judge = lambda requests: 202
    publish(publisher, "a")
    assert door.taken == ["a"]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_request_is_found_told_and_left_and_all_others_are_delivered(
    door: Door, publisher, caplog, status: int
):
    ids = [str(number) for number in range(100)]
    door.judge = lambda requests: status if any(request["id"] in ("0", "63") for request in requests) else 202
    publish(publisher, *ids)
    assert sorted(door.taken) == sorted(set(ids) - {"0", "63"})
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) == 2
    assert len(door.bodies) < 40


def test_a_door_that_falls_silent_is_given_up(door: Door, publisher, monkeypatch):
    monkeypatch.setattr(ingress, "ANSWER_SECONDS", 0.2)
    impatient = IngressPublisher(url=door.url, token=TOKEN)
    silence = threading.Event()
    door.judge = lambda requests: 202 + silence.wait(10)
    started = time.monotonic()
    try:
        with pytest.raises(NotDelivered, match="does not answer"):
            publish(impatient, "a")
    finally:
        silence.set()
    assert time.monotonic() - started < 5


def test_a_connection_that_was_closed_meanwhile_costs_no_request(door: Door, publisher):
    door.hangs_up = True
    publish(publisher, "a")
    publish(publisher, "b")
    assert door.taken == ["a", "b"]


def test_only_requests_go_this_way(publisher):
    with pytest.raises(ValueError, match="requests only"):
        publisher.publish(Topic.SCORES, key=b"a", value=b"{}", headers=[])


# -- in the outbox -------------------------------------------------------------------------------------------------
class NoBell:
    def wait(self, seconds: float) -> None:
        pass


@pytest.mark.django_db
def test_a_row_is_marked_when_the_door_has_taken_it_and_not_before(door: Door, publisher):
    outbox = OutboxPublisher(publisher=publisher, replays=kafka.publisher(), bell=NoBell(), owners=Bells())
    prediction = accepted(source="page")
    door.judge = lambda requests: 408
    with pytest.raises(NotDelivered):
        outbox.run_once()
    assert Prediction.objects.filter(published_at=None).count() == 1
    door.judge = lambda requests: 202
    assert outbox.run_once() == 1
    assert Prediction.objects.filter(published_at=None).count() == 0
    assert door.taken == [str(prediction.pk)]
    assert door.bodies[0][0]["id"] == door.bodies[1][0]["id"]
    assert door.bodies[1][0]["headers"]["source"] == "page"


# -- in the command ------------------------------------------------------------------------------------------------
def test_the_way_follows_the_settings(settings):
    settings.CONNECT_INGRESS_URL = ""
    assert _ingress() is None
    settings.CONNECT_INGRESS_URL, settings.CONNECT_INGRESS_TOKEN = "http://127.0.0.1:8085/v1/predictions", TOKEN
    assert isinstance(_ingress(), IngressPublisher)


@pytest.mark.parametrize(
    ("url", "token", "told"),
    [("127.0.0.1:8085", TOKEN, "must begin with http"), ("http://a/v1/predictions", "short", "at least 16")],
)
def test_settings_that_cannot_work_end_the_start_with_a_hint(settings, url: str, token: str, told: str):
    settings.CONNECT_INGRESS_URL, settings.CONNECT_INGRESS_TOKEN = url, token
    with pytest.raises(CommandError, match=told):
        _ingress()
