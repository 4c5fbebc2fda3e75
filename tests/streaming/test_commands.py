"""The long-running commands, whole: they do their work, and a SIGTERM lets them end it."""

import json
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import contextmanager

import pytest
import redis
from django.core.management import CommandError, call_command
from django.db import connection

from predictions.models import Prediction
from streaming.health import ready_file
from streaming.topics import Topic
from tests.making import FEATURES, accepted, published
from tests.streaming.mock_kafka import MockKafka
from tests.streaming.test_delivery import result

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def restored_signals():
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@contextmanager
def terminated_when(name: str, condition: Callable[[], bool]):
    """While the block runs a command: SIGTERM as soon as the command `name` is ready and `condition` holds."""
    seen, ended = threading.Event(), threading.Event()

    def watch() -> None:
        end = time.monotonic() + 20
        try:
            while time.monotonic() < end and not ended.is_set():
                if ready_file(name).exists() and condition():
                    seen.set()
                    break
                time.sleep(0.05)
        finally:
            connection.close()
            if not ended.is_set():
                os.kill(os.getpid(), signal.SIGTERM)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join(20)
    assert seen.is_set(), f"{name} did not do its work"
    assert not ready_file(name).exists()


def test_publish_predictions_publishes_until_terminated(broker: MockKafka):
    prediction = accepted()

    def is_published() -> bool:
        return Prediction.objects.filter(published_at__isnull=False).exists()

    with terminated_when("publisher", is_published):
        call_command("publish_predictions")
    assert [record.key() for record in broker.records(Topic.REQUESTS)] == [str(prediction.pk).encode()]


def test_score_predictions_enqueues_until_terminated(broker: MockKafka, settings):
    prediction_id = str(uuid.uuid4())
    value = {"id": prediction_id, "features": FEATURES, "flags": [], "requested_at": "2026-01-02T00:00:00Z"}
    broker.put(Topic.FEATURES, (prediction_id.encode(), json.dumps(value).encode(), []))
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as queue:
        with terminated_when("scorer", lambda: bool(queue.llen("scoring"))):
            call_command("score_predictions")
        (task,) = queue.lrange("scoring", 0, -1)
    assert json.loads(task)["headers"]["task"] == "streaming.tasks.score_batch"
    assert broker.committed("score-predictions", Topic.FEATURES) == 1


def test_deliver_results_delivers_until_terminated(broker: MockKafka):
    prediction = published()
    broker.put(Topic.RESULTS, result(prediction.pk))

    def is_answered() -> bool:
        return Prediction.objects.filter(status="answered").exists()

    with terminated_when("deliverer", is_answered):
        call_command("deliver_results")
    assert broker.committed("deliver-results", Topic.RESULTS) == 1


def test_create_topics_is_safe_to_repeat(broker: MockKafka, capsys):
    call_command("create_topics")
    assert "all topics are there" in capsys.readouterr().out


def test_create_topics_says_in_one_line_that_there_is_no_broker(settings):
    settings.KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:1"
    with pytest.raises(CommandError, match="is KAFKA_BOOTSTRAP_SERVERS right"):
        call_command("create_topics", seconds=1)
