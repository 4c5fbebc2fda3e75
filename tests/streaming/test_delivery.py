"""The deliverer: every result becomes one answer and one event, whatever fails in between."""

import json
import time
import uuid
from unittest.mock import Mock

import pytest
from confluent_kafka import Consumer
from django.db import OperationalError

from predictions import services
from predictions.models import FeedEvent, IntegrationSource, Prediction
from streaming import delivery, kafka, metrics
from streaming.bells import Bells
from streaming.delivery import Deliverer
from streaming.kafka import NotDelivered
from streaming.models import DeadLetter
from streaming.stopped_lines import StoppableLine
from streaming.topics import Topic
from tests.making import FEATURES, published, user, visitor
from tests.streaming.mock_kafka import MESSAGE_TOO_LARGE, MockKafka

pytestmark = [pytest.mark.database, pytest.mark.django_db]
TOPICS = (Topic.RESULTS, Topic.DEAD_LETTERS)


class RecordedBells:
    def __init__(self) -> None:
        self.rung: list[set[str]] = []

    def ring(self, feeds: set[str]) -> None:
        self.rung.append(feeds)


def result(prediction_id: uuid.UUID, *, source: str = "api", **changes) -> tuple[bytes, bytes, list]:
    value = {
        "id": str(prediction_id),
        "price": 452_600,
        "low": 390_000,
        "high": 500_001,
        "model": {"id": "monotone-hgb-1", "sha256": "a" * 64},
        "flags": [],
        "features": FEATURES,
        "requested_at": "2026-01-02T00:00:00Z",
        "shadows": {},
    }
    return str(prediction_id).encode(), json.dumps(value | changes).encode(), [("source", source.encode())]


def verdict(prediction_id: uuid.UUID, stage: str) -> tuple[bytes, bytes, list]:
    headers = [("stage", stage.encode()), ("error", b"out_of_range"), ("error-field", b"med_inc")]
    return str(prediction_id).encode(), b"{}", [*headers, ("error-detail", b"med_inc must be less")]


def make_deliverer(consumer: Consumer, bells=None) -> Deliverer:
    return Deliverer(
        consumer=consumer,
        dead_letters=kafka.publisher(),
        bells=bells or RecordedBells(),
        line=StoppableLine("deliverer"),
    )


def run_until(deliverer: Deliverer, count: int) -> None:
    """Repeat the unit of work until `count` records went through it."""
    end = time.monotonic() + 15
    while count > 0 and time.monotonic() < end:
        count -= deliverer.run_once()
    assert count == 0


def test_results_become_answers_and_ring_their_owners(broker: MockKafka, consume):
    mine, theirs = published(visitor("1")), published(visitor("2"))
    broker.put(Topic.RESULTS, result(mine.pk), result(theirs.pk, price=400_000))
    bells = RecordedBells()
    run_until(make_deliverer(consume("g", *TOPICS), bells), 2)
    assert dict(Prediction.objects.values_list("pk", "price")) == {mine.pk: 452_600, theirs.pk: 400_000}
    assert set().union(*bells.rung) == {"v1", "v2"}
    assert set(FeedEvent.objects.values_list("feed_key", "kind")) == {("v1", "answered"), ("v2", "answered")}


@pytest.mark.parametrize(
    "bad",
    [
        (b"bad", b"\xff", []),
        (b"bad", None, []),
        (b"bad", b"{}", []),
        result(uuid.UUID(int=1), price=1),
        result(uuid.UUID(int=1), flags=["nul\0"]),
    ],
    ids=["not UTF-8", "no value", "no id", "outside its range", "NUL"],
)
def test_an_unreadable_result_is_dead_lettered_and_the_next_one_delivered(broker: MockKafka, consume, bad):
    prediction = published()
    broker.put(Topic.RESULTS, bad, result(prediction.pk))
    run_until(make_deliverer(consume("g", Topic.RESULTS)), 2)
    prediction.refresh_from_db()
    assert prediction.status == "answered"
    (letter,) = broker.records(Topic.DEAD_LETTERS)
    assert letter.value() == bad[1]
    assert dict(letter.headers())["stage"] == b"deliverer"


def test_a_dead_letter_of_our_own_is_read_and_makes_no_other(broker: MockKafka, consume):
    broker.put(Topic.RESULTS, (b"bad", b"{", []))
    deliverer = make_deliverer(consume("g", *TOPICS))
    run_until(deliverer, 2)
    assert len(broker.records(Topic.DEAD_LETTERS)) == 1


def test_a_result_of_nobodys_is_dead_lettered_and_the_rest_of_its_batch_delivered(broker: MockKafka, consume):
    prediction = published()
    broker.put(Topic.RESULTS, result(uuid.UUID(int=7), source="nobody"), result(prediction.pk))
    run_until(make_deliverer(consume("g", Topic.RESULTS)), 2)
    prediction.refresh_from_db()
    assert prediction.status == "answered"
    (letter,) = broker.records(Topic.DEAD_LETTERS)
    headers = dict(letter.headers())
    assert (headers["error"], headers["error-field"]) == (b"unknown_source", b"source")


def test_an_integration_that_uses_somebody_elses_id_answers_and_rejects_nothing_and_is_told_in_the_inbox(
    broker: MockKafka, consume
):
    """One of each: a visitor's question, and the record of another integration that came first."""
    for name in ("first", "second"):
        IntegrationSource.objects.create(name=name, owner=user(name))
    prediction, taken = published(), uuid.uuid4()
    key, value, headers = verdict(prediction.pk, "prepare-request")
    broker.put(Topic.RESULTS, result(prediction.pk, source="first", price=400_000), result(taken, source="first"))
    broker.put(Topic.RESULTS, result(taken, source="second", price=400_000))
    broker.put(Topic.DEAD_LETTERS, (key, value, [*headers, ("source", b"first")]))
    run_until(make_deliverer(consume("g", *TOPICS)), 6)
    prediction.refresh_from_db()
    assert prediction.status == "published"
    assert Prediction.objects.get(pk=taken).source == "first"
    assert Prediction.objects.get(pk=taken).price == 452_600
    assert [letter.error for letter in DeadLetter.objects.order_by("pk")].count("foreign_id") == 2


def test_a_result_from_a_known_integration_is_adopted(broker: MockKafka, consume):
    owner = user()
    IntegrationSource.objects.create(name="csv-drop", owner=owner)
    bells = RecordedBells()
    broker.put(Topic.RESULTS, result(uuid.UUID(int=7), source="csv-drop"))
    run_until(make_deliverer(consume("g", Topic.RESULTS), bells), 1)
    assert Prediction.objects.get(pk=uuid.UUID(int=7)).owner == owner
    assert bells.rung == [{f"u{owner.pk}"}]


@pytest.mark.parametrize("stage", ["prepare-request", "worker"])
def test_a_verdict_on_a_question_is_told_to_the_one_who_asked(broker: MockKafka, consume, stage):
    prediction = published()
    bells = RecordedBells()
    broker.put(Topic.DEAD_LETTERS, verdict(prediction.pk, stage))
    run_until(make_deliverer(consume("g", *TOPICS), bells), 1)
    prediction.refresh_from_db()
    assert prediction.status == "rejected"
    assert prediction.reason == {"code": "out_of_range", "field": "med_inc", "detail": "med_inc must be less"}
    assert bells.rung == [{"v1"}]


def test_a_dead_letter_of_another_stage_leaves_the_prediction_waiting(broker: MockKafka, consume):
    prediction = published()
    broker.put(Topic.DEAD_LETTERS, verdict(prediction.pk, "scorer"))
    run_until(make_deliverer(consume("g", *TOPICS)), 1)
    prediction.refresh_from_db()
    assert prediction.status == "published"


@pytest.mark.parametrize("stage", ["prepare-request", "scorer"])
def test_every_dead_letter_is_kept_in_the_inbox(broker: MockKafka, consume, stage):
    prediction = published()
    broker.put(Topic.DEAD_LETTERS, verdict(prediction.pk, stage))
    run_until(make_deliverer(consume("g", *TOPICS)), 1)
    letter = DeadLetter.objects.get()
    assert (letter.stage, letter.prediction_id, letter.status) == (stage, prediction.pk, "received")


# -- what fails ----------------------------------------------------------------------------------------------------
def test_a_crash_between_store_and_commit_makes_no_second_event(broker: MockKafka):
    class Killed(BaseException):
        pass

    class DeadlyBells:
        def ring(self, feeds: set[str]) -> None:
            raise Killed

    prediction = published()
    broker.put(Topic.RESULTS, result(prediction.pk))
    consumer = kafka.consumer("g", [Topic.RESULTS])
    with pytest.raises(Killed):
        run_until(make_deliverer(consumer, DeadlyBells()), 1)
    assert broker.committed("g", Topic.RESULTS) < 0
    bells = RecordedBells()
    run_until(make_deliverer(consumer, bells), 1)
    consumer.close()
    assert FeedEvent.objects.count() == 1
    assert bells.rung == [set()]
    assert broker.committed("g", Topic.RESULTS) == 1


def test_a_database_error_leaves_the_batch_uncommitted_and_it_is_read_again(broker: MockKafka, monkeypatch):
    def fail(answers) -> set[str]:
        raise OperationalError("the database went away")

    prediction = published()
    broker.put(Topic.RESULTS, result(prediction.pk))
    consumer = kafka.consumer("g", [Topic.RESULTS])
    deliverer = make_deliverer(consumer)
    with monkeypatch.context() as broken:
        broken.setattr(services, "record_answers", fail)
        with pytest.raises(OperationalError):
            run_until(deliverer, 1)
    assert broker.committed("g", Topic.RESULTS) < 0
    run_until(deliverer, 1)
    consumer.close()
    prediction.refresh_from_db()
    assert prediction.status == "answered"
    assert broker.committed("g", Topic.RESULTS) == 1


def test_a_bad_record_that_is_read_again_is_buried_and_judged_once_however_the_batches_are_cut(
    broker: MockKafka, monkeypatch
):
    def fail(answers) -> set[str]:
        raise OperationalError("the database is locked")

    judged: list[bool] = []
    monkeypatch.setattr(StoppableLine, "judge", lambda self, are_invalid: judged.extend(are_invalid))
    first, second = published(), published()
    broker.put(Topic.RESULTS, result(first.pk), (b"bad", b"{", []), result(second.pk))
    consumer = kafka.consumer("g", [Topic.RESULTS])
    deliverer = make_deliverer(consumer)
    with monkeypatch.context() as broken:
        broken.setattr(services, "record_answers", fail)
        for limit in (3, 1, 2):
            broken.setattr(delivery, "BATCH_SIZE", limit)
            with pytest.raises(OperationalError):
                run_until(deliverer, 3)
    run_until(deliverer, 3)
    consumer.close()
    assert set(Prediction.objects.values_list("status", flat=True)) == {"answered"}
    assert len(broker.records(Topic.DEAD_LETTERS)) == 1
    assert judged == [False, True, False]


def test_a_letter_is_counted_once_however_often_its_batch_is_read(broker: MockKafka, consume, monkeypatch):
    counted: list[str] = []
    monkeypatch.setattr(metrics, "count_dead_letter", lambda stage, error: counted.append(stage))
    broker.put(Topic.DEAD_LETTERS, verdict(published().pk, "worker"))
    deliverer = make_deliverer(consume("g", *TOPICS))
    with monkeypatch.context() as broken:
        broken.setattr(deliverer, "_bury", Mock(side_effect=NotDelivered("the broker is away")))
        for _ in range(2):
            with pytest.raises(NotDelivered):
                run_until(deliverer, 1)
    run_until(deliverer, 1)
    assert counted == ["worker"]


def test_an_answer_whose_question_is_deleted_while_it_is_stored_stops_nothing(broker: MockKafka, consume, monkeypatch):
    deleted, prediction = published(), published()
    broker.put(Topic.RESULTS, result(deleted.pk), result(prediction.pk))
    Prediction.objects.filter(pk=deleted.pk).delete()
    monkeypatch.setattr(services, "sources_of", lambda ids: dict.fromkeys(ids, "api"))
    run_until(make_deliverer(consume("g", Topic.RESULTS)), 2)
    assert [*Prediction.objects.values_list("pk", "status")] == [(prediction.pk, "answered")]


def test_a_letter_whose_verdict_is_not_stored_is_not_kept_either(broker: MockKafka, monkeypatch):
    def fail(refusals) -> set[str]:
        raise OperationalError("the database went away")

    broker.put(Topic.DEAD_LETTERS, verdict(published().pk, "worker"))
    consumer = kafka.consumer("g", TOPICS)
    deliverer = make_deliverer(consumer)
    with monkeypatch.context() as broken:
        broken.setattr(services, "record_refusals", fail)
        with pytest.raises(OperationalError):
            run_until(deliverer, 1)
    assert not DeadLetter.objects.exists()
    run_until(deliverer, 1)
    consumer.close()
    assert DeadLetter.objects.count() == 1


def test_a_dead_letter_that_is_not_acknowledged_is_written_again(broker: MockKafka, consume):
    prediction = published()
    broker.put(Topic.RESULTS, (b"bad", b"{", []), result(prediction.pk))
    deliverer = make_deliverer(consume("g", Topic.RESULTS))
    broker.refuse_produce(MESSAGE_TOO_LARGE, times=1)
    with pytest.raises(NotDelivered):
        run_until(deliverer, 2)
    run_until(deliverer, 2)
    prediction.refresh_from_db()
    assert prediction.status == "answered"
    assert len(broker.records(Topic.DEAD_LETTERS)) == 1


def test_bells_that_fail_stop_nothing(broker: MockKafka, consume, redis_away):
    first, second = published(), published()
    deliverer = make_deliverer(consume("g", Topic.RESULTS), Bells())
    broker.put(Topic.RESULTS, result(first.pk))
    started = time.monotonic()
    run_until(deliverer, 1)
    assert time.monotonic() - started < 5
    redis_away.start()
    redis_away.wait_ready(20)
    broker.put(Topic.RESULTS, result(second.pk))
    run_until(deliverer, 1)
    assert set(Prediction.objects.values_list("status", flat=True)) == {"answered"}


def test_the_late_answer_to_a_question_that_its_owner_deleted_leaves_nothing(broker: MockKafka, consume):
    deleted, kept = published(), published()
    answer_of_deleted = result(deleted.pk, source="page")
    deleted.delete()
    broker.put(Topic.RESULTS, answer_of_deleted, result(kept.pk))
    run_until(make_deliverer(consume("g", Topic.RESULTS)), 2)
    assert list(Prediction.objects.values_list("pk", "status")) == [(kept.pk, "answered")]
    assert broker.records(Topic.DEAD_LETTERS) == []
