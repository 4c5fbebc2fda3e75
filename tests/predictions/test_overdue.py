"""What takes too long: published again, given up at the deadline, and answered late all the same."""

import time
import uuid

import pytest

from predictions import services
from predictions.models import IntegrationSource, Prediction
from predictions.overdue import PROBES
from tests.making import answer, answered, long_ago, published, refusal, user, visitor
from tests.predictions.conftest import kinds

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def overdue() -> list[uuid.UUID]:
    with services.claim_overdue(limit=100) as rows:
        return [row.id for row in rows]


def test_a_question_is_overdue_five_seconds_after_it_was_published():
    prediction = published()
    long_ago(prediction, published_at=4)
    assert overdue() == []
    long_ago(prediction, published_at=6)
    assert overdue() == [prediction.pk]


def test_after_the_second_publish_ten_more_seconds_are_waited_and_there_is_no_fourth():
    prediction = published()
    for attempts, waited, expected in [(2, 6, []), (2, 11, [prediction.pk]), (3, 25, [])]:
        Prediction.objects.filter(pk=prediction.pk).update(attempts=attempts)
        long_ago(prediction, published_at=waited)
        assert overdue() == expected


def published_ago(seconds: float) -> dict[str, int]:
    """The stages of a record that was published so long ago."""
    return {"published": int((time.time() - seconds) * 1000)}


def test_in_a_long_queue_that_moves_nobody_is_overdue_until_overtaken():
    waiting, ahead, behind = (published() for _ in range(3))
    long_ago(waiting, published_at=8)
    services.record_answers([answer(ahead.pk, stages=published_ago(9))])
    assert overdue() == []
    services.record_answers([answer(behind.pk, stages=published_ago(6))])
    assert overdue() == [waiting.pk]


def test_the_first_record_of_a_question_that_was_published_twice_overtakes_nobody():
    waiting, twice = published(), published()
    long_ago(waiting, published_at=8)
    long_ago(twice, published_at=1)
    services.record_answers([answer(twice.pk, stages=published_ago(20))])
    assert overdue() == []


def test_an_answer_without_its_stages_overtakes_by_what_its_row_knows():
    waiting, behind = published(), published()
    long_ago(waiting, published_at=8)
    long_ago(behind, published_at=6)
    services.record_answers([answer(behind.pk, stages={})])
    assert overdue() == [waiting.pk]


def test_a_strangers_clock_of_another_age_stops_nobody():
    waiting, strange = published(), published()
    long_ago(waiting, published_at=8)
    services.record_answers([answer(strange.pk, stages={"published": 999_999_999_999_999})])
    assert overdue() == [waiting.pk]


def test_what_an_integration_puts_on_the_topic_stops_nobody():
    waiting, behind = published(), published()
    long_ago(waiting, published_at=8)
    services.record_answers([answer(behind.pk, stages=published_ago(6))])
    IntegrationSource.objects.create(name="listings", owner=user())
    services.record_answers([answer(uuid.uuid4(), source="listings", stages={"published": 0})])
    assert overdue() == [waiting.pk]


def test_an_answer_of_a_clock_that_was_an_hour_ahead_stops_nobody_for_that_hour():
    waiting, ahead, behind = (published() for _ in range(3))
    long_ago(waiting, published_at=8)
    services.record_answers([answer(ahead.pk, stages=published_ago(60))])
    long_ago(ahead, settled_at=-3600)
    services.record_answers([answer(behind.pk, stages=published_ago(6))])
    assert overdue() == [waiting.pk]


def test_an_old_answer_that_somebody_takes_to_an_account_overtakes_and_stops_nobody():
    mine, waiting = answered(visitor("mine")), published()
    long_ago(mine, published_at=60, settled_at=59)
    long_ago(waiting, published_at=8)
    services.claim_visitor_predictions(visitor_feed_key="vmine", user=user())
    assert overdue() == [waiting.pk]


def test_while_nothing_is_answered_only_the_oldest_few_are_published_again():
    rows = [published() for _ in range(PROBES + 1)]
    for number, row in enumerate(rows):
        long_ago(row, requested_at=8 + number, published_at=8)
    assert overdue() == [row.pk for row in reversed(rows[1:])]


def test_what_missed_its_deadline_is_published_again_for_ten_minutes():
    prediction = published()
    long_ago(prediction, requested_at=60, published_at=60)
    services.fail_expired(limit=100)
    assert overdue() == [prediction.pk]
    long_ago(prediction, settled_at=601)
    assert overdue() == []


def test_what_was_given_up_first_is_published_again_first():
    given_up = published()
    long_ago(given_up, requested_at=60, published_at=60)
    services.fail_expired(limit=100)
    waiting = published()
    long_ago(waiting, requested_at=20, published_at=20)
    assert overdue() == [given_up.pk, waiting.pk]


def test_what_is_answered_is_neither_overdue_nor_given_up():
    prediction = answered()
    long_ago(prediction, requested_at=60, published_at=60)
    assert overdue() == []
    assert services.fail_expired(limit=100).feeds == set()


def test_at_the_deadline_the_feed_tells_that_there_is_no_answer_and_why():
    prediction = published()
    long_ago(prediction, requested_at=29)
    assert services.fail_expired(limit=100).feeds == set()
    long_ago(prediction, requested_at=31)
    assert services.fail_expired(limit=100).feeds == {"v1"}
    assert services.fail_expired(limit=100).feeds == set()
    prediction.refresh_from_db()
    assert (prediction.status, prediction.reason["code"]) == ("failed", "deadline")
    assert kinds() == ["failed"]


def test_a_late_answer_still_wins_and_says_that_it_is_late():
    prediction = published()
    long_ago(prediction, requested_at=31)
    services.fail_expired(limit=100)
    assert services.record_answers([answer(prediction.pk)]).feeds == {"v1"}
    prediction.refresh_from_db()
    assert (prediction.status, prediction.reason) == ("answered", None)
    assert services.LATE in prediction.flags
    assert kinds() == ["failed", "answered"]


def test_a_verdict_that_comes_after_the_deadline_replaces_it():
    prediction = published()
    long_ago(prediction, requested_at=31)
    services.fail_expired(limit=100)
    assert services.record_refusals([refusal(prediction.pk)]).feeds == {"v1"}
    prediction.refresh_from_db()
    assert (prediction.status, prediction.reason["code"]) == ("rejected", "unsupported_location")
