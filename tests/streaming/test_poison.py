"""A prediction of which workers die is found, becomes a dead letter, and takes nobody with it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from billiard.einfo import ExceptionInfo
from billiard.exceptions import WorkerLostError
from celery.app.task import Context
from celery.worker import state as worker_state
from django.conf import settings as django_settings
from kombu.exceptions import OperationalError

from streaming import tasks
from streaming.lost_batches import MOST_LOST, BatchRequest
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


POISON = item(9, house_age=DEADLY_AGE)
MATES = [item(number) for number in range(5)]


@contextmanager
def deadly_worker(broker: MockKafka, folder: Path, *, way: str) -> Iterator[Path]:
    """A real worker with one pool process, whose model goes wrong at the mark; the file of what it says."""
    environment = {
        **os.environ,
        "REDIS_URL": django_settings.REDIS_URL,
        "KAFKA_BOOTSTRAP_SERVERS": broker.address,
        "VAR_DIR": str(folder),
        "OMP_NUM_THREADS": "1",
        "DEADLY_AGE": str(DEADLY_AGE),
        "DEADLY_WAY": way,
    }
    log = folder / "worker.log"
    command = [sys.executable, "-m", "celery", "--app", "tests.streaming.deadly_worker", "worker"]
    options = ["--concurrency", "1", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
    with log.open("w") as output:
        worker = subprocess.Popen([*command, *options], cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        yield log
    finally:
        worker.terminate()
        worker.wait(20)


def enqueue_batch_with_poison() -> None:
    score_batch.apply_async(args=[[*MATES[:2], POISON, *MATES[2:]]], retry=False)


@pytest.mark.parametrize(("way", "signal_number"), [("kill", 9), ("hang", 14)], ids=["it dies", "it hangs"])
def test_a_poison_is_isolated_in_three_attempts_and_its_batch_mates_are_scored(
    broker: MockKafka, tmp_path: Path, way: str, signal_number: int
):
    with deadly_worker(broker, tmp_path, way=way) as log:
        enqueue_batch_with_poison()
        wait_until(lambda: broker.records(Topic.DEAD_LETTERS), 60, "the dead letter")
        (letter,) = broker.records(Topic.DEAD_LETTERS)
        headers = dict(letter.headers())
        assert letter.key() == POISON["id"].encode()
        assert (headers["stage"], headers["error"]) == (b"worker", b"killed_worker")
        wait_until(lambda: len(broker.records(Topic.SCORES)) == len(MATES), 20, "the mates' scores")
    assert {record.key() for record in broker.records(Topic.SCORES)} == {mate["id"].encode() for mate in MATES}
    assert log.read_text().count(f"exited with 'signal {signal_number} ") == 3


# -- what one death leads to -------------------------------------------------------------------------------------------
class Died(BatchRequest):
    """A request of which the worker's main process has just heard that its pool process died."""

    def __init__(self, batch: list[dict], lost: int):
        self.id, self._args, self._kwargs, self._task = "batch-1", [batch], {"lost": lost}, score_batch
        self.acknowledged = False
        worker_state.task_reserved(self)

    def acknowledge(self) -> None:
        self.acknowledged = True

    def hear(self) -> None:
        try:
            raise WorkerLostError
        except WorkerLostError:
            self.on_failure(ExceptionInfo())


@pytest.mark.parametrize(
    ("lost_before", "expected"),
    [(0, [(2, 1)]), (1, [(1, 2), (1, 2)])],
    ids=["tried again whole", "tried again one by one"],
)
def test_a_batch_that_was_lost_is_tried_again(monkeypatch, lost_before: int, expected: list[tuple[int, int]]):
    enqueued: list[tuple[int, int]] = []
    monkeypatch.setattr(
        score_batch, "apply_async", lambda *, args, kwargs, retry: enqueued.append((len(args[0]), kwargs["lost"]))
    )
    request = Died([item(1), item(2)], lost_before)
    request.hear()
    assert enqueued == expected
    assert request.acknowledged
    assert request.id not in worker_state.requests


def test_a_batch_that_was_lost_while_redis_is_away_is_left_to_celery(monkeypatch):
    def fail(**_: object) -> None:
        raise OperationalError

    left: list[BatchRequest] = []
    monkeypatch.setattr(score_batch, "apply_async", fail)
    monkeypatch.setattr("celery.worker.request.Request.on_failure", lambda self, *_: left.append(self))
    request = Died([item(1)], 0)
    request.hear()
    assert left == [request]
    assert not request.acknowledged


def test_nobody_is_to_blame_when_a_batch_comes_again_because_a_link_was_lost(monkeypatch):
    """Redis marks it like one whose worker died; it is scored, however often it came before."""
    scored: list[list[dict]] = []

    class Scoring:
        def score(self, batch: list[dict]) -> None:
            scored.append(batch)

    monkeypatch.setattr(tasks, "_scoring", Scoring())
    score_batch.request_stack.push(Context(delivery_info={"redelivered": True}))
    try:
        score_batch.run([item(1)], lost=MOST_LOST - 1)
    finally:
        score_batch.request_stack.pop()
    assert scored == [[item(1)]]


def test_a_batch_that_its_worker_ended_on_a_lost_link_is_left_to_celery(monkeypatch):
    left: list[BatchRequest] = []
    monkeypatch.setattr("celery.worker.request.Request.on_failure", lambda self, *_: left.append(self))
    request = Died([item(1)], 0)
    request._already_cancelled = True
    request.hear()
    assert left == [request]
