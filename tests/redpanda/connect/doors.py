"""How tests speak with the pipelines: through the door, by the drop folder, and by what comes out."""

import json
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import httpx
import redis
from django.conf import settings as django_settings

from streaming.ingress import IngressPublisher
from streaming.kafka import NotDelivered
from streaming.topics import Topic
from tests.making import FEATURES
from tests.redpanda.connect.log import Log
from tests.redpanda.connect.pipelines import Pipeline
from tests.stack import wait_until

TOKEN = "the-token-of-the-publisher"
PARTNER_TOKEN = "the-token-of-the-bank"
# A file of the drop folder: its first line, and any other.
HEADER = ",".join(FEATURES)
GOOD_LINE = ",".join(str(value) for value in FEATURES.values())


@dataclass
class Door:
    """A running `ingress` pipeline."""

    pipeline: Pipeline
    url: str

    def post(self, body: object, *, token: str = TOKEN, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}", **headers}
        return httpx.post(self.url, content=content, headers=headers, timeout=20)

    def publisher(self, token: str = TOKEN) -> IngressPublisher:
        return IngressPublisher(url=self.url, token=token)


# -- through the door ----------------------------------------------------------------------------------------------
def request(number: int = 0, **changes: object) -> dict:
    return {"id": str(uuid.UUID(int=number)), "features": FEATURES, "requested_at": "2026-01-02T03:04:05Z", **changes}


def ids_on(log: Log) -> list[str]:
    return [json.loads(record.value())["id"] for record in log.records(Topic.REQUESTS)]


def publish(publisher: IngressPublisher, requests: list[dict]) -> None:
    for one in requests:
        headers = [("source", b"api"), ("attempt", b"1")]
        publisher.publish(Topic.REQUESTS, key=one["id"].encode(), value=json.dumps(one).encode(), headers=headers)
    publisher.flush()


def publish_until_delivered(publisher: IngressPublisher, requests: list[dict], seconds: float = 60) -> int:
    """As the outbox does: the same ids again, until it is known that they are on the log; how often it was not."""
    end, failures = time.monotonic() + seconds, 0
    while True:
        try:
            publish(publisher, requests)
            return failures
        except NotDelivered:
            failures += 1
            assert time.monotonic() < end
            time.sleep(0.2)


# -- by the drop folder --------------------------------------------------------------------------------------------
class Folders:
    """The drop folder and the folder of files that are done."""

    def __init__(self, directory: Path):
        self.drop, self.done = directory / "drop", directory / "done"
        self.drop.mkdir()

    def put(self, name: str, content: str) -> None:
        """As a writer should: under another name first."""
        unfinished = self.drop / f"{name}.part"
        unfinished.write_text(content)
        unfinished.rename(self.drop / name)

    def wait_moved(self, name: str, seconds: float = 30) -> list[Path]:
        """The file left the drop folder; the files that are done."""
        wait_until(lambda: not (self.drop / name).exists(), seconds, f"{name} to be moved")
        return sorted(self.done.iterdir())


# -- results on their way out --------------------------------------------------------------------------------------
class Archive:
    """What `results` has archived."""

    def __init__(self, directory: Path):
        self.directory = directory

    def lines(self) -> list[dict]:
        return [json.loads(line) for path in self.directory.glob("*.ndjson") for line in path.read_text().splitlines()]

    def ids(self) -> set[str]:
        return {line["id"] for line in self.lines()}


def result(number: int) -> dict:
    return {"id": str(uuid.UUID(int=number)), "price": 452_600, "low": 390_000, "high": 500_001}


def put_results(log: Log, numbers: range) -> None:
    for number in numbers:
        one = result(number)
        log.put(Topic.RESULTS, json.dumps(one).encode(), key=one["id"], headers={"source": "page", "attempt": "1"})
    log.flush()


def streamed() -> list[dict]:
    with redis.Redis.from_url(django_settings.REDIS_URL, decode_responses=True) as client:
        return [fields for _, fields in client.xrange("prediction_results")]


def ids_of(numbers: range) -> set[str]:
    return {result(number)["id"] for number in numbers}
