"""Batches of questions on their way to the models, and the scorer that makes them."""

import json
import time

from confluent_kafka import Consumer

from streaming import kafka
from streaming.scoring import BatchScorer
from streaming.stopped_lines import StoppableLine
from streaming.tasks import score_batch
from tests.making import FEATURES

BATCH_SIZE = 100


def features_record(number: int) -> tuple[bytes, bytes, list]:
    prediction_id = f"00000000-0000-4000-8000-{number:012}"
    value = {"id": prediction_id, "features": FEATURES, "flags": [], "requested_at": "2026-01-02T00:00:00Z"}
    return prediction_id.encode(), json.dumps(value).encode(), [("source", b"page"), ("at-published", b"1000")]


def ids(batch: list[dict]) -> list[int]:
    return [int(item["id"][-12:]) for item in batch]


class NeverStopped(StoppableLine):
    """Tests of scoring need no database."""

    def check_open(self) -> None:
        pass


def make_scorer(
    consumer: Consumer, enqueue, wait_for_room=lambda: True, line: StoppableLine | None = None
) -> BatchScorer:
    return BatchScorer(
        consumer=consumer,
        dead_letters=kafka.publisher(),
        enqueue=enqueue,
        wait_for_room=wait_for_room,
        batch_size=BATCH_SIZE,
        line=line or NeverStopped("scorer"),
    )


def run_until(scorer: BatchScorer, count: int) -> None:
    """Repeat the unit of work until `count` predictions went through it."""
    end = time.monotonic() + 15
    while count > 0 and time.monotonic() < end:
        count -= scorer.run_once()
    assert count == 0


def enqueue(batch: list[dict]) -> None:
    score_batch.apply_async(args=[batch], retry=False)
