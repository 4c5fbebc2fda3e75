"""The life of a prediction, as `predictions.services` writes it."""

import threading
import uuid
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from predictions import services
from predictions.callers import Caller
from predictions.models import FeedEvent, IntegrationSource, Prediction
from tests.making import FEATURES, accepted, answer, answered, publish_all, published, refusal, user, visitor
from tests.predictions.conftest import kinds

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@contextmanager
def in_thread(function: Callable[[], object]):
    """`function` on a thread with a database connection of its own; joined, and its exception raised, at the end."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            function()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield thread
    thread.join(20)
    assert not thread.is_alive()
    assert not raised, raised


# -- the door and the outbox ---------------------------------------------------------------------------------------
def test_an_accepted_prediction_waits_in_the_outbox_of_its_owner():
    owner = user()
    prediction = accepted(Caller.of_user(owner), source="page")
    prediction.refresh_from_db()
    assert (prediction.status, prediction.published_at, prediction.attempts) == ("accepted", None, 0)
    assert (prediction.owner, prediction.feed_key, prediction.source) == (owner, f"u{owner.pk}", "page")
    assert not prediction.is_settled


def test_the_outbox_gives_the_oldest_rows_first_and_no_more_than_asked():
    rows = [accepted() for _ in range(3)]
    with services.claim_unpublished(limit=2) as claimed:
        assert [row.id for row in claimed] == [row.pk for row in rows[:2]]
        assert claimed[0].features == rows[0].features


def test_marked_rows_leave_the_outbox():
    prediction = accepted()
    assert publish_all() == 1
    assert publish_all() == 0
    prediction.refresh_from_db()
    assert (prediction.status, prediction.attempts) == ("published", 1)
    assert prediction.published_at is not None


def test_what_was_not_marked_stays_in_the_outbox():
    accepted()
    with pytest.raises(ConnectionError), services.claim_unpublished(limit=10):
        raise ConnectionError("the broker is away")
    assert publish_all() == 1


def test_an_answer_that_came_before_the_mark_keeps_its_status():
    prediction = accepted()
    with services.claim_unpublished(limit=10) as rows:
        pass
    services.record_answers([answer(prediction.pk)])
    services.mark_published(rows)
    prediction.refresh_from_db()
    assert prediction.status == "answered"
    assert prediction.published_at is not None


@pytest.mark.django_db(transaction=True)
def test_two_publishers_skip_each_others_rows():
    if not connection.features.has_select_for_update_skip_locked:
        pytest.skip("SQLite has no row locks: a row may be published twice there")
    first, second = accepted(), accepted()
    other: list[uuid.UUID] = []

    def claim_the_rest() -> None:
        with services.claim_unpublished(limit=10) as rows:
            other.extend(row.id for row in rows)

    with services.claim_unpublished(limit=1) as rows:
        with in_thread(claim_the_rest):
            pass
        assert [row.id for row in rows] == [first.pk]
    assert other == [second.pk]


@pytest.mark.django_db(transaction=True)
def test_a_row_that_waits_for_the_broker_with_its_publisher_keeps_no_other_from_its_deadline(settings):
    if not connection.features.has_select_for_update_skip_locked:
        pytest.skip("SQLite has no row locks")
    settings.ANSWER_DEADLINE_SECONDS = 0
    other = published()
    accepted()
    told: list[uuid.UUID] = []
    with services.claim_unpublished(limit=1), in_thread(lambda: told.extend(services.fail_expired(limit=10).told)):
        pass
    assert told == [other.pk]


# -- answers -------------------------------------------------------------------------------------------------------
def test_an_answer_is_stored_whole_with_model_hash_and_shadows():
    prediction = published()
    assert services.record_answers([answer(prediction.pk)]).feeds == {"v1"}
    prediction.refresh_from_db()
    assert prediction.status == "answered"
    assert (prediction.price, prediction.low, prediction.high) == (452_600, 390_000, 500_001)
    assert (prediction.model_id, prediction.model_sha256) == ("monotone-hgb-1", "a" * 64)
    assert prediction.shadows == {"baseline": {"price": 400_000, "low": 300_000, "high": 500_000}}
    assert prediction.flags == ["capped"]
    assert prediction.stages["published"] == 1_767_312_000_123
    assert prediction.stages["stored"] == int(prediction.settled_at.timestamp() * 1000)
    assert kinds() == ["answered"]


def test_a_second_answer_changes_nothing_and_moves_no_feed():
    prediction = answered()
    assert services.record_answers([answer(prediction.pk, price=400_000)]).feeds == set()
    prediction.refresh_from_db()
    assert prediction.price == 452_600
    assert kinds() == ["answered"]


def test_two_answers_to_one_prediction_in_a_batch_are_one():
    prediction = published()
    services.record_answers([answer(prediction.pk), answer(prediction.pk)])
    assert kinds() == ["answered"]


def test_a_late_answer_wins_over_a_refusal_and_is_told():
    prediction = published()
    services.record_refusals([refusal(prediction.pk)])
    services.record_answers([answer(prediction.pk)])
    prediction.refresh_from_db()
    assert (prediction.status, prediction.reason, prediction.price) == ("answered", None, 452_600)
    assert kinds() == ["rejected", "answered"]


def test_a_batch_moves_each_owners_feed_and_no_other():
    mine, theirs = published(visitor("1")), published(visitor("2"))
    accepted(visitor("3"))
    assert services.record_answers([answer(mine.pk), answer(theirs.pk)]).feeds == {"v1", "v2"}
    assert (kinds("v1"), kinds("v2"), kinds("v3")) == (["answered"], ["answered"], [])


def test_the_event_is_in_the_transaction_of_its_answer(monkeypatch):
    prediction = published()

    def fail(*args) -> None:
        raise ConnectionError("the database went away before the event")

    monkeypatch.setattr(services, "_append_events", fail)
    with pytest.raises(ConnectionError):
        services.record_answers([answer(prediction.pk)])
    prediction.refresh_from_db()
    assert prediction.status == "published"
    assert kinds() == []


# -- adoption ------------------------------------------------------------------------------------------------------
def test_an_answer_without_a_row_is_adopted_for_its_integration_account():
    owner = user("feeds")
    IntegrationSource.objects.create(name="csv-drop", owner=owner)
    stranger = answer(uuid.uuid4(), source="csv-drop", requested_at=datetime(2026, 3, 4, tzinfo=UTC))
    assert services.record_answers([stranger]).feeds == {f"u{owner.pk}"}
    adopted = Prediction.objects.get(pk=stranger.id)
    assert (adopted.owner, adopted.source, adopted.status) == (owner, "csv-drop", "answered")
    assert adopted.requested_at == adopted.published_at == datetime(2026, 3, 4, tzinfo=UTC)
    assert adopted.features == stranger.features
    assert kinds(f"u{owner.pk}") == ["answered"]


def test_an_adopted_answer_that_comes_again_is_one_prediction():
    IntegrationSource.objects.create(name="csv-drop", owner=user())
    stranger = answer(uuid.uuid4(), source="csv-drop")
    services.record_answers([stranger])
    assert services.record_answers([stranger]).feeds == set()
    assert Prediction.objects.count() == FeedEvent.objects.count() == 1


def test_an_unknown_source_stores_nothing_of_its_batch():
    prediction = published()
    with pytest.raises(services.UnknownSource, match="nobody"):
        services.record_answers([answer(prediction.pk), answer(uuid.uuid4(), source="nobody")])
    prediction.refresh_from_db()
    assert prediction.status == "published"
    assert Prediction.objects.count() == 1


def test_predictions_without_a_row_have_no_source():
    known, unknown = accepted().pk, uuid.uuid4()
    assert services.sources_of([known, unknown]) == {known: "api"}


def test_what_an_operator_corrected_is_told_with_the_price_it_was_answered_for():
    typed, right = published(), published()
    corrected = {**typed.features, "med_inc": 4.5}
    services.record_refusals([refusal(typed.pk)])
    services.record_answers([answer(typed.pk, features=corrected), answer(right.pk)])
    for prediction in (typed, right):
        prediction.refresh_from_db()
    assert (typed.features, right.features) == (corrected, FEATURES)
    assert (typed.flags, right.flags) == (["capped", services.CORRECTED], ["capped"])
    assert typed.price == right.price == 452_600


# -- refusals ------------------------------------------------------------------------------------------------------
def test_a_refusal_is_stored_with_its_reason_and_told():
    prediction = published()
    assert services.record_refusals([refusal(prediction.pk)]).feeds == {"v1"}
    prediction.refresh_from_db()
    assert prediction.status == "rejected"
    assert prediction.reason == {"code": "unsupported_location", "field": "latitude", "detail": "too far away"}
    assert prediction.is_settled
    assert kinds() == ["rejected"]


def test_a_refusal_of_a_settled_or_unknown_prediction_changes_nothing():
    prediction = answered()
    assert services.record_refusals([refusal(prediction.pk), refusal(uuid.uuid4())]).feeds == set()
    prediction.refresh_from_db()
    assert prediction.status == "answered"
    assert kinds() == ["answered"]


# -- what the database itself holds --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "values",
    [
        {"status": "answered"},
        {"status": "answered", "price": 5, "low": 6, "high": 7, "settled_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"status": "answered", "price": 8, "low": 6, "high": 7, "settled_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"status": "answered", "price": 6, "low": 6, "high": 7},
        {"status": "rejected", "settled_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"status": "failed", "reason": {"code": "late"}},
        {"feed_key": "u1"},
        {"feed_key": "x1"},
    ],
    ids=str,
)
def test_the_database_refuses_a_prediction_that_makes_no_sense(values):
    prediction = published()
    with pytest.raises(IntegrityError), transaction.atomic():
        Prediction.objects.filter(pk=prediction.pk).update(**values)


def test_a_users_prediction_can_not_stand_in_a_visitors_feed():
    prediction = published(Caller.of_user(user()))
    with pytest.raises(IntegrityError), transaction.atomic():
        Prediction.objects.filter(pk=prediction.pk).update(feed_key="v1")


# -- the feed ------------------------------------------------------------------------------------------------------
def test_a_feed_is_read_in_pages_after_a_cursor():
    for _ in range(3):
        answered()
    first = services.events_after(feed_key="v1", cursor=0, limit=2)
    rest = services.events_after(feed_key="v1", cursor=first[-1].pk, limit=2)
    assert [event.pk for event in first + rest] == sorted(event.pk for event in FeedEvent.objects.all())
    assert services.latest_cursor("v1") == rest[-1].pk
    assert services.latest_cursor("v2") == 0


def test_a_feed_can_be_read_for_one_prediction_alone():
    answered()
    wanted = answered()
    events = services.events_after(feed_key="v1", cursor=0, limit=10, prediction=wanted.pk)
    assert [event.prediction_id for event in events] == [wanted.pk]


def test_a_page_of_a_feed_is_one_query(django_assert_num_queries):
    for _ in range(3):
        answered()
    with django_assert_num_queries(1):
        assert [event.prediction.status for event in services.events_after(feed_key="v1", cursor=0, limit=9)]


@pytest.mark.django_db(transaction=True)
def test_a_reader_never_steps_over_an_event_that_commits_later():
    slow, quick = published(), published()
    is_stored, may_commit = threading.Event(), threading.Event()

    def store_and_linger() -> None:
        with transaction.atomic():
            services.record_answers([answer(slow.pk)])
            is_stored.set()
            assert may_commit.wait(20)

    with in_thread(store_and_linger):
        assert is_stored.wait(20)
        with in_thread(lambda: services.record_answers([answer(quick.pk)])) as quick_writer:
            # Without the lock it is done at once, with a larger id than the one that is not visible yet.
            quick_writer.join(0.5)
            seen = services.events_after(feed_key="v1", cursor=0, limit=10)
            may_commit.set()
    cursor = seen[-1].pk if seen else 0
    seen += services.events_after(feed_key="v1", cursor=cursor, limit=10)
    assert {event.prediction_id for event in seen} == {slow.pk, quick.pk}


@pytest.mark.parametrize("door", ["page", "api"])
def test_an_integration_is_never_named_like_a_door(door: str):
    with pytest.raises(IntegrityError), transaction.atomic():
        IntegrationSource.objects.create(name=door, owner=user())
