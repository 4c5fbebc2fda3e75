"""The line as it is measured: who stands in it, and how fast it moves."""

import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from predictions import line
from predictions.line import Line, read_line
from predictions.models import IntegrationSource, Prediction
from tests.making import accepted, answer, long_ago, published, services, user, waiting

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def moment(monkeypatch) -> datetime:
    """Now, however long it takes to store what is read."""
    now = timezone.now()
    monkeypatch.setattr(line, "timezone", SimpleNamespace(now=lambda: now))
    return now


@pytest.fixture
def answers(moment: datetime) -> Callable[..., None]:
    """Have so many questions answered so many seconds before the moment, all at once."""

    def answer_many(count: int, *, seconds_ago: float) -> None:
        rows = [accepted() for _ in range(count)]
        services.record_answers([answer(row.pk) for row in rows])
        settled_at = moment - timedelta(seconds=seconds_ago)
        Prediction.objects.filter(pk__in=[row.pk for row in rows]).update(settled_at=settled_at)

    return answer_many


def test_the_rate_is_that_of_the_answers_of_the_last_seconds_while_there_is_a_queue(answers):
    waiting(50)
    answers(7, seconds_ago=12)
    answers(5, seconds_ago=4)
    answers(10, seconds_ago=2)
    answers(10, seconds_ago=1)
    found = read_line(None)
    assert found.length == 50
    assert found.rate == pytest.approx(20 / 3), "those of the first moment came before it"


def test_a_few_that_wait_are_no_queue(answers):
    waiting(line.SHORT - 1)
    answers(1, seconds_ago=4)
    answers(1, seconds_ago=1)
    assert read_line(None).rate is None


def test_a_line_that_moves_within_a_second_is_no_queue(answers):
    waiting(line.SHORT)
    answers(90, seconds_ago=1)
    answers(1, seconds_ago=2)
    assert read_line(None).rate is None


def test_after_an_outage_the_rate_counts_from_the_first_answer(answers):
    waiting(500)
    answers(1, seconds_ago=0.5)
    answers(40, seconds_ago=0.2)
    assert read_line(None).rate == pytest.approx(40 / 0.3)


def test_when_an_outage_begins_the_rate_does_not_sink_with_every_second_of_it(answers):
    waiting(200)
    answers(10, seconds_ago=4.8)
    answers(50, seconds_ago=3.8)
    assert read_line(None).rate == pytest.approx(50)


def test_answers_of_a_clock_that_is_an_hour_ahead_are_none(answers):
    waiting(500)
    answers(1, seconds_ago=0.5)
    answers(40, seconds_ago=0.2)
    answers(5, seconds_ago=-3600)
    assert read_line(None).rate == pytest.approx(40 / 0.3)


def test_where_nothing_was_answered_lately_there_is_no_rate_even_if_there_was_one(answers):
    waiting(50)
    answers(20, seconds_ago=6)
    before = Line(100, rate=50.0, rate_read_at=time.monotonic(), read_at=time.monotonic())
    assert read_line(before).rate is None


def test_a_rate_holds_on_for_a_while_when_the_queue_is_gone():
    now = time.monotonic()
    assert read_line(Line(100, rate=50.0, rate_read_at=now - 20, read_at=now)).rate == 50
    assert read_line(Line(100, rate=50.0, rate_read_at=now - 40, read_at=now)).rate is None


@pytest.fixture
def records(moment: datetime) -> Callable[..., None]:
    """Have so many records of an integration adopted so many seconds before the moment."""
    IntegrationSource.objects.create(name="listings", owner=user())

    def adopt(count: int, *, seconds_ago: float) -> None:
        ids = [uuid.uuid4() for _ in range(count)]
        services.record_answers([answer(pk, source="listings") for pk in ids])
        Prediction.objects.filter(pk__in=ids).update(settled_at=moment - timedelta(seconds=seconds_ago))

    return adopt


def test_what_integrations_put_on_the_topic_makes_the_line_of_the_doors_no_faster(answers, records):
    waiting(50)
    for seconds_ago in (3, 2, 1):
        answers(10, seconds_ago=seconds_ago)
        records(60, seconds_ago=seconds_ago - 0.5)
    assert read_line(None).rate == pytest.approx(10)


def test_how_fast_a_line_moves_that_waits_behind_an_integrations_records_is_unknown(records):
    waiting(50)
    records(60, seconds_ago=2)
    records(60, seconds_ago=1)
    before = Line(100, rate=50.0, rate_read_at=time.monotonic(), read_at=time.monotonic())
    assert read_line(before).rate is None


def test_missed_deadlines_are_no_answers(answers):
    waiting(50)
    answers(20, seconds_ago=2)
    Prediction.objects.filter(settled_at__isnull=False).update(
        status=Prediction.Status.FAILED, reason={"code": "deadline"}
    )
    assert read_line(None).rate is None


def test_those_who_were_given_up_stand_in_line_until_later_ones_are_answered(answers):
    waiting(30)
    given_up = [published() for _ in range(3)]
    for row, seconds in zip(given_up, (50, 40, 31), strict=True):
        long_ago(row, requested_at=60, published_at=seconds)
    services.fail_expired(limit=100)
    assert read_line(None).length == 30, "nothing is answered: nobody knows whether their turn will come"
    stages = {"published": int((time.time() - 45) * 1000)}
    services.record_answers([answer(published().pk, stages=stages)])
    assert read_line(None).length == 32


def test_those_who_were_given_up_before_they_were_published_stand_in_line(answers):
    services.record_answers([answer(published().pk)])
    long_ago(accepted(), requested_at=31)
    services.fail_expired(limit=100)
    assert read_line(None).length == 1
