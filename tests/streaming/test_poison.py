"""A prediction of which workers die is found, becomes a dead letter, and takes nobody with it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery.app.task import Context
from django.conf import settings as django_settings

from streaming import tasks
from streaming.tasks import score_batch
from streaming.topics import Topic
from tests.making import FEATURES
from tests.stack import ROOT, wait_until
from tests.streaming.mock_kafka import MockKafka

DEADLY_AGE = 13.0


def item(number: int, **features: float) -> dict:
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "features": FEATURES | {"latitude": 37.77, "longitude": -122.42} | features,
        "flags": [],
        "requested_at": "2026-01-02T00:00:00Z",
        "headers": {"source": "page"},
    }


@pytest.fixture
def worker_log(broker: MockKafka, tmp_path: Path) -> Iterator[Path]:
    """What a real worker says, with one process that dies of the mark."""
    environment = {
        **os.environ,
        "REDIS_URL": django_settings.REDIS_URL,
        "KAFKA_BOOTSTRAP_SERVERS": broker.address,
        "VAR_DIR": str(tmp_path),
        "OMP_NUM_THREADS": "1",
        "DEADLY_AGE": str(DEADLY_AGE),
    }
    log = tmp_path / "worker.log"
    command = [sys.executable, "-m", "celery", "--app", "tests.streaming.deadly_worker", "worker"]
    options = ["--concurrency", "1", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
    with log.open("w") as output:
        worker = subprocess.Popen([*command, *options], cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        yield log
    finally:
        worker.terminate()
        worker.wait(20)


def test_a_poison_is_isolated_in_three_attempts_and_its_batch_mates_are_scored(broker: MockKafka, worker_log: Path):
    mates = [item(number) for number in range(5)]
    poison = item(9, house_age=DEADLY_AGE)
    score_batch.apply_async(args=[[*mates[:2], poison, *mates[2:]]], retry=False)
    wait_until(lambda: broker.records(Topic.DEAD_LETTERS), 60, "the dead letter")
    (letter,) = broker.records(Topic.DEAD_LETTERS)
    headers = dict(letter.headers())
    assert letter.key() == poison["id"].encode()
    assert (headers["stage"], headers["error"]) == (b"worker", b"killed_worker")
    wait_until(lambda: len(broker.records(Topic.SCORES)) == len(mates), 20, "the mates' scores")
    assert {record.key() for record in broker.records(Topic.SCORES)} == {mate["id"].encode() for mate in mates}
    assert worker_log.read_text().count("exited with 'signal 9") == 3


# -- what one redelivery leads to ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("lost_before", "expected"),
    [(0, [(2, 1)]), (1, [(1, 2), (1, 2)])],
    ids=["tried again whole", "tried again one by one"],
)
def test_a_batch_that_was_lost_is_tried_again(monkeypatch, lost_before: int, expected: list[tuple[int, int]]):
    enqueued: list[tuple[int, int]] = []
    monkeypatch.setattr(tasks, "_scoring", object())
    monkeypatch.setattr(
        score_batch, "apply_async", lambda *, args, kwargs, retry: enqueued.append((len(args[0]), kwargs["lost"]))
    )
    score_batch.request_stack.push(Context(delivery_info={"redelivered": True}))
    try:
        score_batch.run([item(1), item(2)], lost=lost_before)
    finally:
        score_batch.request_stack.pop()
    assert enqueued == expected
