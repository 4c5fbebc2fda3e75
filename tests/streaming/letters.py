"""Dead letters as tests need them: records as the stages write them, and rows as the deliverer stores them."""

import json
import uuid
from types import SimpleNamespace

from streaming import dead_letters
from streaming.models import DeadLetter
from streaming.topics import Topic
from tests.making import FEATURES

PUT_BY = [("source", b"page"), ("attempt", b"1")]


def request(**changes) -> bytes:
    """The value of a request that can be answered."""
    value = {"id": str(uuid.UUID(int=1)), "features": FEATURES, "requested_at": "2026-01-02T00:00:00Z"}
    return json.dumps(value | changes).encode()


def headers(stage: str = "prepare-request", topic: str = Topic.REQUESTS, **more: bytes) -> list[tuple[str, bytes]]:
    why = {"error": b"out_of_range", "error-field": b"med_inc", "error-detail": b"med_inc must be less"}
    where = {"stage": stage.encode(), "source-topic": topic.encode(), "source-timestamp-ms": b"1"}
    return [*PUT_BY, *(why | where | {name.replace("_", "-"): value for name, value in more.items()}).items()]


def stored(
    *,
    key: bytes | None = b"key",
    value: bytes | None = b"{}",
    offset: int = 0,
    with_headers: list[tuple[str, bytes | None]] | None = None,
) -> DeadLetter:
    """A letter that the deliverer found on the topic."""
    record = SimpleNamespace(
        topic=lambda: Topic.DEAD_LETTERS,
        partition=lambda: 0,
        offset=lambda: offset,
        key=lambda: key,
        value=lambda: value,
        headers=lambda: headers() if with_headers is None else with_headers,
        timestamp=lambda: (1, 1_767_312_000_000),
    )
    dead_letters.keep([record])
    return DeadLetter.objects.get(offset=offset)
