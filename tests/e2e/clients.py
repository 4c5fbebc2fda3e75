"""Real clients: what a browser or a program does over HTTP, WebSocket and SSE, and a stranger on the log."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import httpx
from confluent_kafka import Consumer, Message, Producer
from confluent_kafka.admin import AdminClient
from websockets.sync.client import ClientConnection, connect

HOUSE = {
    "med_inc": 8.3252,
    "house_age": 41,
    "ave_rooms": 6.984,
    "ave_bedrms": 1.0238,
    "population": 322,
    "ave_occup": 2.5555,
    "latitude": 37.88,
    "longitude": -122.23,
}
ANSWER_SECONDS = 20.0


class Asker:
    """One who asks and listens: a visitor with a cookie, or a program with a token."""

    def __init__(self, base_url: str, *, token: str = ""):
        headers = {"Authorization": f"Token {token}"} if token else {}
        self.http = httpx.Client(base_url=base_url, headers=headers, timeout=10)
        if not token:
            self.http.get("/feed")  # gives the visitor's cookie

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self.http.close()

    def ask(self, **changes: Any) -> dict:
        """Ask about HOUSE with `changes`; the body of the 202."""
        response = self.http.post("/predict_api", json={**HOUSE, **changes})
        assert response.status_code == 202, response.text
        return response.json()

    def status(self, prediction_id: str) -> dict:
        response = self.http.get(f"/api/v1/predictions/{prediction_id}")
        assert response.status_code == 200, response.text
        return response.json()

    def wait_settled(self, prediction_id: str, seconds: float = ANSWER_SECONDS) -> dict:
        """The prediction, once it is answered, rejected or failed."""
        return until(
            lambda: found if (found := self.status(prediction_id))["settled_at"] else None,
            seconds=seconds,
            what=f"prediction {prediction_id} to be settled",
        )

    @contextmanager
    def socket(self, after: int | None = None) -> Iterator["FeedSocket"]:
        address = str(self.http.base_url).replace("http", "ws", 1).rstrip("/") + "/ws/predictions/"
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())}
        if "Authorization" in self.http.headers:
            headers["Authorization"] = self.http.headers["Authorization"]
        query = "" if after is None else f"?after={after}"
        with connect(address + query, additional_headers=headers) as connection:
            yield FeedSocket(connection)

    def stream(self, *, events: int, after: int | None = None, query: str = "") -> list[dict]:
        """The first `events` events of `GET /stream`, without the ready sign."""
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        found: list[dict] = []
        with self.http.stream("GET", f"/stream{query}", headers=headers, timeout=ANSWER_SECONDS) as response:
            assert response.status_code == 200
            for line in response.iter_lines():
                if line.startswith("data: ") and (event := json.loads(line[6:]))["type"] != "ready":
                    found.append(event)
                    if len(found) == events:
                        break
        return found


class FeedSocket:
    """An open WebSocket on a feed."""

    def __init__(self, connection: ClientConnection):
        self._connection = connection

    def next(self, seconds: float = ANSWER_SECONDS) -> dict:
        """The next feed event; the ready sign is passed over."""
        while (event := json.loads(self._connection.recv(timeout=seconds)))["type"] == "ready":
            continue
        return event

    def ready(self) -> int:
        """Wait for the ready sign; the cursor at which the feed stands."""
        while (event := json.loads(self._connection.recv(timeout=ANSWER_SECONDS)))["type"] != "ready":
            continue
        return event["cursor"]


class Log:
    """The topics, as somebody with access to the broker sees them."""

    def __init__(self, bootstrap: str):
        self._bootstrap = bootstrap
        self._producer = Producer({"bootstrap.servers": bootstrap})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self._producer.flush(5)

    def write(self, topic: str, value: bytes | None, *, key: bytes | None = None, headers=()) -> None:
        self._producer.produce(topic, value=value, key=key, headers=list(headers))
        assert self._producer.flush(10) == 0

    def find(self, topic: str, matches: Callable[[Message], bool], seconds: float = ANSWER_SECONDS) -> Message:
        """The first record of the topic, from its start, that `matches`."""
        consumer = Consumer(
            {"bootstrap.servers": self._bootstrap, "group.id": str(uuid.uuid4()), "auto.offset.reset": "earliest"}
        )
        consumer.subscribe([topic])

        def next_match() -> Message | None:
            record = consumer.poll(0.2)
            # A record without a value is false: `Message` has a length.
            return record if record is not None and not record.error() and matches(record) else None

        try:
            return until(next_match, seconds=seconds, what=f"a record on {topic}")
        finally:
            consumer.close()

    def topics(self) -> set[str]:
        return set(AdminClient({"bootstrap.servers": self._bootstrap}).list_topics(timeout=10).topics)


def until(condition: Callable[[], Any], *, seconds: float, what: str) -> Any:
    """The first value of `condition` that is neither None nor False.

    Raises:
        TimeoutError: there was none in `seconds`.
    """
    end = time.monotonic() + seconds
    while (found := condition()) is None or found is False:
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(0.02)
    return found
