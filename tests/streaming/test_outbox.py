"""The publisher: every accepted row is on the log before it is marked, at once when the doorbell rings."""

import json
import os
import signal
import threading
import time

import pytest

from predictions import doorbell
from predictions.models import Prediction
from streaming import dead_letters, kafka, outbox
from streaming.bells import Bells
from streaming.kafka import NotDelivered
from streaming.models import DeadLetter
from streaming.outbox import DoorbellListener, OutboxPublisher
from streaming.topics import Topic
from tests.making import accepted, long_ago, published, user, visitor
from tests.streaming import letters
from tests.streaming.mock_kafka import MESSAGE_TOO_LARGE, MockKafka

pytestmark = pytest.mark.django_db


class NoBell:
    def wait(self, seconds: float) -> None:
        pass


def make_publisher(*, bell) -> OutboxPublisher:
    publisher = kafka.publisher()
    return OutboxPublisher(publisher=publisher, replays=publisher, bell=bell, owners=Bells())


@pytest.fixture
def publisher(broker: MockKafka) -> OutboxPublisher:
    return make_publisher(bell=NoBell())


@pytest.mark.database
def test_a_row_is_published_with_its_id_as_key_and_then_marked(broker: MockKafka, publisher):
    prediction = accepted(source="page")
    assert publisher.run_once() == 1
    (record,) = broker.records(Topic.REQUESTS)
    assert record.key() == str(prediction.pk).encode()
    assert json.loads(record.value())["features"] == prediction.features
    assert dict(record.headers())["source"] == b"page"
    prediction.refresh_from_db()
    assert (prediction.status, prediction.attempts) == ("published", 1)
    assert publisher.run_once() == 0


@pytest.mark.database
def test_what_the_broker_does_not_acknowledge_is_not_marked_and_published_again(broker: MockKafka, publisher):
    prediction = accepted()
    broker.refuse_produce(MESSAGE_TOO_LARGE, times=1)
    with pytest.raises(NotDelivered):
        publisher.run_once()
    prediction.refresh_from_db()
    assert (prediction.published_at, prediction.attempts) == (None, 0)
    assert publisher.run_once() == 1
    assert [record.key() for record in broker.records(Topic.REQUESTS)] == [str(prediction.pk).encode()]


@pytest.mark.database
def test_a_broker_that_is_down_loses_nothing(broker: MockKafka, monkeypatch):
    monkeypatch.setattr(kafka.Publisher.flush, "__defaults__", (0.3,))
    publisher = make_publisher(bell=NoBell())
    broker.go_down()
    keys = {str(accepted().pk).encode() for _ in range(3)}
    with pytest.raises(NotDelivered):
        publisher.run_once()
    assert Prediction.objects.filter(published_at=None).count() == 3
    broker.come_up()
    monkeypatch.undo()
    assert publisher.run_once() == 3
    assert {record.key() for record in broker.records(Topic.REQUESTS)} == keys


def test_a_full_batch_is_followed_by_the_next_without_a_wait(broker: MockKafka, monkeypatch):
    waits: list[float] = []

    class Counted:
        def wait(self, seconds: float) -> None:
            waits.append(seconds)

    monkeypatch.setattr(outbox, "BATCH_SIZE", 2)
    publisher = make_publisher(bell=Counted())
    for _ in range(5):
        accepted(visitor())
    assert [publisher.run_once() for _ in range(4)] == [2, 2, 1, 0]
    assert waits == [outbox.POLL_SECONDS]


# -- deadlines -----------------------------------------------------------------------------------------------------
@pytest.mark.database
def test_an_unanswered_question_is_published_again_with_the_same_id_and_the_next_attempt(broker: MockKafka, publisher):
    prediction = published()
    long_ago(prediction, published_at=6)
    assert publisher.run_once() == 1
    (record,) = broker.records(Topic.REQUESTS)
    assert record.key() == str(prediction.pk).encode()
    assert dict(record.headers())["attempt"] == b"2"


@pytest.mark.database
def test_at_the_deadline_the_owner_is_told_even_while_the_broker_is_down(broker: MockKafka, monkeypatch):
    monkeypatch.setattr(kafka.Publisher.flush, "__defaults__", (0.3,))
    publisher = make_publisher(bell=NoBell())
    broker.go_down()
    prediction = accepted()
    long_ago(prediction, requested_at=31)
    with pytest.raises(NotDelivered):
        publisher.run_once()
    prediction.refresh_from_db()
    assert prediction.status == "failed"
    assert "30 seconds" in prediction.reason["detail"]


@pytest.mark.database
def test_all_are_told_at_the_deadline_before_the_broker_is_waited_for(broker: MockKafka, monkeypatch):
    monkeypatch.setattr(kafka.Publisher.flush, "__defaults__", (0.3,))
    monkeypatch.setattr(outbox, "BATCH_SIZE", 2)
    publisher = make_publisher(bell=NoBell())
    broker.go_down()
    for prediction in [accepted() for _ in range(5)]:
        long_ago(prediction, requested_at=31)
    with pytest.raises(NotDelivered):
        publisher.run_once()
    assert Prediction.objects.filter(status="failed").count() == 5


def test_a_marked_dead_letter_is_put_back_by_the_publisher(broker: MockKafka, publisher):
    letters.stored(key=b"k")
    dead_letters.mark_for_replay(DeadLetter.objects.all(), by=user())
    publisher.run_once()
    assert [record.key() for record in broker.records(Topic.REQUESTS)] == [b"k"]


# -- the doorbell --------------------------------------------------------------------------------------------------
def test_the_bell_is_heard_long_before_the_poll():
    listener = DoorbellListener()
    listener.wait(0.05)
    threading.Timer(0.1, doorbell.ring).start()
    started = time.monotonic()
    listener.wait(10)
    assert time.monotonic() - started < 2


def test_many_rings_are_one_and_the_next_wait_waits():
    listener = DoorbellListener()
    listener.wait(0.05)
    for _ in range(20):
        doorbell.ring()
    listener.wait(10)
    started = time.monotonic()
    listener.wait(0.2)
    assert time.monotonic() - started >= 0.15


def test_without_redis_the_listener_waits_its_poll_interval_and_says_so_once(redis_away, caplog):
    listener = DoorbellListener()
    started = time.monotonic()
    for _ in range(3):
        listener.wait(0.1)
    assert 0.3 <= time.monotonic() - started < 1.5
    assert len([record for record in caplog.records if "doorbell" in record.getMessage()]) == 1


def test_the_bell_is_heard_again_after_redis_was_away(redis_away):
    listener = DoorbellListener()
    listener.wait(0.05)
    redis_away.start()
    redis_away.wait_ready(20)
    listener.wait(0.05)
    threading.Timer(0.1, doorbell.ring).start()
    started = time.monotonic()
    listener.wait(10)
    assert time.monotonic() - started < 2


def test_without_redis_a_row_is_published_all_the_same(broker: MockKafka, redis_away):
    accepted()
    publisher = make_publisher(bell=DoorbellListener())
    assert publisher.run_once() == 1
    accepted()
    assert publisher.run_once() == 1


def test_ringing_without_redis_fails_nothing_and_is_not_tried_at_every_request(redis_away, caplog):
    for _ in range(5):
        doorbell.ring()
    assert len([record for record in caplog.records if "doorbell" in record.getMessage()]) == 1


def test_a_redis_that_hangs_delays_a_publisher_that_starts_and_does_not_stop_it(valkey):
    os.kill(valkey.process.pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        DoorbellListener().wait(0.1)
        assert time.monotonic() - started < 2
    finally:
        os.kill(valkey.process.pid, signal.SIGCONT)


def test_a_redis_that_begins_to_hang_leaves_the_poll_interval_as_it_is(valkey):
    listener = DoorbellListener()
    listener.wait(0.05)
    os.kill(valkey.process.pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        for _ in range(3):
            listener.wait(0.1)
        assert time.monotonic() - started < 2
    finally:
        os.kill(valkey.process.pid, signal.SIGCONT)
