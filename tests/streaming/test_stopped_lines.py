"""The dead-letter limit: a consumer to which most records are bad stops and keeps them on the topic."""

import time

import pytest
from django.db import OperationalError

from predictions.models import Prediction
from streaming import kafka, stopped_lines
from streaming.models import StoppedLine
from streaming.stopped_lines import WINDOW, LineStopped, StoppableLine, resume
from streaming.topics import Topic
from tests.making import published, user
from tests.stack import wait_until
from tests.streaming.mock_kafka import MockKafka
from tests.streaming.test_delivery import make_deliverer, result
from tests.streaming.test_scoring import make_scorer

pytestmark = [pytest.mark.database, pytest.mark.django_db]
BAD = (b"bad", b"{", [])


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch) -> None:
    monkeypatch.setattr(stopped_lines, "LOOK_SECONDS", 0)


def test_half_of_the_window_may_be_bad():
    line = StoppableLine("scorer")
    for _ in range(WINDOW):
        line.judge([True, False])
    line.check_open()


def test_a_few_bad_ones_at_the_start_are_no_reason_to_stop():
    line = StoppableLine("scorer")
    line.judge([True] * (WINDOW // 2))
    line.check_open()


def test_more_than_half_of_the_window_stops_the_line_for_every_member_of_the_group_and_after_a_restart():
    with pytest.raises(LineStopped):
        StoppableLine("scorer").judge([True] * (WINDOW // 2 + 1))
    with pytest.raises(LineStopped):
        StoppableLine("scorer").check_open()
    StoppableLine("deliverer").check_open()
    (stop,) = stopped_lines.stopped_lines()
    assert (stop.consumer, stop.detail) == ("scorer", "51 of the last 51 records could not be used")


def test_two_members_that_stop_together_are_one_stop():
    for line in (StoppableLine("scorer"), StoppableLine("scorer")):
        with pytest.raises(LineStopped):
            line.judge([True] * WINDOW)
    assert StoppedLine.objects.count() == 1


def test_a_resumed_line_reads_one_batch_unjudged_and_stops_at_the_next_bad_ones():
    line, operator = StoppableLine("scorer"), user()
    with pytest.raises(LineStopped):
        line.judge([True] * WINDOW)
    with pytest.raises(LineStopped):
        line.check_open()
    (stop,) = stopped_lines.stopped_lines()
    assert resume(stop, by=operator)
    assert not resume(stop, by=operator)
    line.check_open()
    line.judge([True] * WINDOW)
    with pytest.raises(LineStopped):
        line.judge([True] * WINDOW)
    stop.refresh_from_db()
    assert (stop.resumed_by, stop.resumed_at is not None) == (operator, True)


def run_until_stopped(run_once) -> None:
    end = time.monotonic() + 15
    while time.monotonic() < end:
        run_once()


def test_a_deliverer_that_can_read_hardly_anything_leaves_its_topic_as_it_is(broker: MockKafka):
    prediction = published()
    broker.put(Topic.RESULTS, *[BAD] * WINDOW, result(prediction.pk))
    consumer = kafka.consumer("g", [Topic.RESULTS])
    deliverer = make_deliverer(consumer)
    with pytest.raises(LineStopped):
        run_until_stopped(deliverer.run_once)
    assert len(broker.records(Topic.DEAD_LETTERS)) <= WINDOW / 2
    with pytest.raises(LineStopped):
        deliverer.run_once()
    (stop,) = stopped_lines.stopped_lines()
    resume(stop, by=user())
    wait_until(lambda: deliverer.run_once() and Prediction.objects.get().status == "answered", 15, "the answer")
    consumer.close()
    assert len(broker.records(Topic.DEAD_LETTERS)) == WINDOW


def test_a_scorer_that_can_read_hardly_anything_enqueues_nothing(broker: MockKafka, consume):
    broker.put(Topic.FEATURES, *[BAD] * WINDOW)
    with pytest.raises(LineStopped):
        run_until_stopped(
            make_scorer(consume("g", Topic.FEATURES), enqueue=list, line=StoppableLine("scorer")).run_once
        )
    (stop,) = stopped_lines.stopped_lines()
    assert stop.consumer == "scorer"
    assert len(broker.records(Topic.DEAD_LETTERS)) <= WINDOW / 2
    with pytest.raises(LineStopped):
        make_scorer(consume("another", Topic.FEATURES), enqueue=list, line=StoppableLine("scorer")).run_once()


def test_a_line_whose_database_is_away_goes_on_as_it_was(monkeypatch):
    def fail(*_, **__):
        raise OperationalError("the database went away")

    line = StoppableLine("scorer")
    monkeypatch.setattr(StoppedLine.objects, "filter", fail)
    line.check_open()
