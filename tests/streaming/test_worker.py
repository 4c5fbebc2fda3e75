"""The worker scores batches with every live model, and those that it can't score stay on their way."""

import json
import threading
import time
from collections.abc import Callable

import pytest
from celery.contrib.testing.worker import start_worker
from celery.exceptions import Retry
from confluent_kafka import KafkaError, KafkaException
from django.core.management import call_command

from housevalue.celery import app
from mlmodel.scoring import LiveModels, NoLiveModel
from streaming import kafka, tasks
from streaming.kafka import NotDelivered
from streaming.loop import StopFlag
from streaming.queue_room import CeleryQueue
from streaming.scoring import BatchScoring
from streaming.tasks import score_batch
from streaming.topics import Topic
from tests.making import FEATURES
from tests.streaming.batches import enqueue, features_record, ids, make_scorer
from tests.streaming.mock_kafka import MESSAGE_TOO_LARGE, MockKafka


def batch_of(*places: tuple[float, float]) -> list[dict]:
    """Items at these latitudes and longitudes, as the scorer enqueues them."""
    return [
        {
            "id": f"00000000-0000-4000-8000-{number:012}",
            "features": FEATURES | {"latitude": latitude, "longitude": longitude},
            "flags": ["unusual_population"],
            "requested_at": "2026-01-02T00:00:00Z",
            "headers": {"source": "page", "at-enqueued": "5"},
        }
        for number, (latitude, longitude) in enumerate(places)
    ]


SAN_FRANCISCO, DEATH_VALLEY, LAS_VEGAS = (37.77, -122.42), (36.4, -117.2), (36.17, -115.14)


@pytest.fixture
def live_models(db) -> LiveModels:
    call_command("register_models", verbosity=0)
    return LiveModels.load()


def test_every_live_model_scores_the_whole_batch_champion_first(broker: MockKafka, live_models):
    BatchScoring(models=live_models, publisher=kafka.publisher()).score(batch_of(*[SAN_FRANCISCO] * 3))
    records = broker.records(Topic.SCORES)
    assert len(records) == 3
    value = json.loads(records[0].value())
    assert [score["role"] for score in value["scores"]] == ["champion"] + ["shadow"] * (len(live_models.names) - 1)
    assert [score["model"] for score in value["scores"]] == live_models.names
    for score in value["scores"]:
        assert len(score["sha256"]) == 64
        assert 0 < score["low"] <= score["price"] <= score["high"] < 10
    assert value["features"]["latitude"] == 37.77
    assert value["flags"] == ["unusual_population"]


def test_a_score_is_keyed_by_its_prediction_and_carries_the_times_of_its_stages(broker: MockKafka, live_models):
    (item,) = batch_of(SAN_FRANCISCO)
    BatchScoring(models=live_models, publisher=kafka.publisher()).score([item])
    (record,) = broker.records(Topic.SCORES)
    assert record.key() == item["id"].encode()
    headers = dict(record.headers())
    assert (headers["source"], headers["at-enqueued"]) == (b"page", b"5")
    assert int(headers["at-scored"]) > 1_700_000_000_000


def test_a_place_that_no_model_knows_is_dead_lettered_with_its_reason_and_the_rest_scored(
    broker: MockKafka, live_models
):
    batch = batch_of(SAN_FRANCISCO, LAS_VEGAS, DEATH_VALLEY)
    BatchScoring(models=live_models, publisher=kafka.publisher()).score(batch)
    scored = {record.key(): json.loads(record.value()) for record in broker.records(Topic.SCORES)}
    assert scored.keys() == {batch[0]["id"].encode(), batch[2]["id"].encode()}
    assert scored[batch[2]["id"].encode()]["flags"] == ["unusual_population", "sparse_location"]
    (letter,) = broker.records(Topic.DEAD_LETTERS)
    headers = dict(letter.headers())
    assert letter.key() == batch[1]["id"].encode()
    assert (headers["stage"], headers["error"], headers["error-field"]) == (
        b"worker",
        b"unsupported_location",
        b"latitude",
    )
    assert b"km" in headers["error-detail"]
    assert json.loads(letter.value())["features"] == batch[1]["features"]


def test_scores_that_are_not_acknowledged_are_not_delivered(broker: MockKafka, live_models):
    broker.refuse_produce(MESSAGE_TOO_LARGE, times=1)
    with pytest.raises(NotDelivered):
        BatchScoring(models=live_models, publisher=kafka.publisher()).score(batch_of(SAN_FRANCISCO))


def test_without_a_live_model_a_batch_is_kept(broker: MockKafka, db):
    with pytest.raises(NoLiveModel):
        BatchScoring(models=LiveModels.load(), publisher=kafka.publisher()).score(batch_of(SAN_FRANCISCO))
    assert broker.records(Topic.SCORES) == []


def test_a_worker_scores_a_batch_again_until_it_is_delivered(celery_queue, monkeypatch):
    """Through Celery and Redis as in production; only what fails is made to fail."""
    outcomes = [NotDelivered("the broker is away"), NoLiveModel("none yet"), None]
    scored: list[list[dict]] = []

    class Scoring:
        def score(self, batch: list[dict]) -> None:
            if (outcome := outcomes.pop(0)) is not None:
                raise outcome
            scored.append(batch)

    monkeypatch.setattr(tasks, "_scoring", Scoring())
    monkeypatch.setattr(tasks, "TRY_SECONDS", 0.0)
    enqueue(batch_of(SAN_FRANCISCO))
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=20):
        end = time.monotonic() + 20
        while not scored and time.monotonic() < end:
            time.sleep(0.02)
    assert scored == [batch_of(SAN_FRANCISCO)]


def test_while_no_batch_can_be_scored_they_wait_on_the_log_and_not_in_a_worker(broker: MockKafka, consume, monkeypatch):
    """The scorer and a worker as in production; only the champion is missing."""
    count, tried, scored = 30, [], []
    is_registered = threading.Event()

    class Scoring:
        def score(self, batch: list[dict]) -> None:
            tried.append(batch)
            if not is_registered.is_set():
                raise NoLiveModel("none yet")
            scored.extend(ids(batch))

    monkeypatch.setattr(tasks, "_scoring", Scoring())
    monkeypatch.setattr(tasks, "TRY_SECONDS", 0.1)
    broker.put(Topic.FEATURES, *map(features_record, range(count)))
    taken: list[dict] = []

    def enqueue_and_count(batch: list[dict]) -> None:
        enqueue(batch)
        taken.extend(batch)

    stop = StopFlag()
    queue = CeleryQueue(app, waiting=1)
    scorer = make_scorer(consume("g", Topic.FEATURES), enqueue_and_count, lambda: queue.wait_for_room(stop))
    monkeypatch.setattr(scorer, "_batch_size", 1)

    def run_while(is_going_on: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while is_going_on() and time.monotonic() < end:
            scorer.run_once()

    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=20):
        run_while(lambda: len(tried) < 10)
        assert len(tried) >= 10
        assert len(taken) <= 3
        is_registered.set()
        started = time.monotonic()
        run_while(lambda: not scored)
        assert time.monotonic() - started < 2
        run_while(lambda: len(scored) < count)
    assert sorted(scored) == list(range(count))


def test_a_try_that_failed_keeps_its_worker_a_moment_and_the_batch_comes_again_at_once(monkeypatch):
    class Scoring:
        def score(self, batch: list[dict]) -> None:
            raise NoLiveModel("none yet")

    again: list[dict] = []
    monkeypatch.setattr(tasks, "_scoring", Scoring())
    monkeypatch.setattr(tasks, "TRY_SECONDS", 0.2)
    monkeypatch.setattr(score_batch, "retry", lambda **how: again.append(how) or Retry())
    started = time.monotonic()
    with pytest.raises(Retry):
        score_batch(batch_of(SAN_FRANCISCO))
    assert time.monotonic() - started >= 0.2
    assert [how["countdown"] for how in again] == [0]


def test_after_a_producer_failed_for_good_the_worker_makes_another(monkeypatch):
    class Broken:
        def score(self, batch: list[dict]) -> None:
            raise KafkaException(KafkaError(KafkaError._FATAL))

    broken = Broken()
    monkeypatch.setattr(tasks, "_scoring", broken)
    monkeypatch.setattr(tasks.LiveModels, "load", lambda: None)
    monkeypatch.setattr(score_batch, "retry", lambda **_: Retry())
    with pytest.raises(Retry):
        score_batch(batch_of(SAN_FRANCISCO))
    assert tasks._scoring is not broken


def test_a_task_outside_a_pool_process_is_an_error():
    with pytest.raises(RuntimeError, match="pool process"):
        score_batch.run([])


def test_publishing_gives_up_before_a_task_is_killed_for_its_time(settings):
    """A task killed for its time is acknowledged: its batch would be lost."""
    assert tasks.PUBLISH_MS / 1000 + 2 < settings.CELERY_TASK_TIME_LIMIT
    assert settings.CELERY_TASK_ACKS_LATE
    assert settings.CELERY_TASK_REJECT_ON_WORKER_LOST
