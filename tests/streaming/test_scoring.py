"""The scorer hands batches to Celery and loses none."""

import os
import signal
import time
from unittest.mock import Mock

import pytest
import redis
from kombu.exceptions import OperationalError

from housevalue.celery import app
from streaming import kafka
from streaming.kafka import NotDelivered
from streaming.loop import StopFlag
from streaming.queue_room import CeleryQueue
from streaming.stopped_lines import StoppableLine
from streaming.topics import Topic
from tests.streaming.batches import BATCH_SIZE, enqueue, features_record, ids, make_scorer, run_until
from tests.streaming.mock_kafka import MESSAGE_TOO_LARGE, MockKafka


# -- the scorer ----------------------------------------------------------------------------------------------------
def test_what_is_there_becomes_one_batch_with_its_headers(broker: MockKafka, consume):
    broker.put(Topic.FEATURES, *map(features_record, range(5)))
    batches: list[list[dict]] = []
    run_until(make_scorer(consume("g", Topic.FEATURES), batches.append), 5)
    assert [number for batch in batches for number in ids(batch)] == list(range(5))
    headers = batches[0][0]["headers"]
    assert (headers["source"], headers["at-published"]) == ("page", "1000")
    assert int(headers["at-enqueued"]) >= int(headers["at-prepared"])


def test_an_unreadable_record_is_dead_lettered_and_the_next_one_enqueued(broker: MockKafka, consume):
    bad = (b"bad", b'{"id": 5}', [("source", b"page")])
    broker.put(Topic.FEATURES, features_record(1), bad, features_record(2))
    batches: list[list[dict]] = []
    run_until(make_scorer(consume("g", Topic.FEATURES), batches.append), 2)
    assert [number for batch in batches for number in ids(batch)] == [1, 2]
    (letter,) = broker.records(Topic.DEAD_LETTERS)
    assert (letter.key(), letter.value()) == bad[:2]
    headers = dict(letter.headers())
    assert (headers["stage"], headers["error"], headers["source-offset"]) == (b"scorer", b"bad_id", b"1")


def test_a_dead_letter_that_is_not_acknowledged_lets_nothing_be_skipped(broker: MockKafka, consume):
    broker.put(Topic.FEATURES, (b"bad", b"{", []), features_record(1))
    batches: list[list[dict]] = []
    scorer = make_scorer(consume("g", Topic.FEATURES), batches.append)
    broker.refuse_produce(MESSAGE_TOO_LARGE, times=1)
    with pytest.raises(NotDelivered):
        run_until(scorer, 1)
    run_until(scorer, 1)
    assert [ids(batch) for batch in batches] == [[1], [1]], "scored twice rather than not at all"
    assert len(broker.records(Topic.DEAD_LETTERS)) == 1


def test_a_bad_record_that_is_read_again_is_buried_and_judged_once_however_the_batches_are_cut(
    broker: MockKafka, monkeypatch
):
    judged: list[bool] = []
    monkeypatch.setattr(StoppableLine, "judge", lambda self, are_invalid: judged.extend(are_invalid))
    broker.put(Topic.FEATURES, features_record(1), (b"bad", b"{", []), features_record(2))
    consumer = kafka.consumer("g", [Topic.FEATURES])
    batches: list[list[dict]] = []
    scorer = make_scorer(consumer, batches.append)
    with monkeypatch.context() as broken:
        broken.setattr(scorer, "_enqueue", Mock(side_effect=OperationalError("Redis is full")))
        for limit in (3, 1, 2):
            broken.setattr(scorer, "_batch_size", limit)
            with pytest.raises(OperationalError):
                run_until(scorer, 2)
    run_until(scorer, 2)
    consumer.close()
    assert [number for batch in batches for number in ids(batch)] == [1, 2]
    assert len(broker.records(Topic.DEAD_LETTERS)) == 1
    assert judged == [False, True, False]


def test_a_batch_that_could_not_be_enqueued_is_read_again_and_nothing_is_skipped(broker: MockKafka):
    broker.put(Topic.FEATURES, *map(features_record, range(3)))
    enqueued: list[int] = []
    attempts = iter([ConnectionError("Redis went away")])

    def enqueue(batch: list[dict]) -> None:
        if (error := next(attempts, None)) is not None:
            raise error
        enqueued.extend(ids(batch))

    consumer = kafka.consumer("g", [Topic.FEATURES])
    scorer = make_scorer(consumer, enqueue)
    with pytest.raises(ConnectionError):
        run_until(scorer, 3)
    broker.put(Topic.FEATURES, *map(features_record, range(3, 6)))
    run_until(scorer, 6)
    assert enqueued == list(range(6))
    consumer.close()
    assert broker.committed("g", Topic.FEATURES) == 6


def test_offsets_are_committed_only_after_the_enqueue(broker: MockKafka):
    broker.put(Topic.FEATURES, features_record(1))

    def enqueue(batch: list[dict]) -> None:
        raise ConnectionError("Redis is away")

    consumer = kafka.consumer("g", [Topic.FEATURES])
    with pytest.raises(ConnectionError):
        run_until(make_scorer(consumer, enqueue), 1)
    consumer.close()
    assert broker.committed("g", Topic.FEATURES) < 0


def test_without_room_nothing_is_read_and_the_next_batch_is_larger(broker: MockKafka, consume):
    batches: list[list[dict]] = []
    room = [True]
    scorer = make_scorer(consume("g", Topic.FEATURES), batches.append, lambda: room[0])
    broker.put(Topic.FEATURES, features_record(0))
    run_until(scorer, 1)
    room[0] = False
    broker.put(Topic.FEATURES, *map(features_record, range(1, 40)))
    assert [scorer.run_once() for _ in range(5)] == [0] * 5
    room[0] = True
    run_until(scorer, 39)
    assert len(batches) <= 4, "not a task per record"
    assert max(map(len, batches)) > 10


def test_a_batch_is_never_larger_than_its_limit(broker: MockKafka, consume):
    broker.put(Topic.FEATURES, *map(features_record, range(250)))
    batches: list[list[dict]] = []
    run_until(make_scorer(consume("g", Topic.FEATURES), batches.append), 250)
    assert max(map(len, batches)) <= BATCH_SIZE


# -- between scorer and worker: Celery on a real Redis -------------------------------------------------------------


def test_there_is_room_until_a_batch_waits_for_a_worker(celery_queue: redis.Redis):
    queue = CeleryQueue(app, waiting=1)
    assert queue.wait_for_room(StopFlag())
    enqueue([])
    assert celery_queue.llen("scoring") == 1
    assert not queue.wait_for_room(StopFlag())
    celery_queue.delete("scoring")
    assert queue.wait_for_room(StopFlag())


def test_waiting_for_room_ends_with_the_stop_flag(celery_queue: redis.Redis):
    enqueue([])
    stop = StopFlag()
    stop.set()
    started = time.monotonic()
    assert not CeleryQueue(app, waiting=1).wait_for_room(stop)
    assert time.monotonic() - started < 0.2


def test_a_queue_that_is_away_is_an_error_and_not_room(redis_away):
    with pytest.raises(redis.RedisError):
        CeleryQueue(app, waiting=1).wait_for_room(StopFlag())


def test_a_batch_survives_redis_being_away_at_its_enqueue(broker: MockKafka, consume, celery_queue, redis_away):
    broker.put(Topic.FEATURES, *map(features_record, range(3)))
    scorer = make_scorer(consume("g", Topic.FEATURES), enqueue)
    started = time.monotonic()
    with pytest.raises(OperationalError):
        run_until(scorer, 3)
    assert time.monotonic() - started < 5
    redis_away.start()
    redis_away.wait_ready(20)
    run_until(scorer, 3)
    assert celery_queue.llen("scoring") >= 1


def test_an_enqueue_gives_up_on_a_redis_that_hangs(celery_queue, valkey):
    """Without its time-outs Celery would wait for most of a minute."""
    enqueue([])
    os.kill(valkey.process.pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        with pytest.raises(OperationalError):
            enqueue([])
        assert time.monotonic() - started < 6
    finally:
        os.kill(valkey.process.pid, signal.SIGCONT)
