"""The inbox: every dead letter is a row once, and goes back to where it came from when an operator says so."""

import random
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from predictions import account, keeping, services
from predictions.callers import Caller
from streaming import dead_letters, kafka, tasks
from streaming.kafka import NotDelivered
from streaming.messages import MAX_DEAD_LETTER_HEADERS
from streaming.models import MAX_REPLAY_BYTES, DeadLetter
from streaming.topics import MAX_MESSAGE_BYTES, Topic
from tests import making
from tests.making import user
from tests.streaming import letters
from tests.streaming.mock_kafka import MESSAGE_TOO_LARGE, MockKafka

pytestmark = [pytest.mark.database, pytest.mark.django_db]


# -- keeping -------------------------------------------------------------------------------------------------------
def test_a_letter_is_kept_as_it_was_with_why_and_where_it_failed():
    key = str(uuid.UUID(int=7)).encode()
    with_headers = letters.headers(source_partition=b"3", source_offset=b"17")
    letter = letters.stored(key=key, value=b"\xff\0", with_headers=with_headers)
    assert (letter.stage, letter.error, letter.field) == ("prepare-request", "out_of_range", "med_inc")
    assert letter.detail == "med_inc must be less"
    assert (letter.source_topic, letter.source_partition, letter.source_offset) == ("prediction_topic", 3, 17)
    assert (bytes(letter.key), bytes(letter.value), letter.prediction_id) == (key, b"\xff\0", uuid.UUID(int=7))
    assert dead_letters.headers_of(letter) == with_headers
    assert dead_letters.original_headers(letter) == letters.PUT_BY


def test_a_letter_that_is_read_again_is_kept_once():
    letters.stored()
    letters.stored()
    assert DeadLetter.objects.count() == 1


@pytest.mark.parametrize(
    "with_headers",
    [
        [],
        [("nul\0", b"\0"), ("error", b"\0" * 100), ("stage", None)],
        [("source-partition", b"9" * 30), ("source-offset", b"-1"), ("source-topic", b"t" * 300)],
        [("error-detail", "€".encode() * 5000), ("error-field", b"f" * 5000)],
    ],
    ids=["no header", "NUL", "numbers that no column holds", "long texts"],
)
def test_whatever_a_stranger_writes_to_the_topic_can_be_kept(with_headers):
    letter = letters.stored(key=None, value=None, with_headers=with_headers)
    assert (letter.key, letter.value) == (None, None)


# -- replaying -----------------------------------------------------------------------------------------------------
def mark_all(by: str = "ada") -> int:
    return dead_letters.mark_for_replay(DeadLetter.objects.all(), by=user(by))


def test_a_marked_letter_goes_back_to_its_topic_as_it_was(broker: MockKafka):
    letter = letters.stored(key=b"k", value=letters.request())
    assert mark_all() == 1
    publisher = kafka.publisher()
    assert dead_letters.publish_marked(publisher) == 1
    assert dead_letters.publish_marked(publisher) == 0
    (record,) = broker.records(Topic.REQUESTS)
    assert (record.key(), record.value(), record.headers()) == (b"k", letters.request(), letters.PUT_BY)
    letter.refresh_from_db()
    assert letter.status == "replayed"
    assert letter.settled_at


def test_an_edited_body_is_published_instead_and_what_came_stays(broker: MockKafka):
    letter = letters.stored(value=b"{")
    dead_letters.edit(letter, body='{"é": 1}', by=user("editor"))
    mark_all()
    dead_letters.publish_marked(kafka.publisher())
    (record,) = broker.records(Topic.REQUESTS)
    assert record.value() == '{"é": 1}'.encode()
    letter.refresh_from_db()
    assert bytes(letter.value) == b"{"


def test_what_the_broker_does_not_acknowledge_stays_marked(broker: MockKafka):
    letter = letters.stored()
    mark_all()
    publisher = kafka.publisher(**{"message.timeout.ms": 300})
    broker.go_down()
    with pytest.raises(NotDelivered):
        dead_letters.publish_marked(publisher)
    letter.refresh_from_db()
    assert letter.status == "marked"
    broker.come_up()
    assert dead_letters.publish_marked(kafka.publisher()) == 1


def test_a_letter_that_is_too_long_to_publish_keeps_none_of_the_others(broker: MockKafka):
    first = letters.stored(key=b"first", offset=1)
    too_long = letters.stored(value=b"x" * MAX_MESSAGE_BYTES, offset=2)
    last = letters.stored(key=b"last", offset=3)
    DeadLetter.objects.update(status="marked")
    publisher = kafka.publisher()
    assert dead_letters.publish_marked(publisher) == 2
    assert dead_letters.publish_marked(publisher) == 0
    assert sorted(record.key() for record in broker.records(Topic.REQUESTS)) == [b"first", b"last"]
    statuses = dict(DeadLetter.objects.values_list("pk", "status"))
    assert statuses == {first.pk: "replayed", too_long.pk: "received", last.pk: "replayed"}
    assert too_long.history.get().history_change_reason == dead_letters.REFUSED


def test_a_letter_that_the_broker_refuses_goes_back_to_the_inbox(broker: MockKafka):
    letter = letters.stored()
    mark_all()
    publisher = kafka.publisher()
    broker.refuse_produce(MESSAGE_TOO_LARGE, times=2)
    assert dead_letters.publish_marked(publisher) == 0
    letter.refresh_from_db()
    assert letter.status == "received"
    assert mark_all("operator") == 1
    assert dead_letters.publish_marked(publisher) == 1


@pytest.mark.parametrize(
    "with_headers",
    [
        letters.headers(topic="somebody_elses_topic"),
        letters.headers(topic=Topic.DEAD_LETTERS),
        letters.headers(truncated_from_bytes=b"99999"),
    ],
    ids=["topic of others", "dead letters", "beginning only"],
)
def test_a_letter_with_no_way_back_is_not_marked(with_headers):
    letters.stored(with_headers=with_headers)
    assert mark_all() == 0


@pytest.mark.parametrize("part", ["key", "value", "header", "body"])
def test_a_letter_that_is_too_long_to_publish_is_not_marked(part):
    """Bytes count, not characters."""
    long = "€" * (MAX_MESSAGE_BYTES // 3)
    raw = long.encode()
    letter = letters.stored(
        key=raw if part == "key" else b"key",
        value=raw if part == "value" else b"{}",
        with_headers=letters.headers(more=raw) if part == "header" else None,
    )
    if part == "body":
        dead_letters.edit(letter, body=long, by=user("editor"))
    assert mark_all() == 0


def test_the_longest_letter_that_is_marked_can_be_published(broker: MockKafka):
    """With as many headers as a letter of ours has at most: each has a frame."""
    headers = [*letters.headers(), *((f"h{number}", b"") for number in range(MAX_DEAD_LETTER_HEADERS))]
    letters.stored(value=b"x", with_headers=headers)
    room = MAX_REPLAY_BYTES - DeadLetter.objects.values_list(DeadLetter._REPLAY_BYTES, flat=True).get()
    noise = random.Random(7).randbytes(room + 2)
    DeadLetter.objects.update(value=noise)
    assert mark_all() == 0
    DeadLetter.objects.update(value=noise[:-1])
    assert mark_all("operator") == 1
    assert dead_letters.publish_marked(kafka.publisher()) == 1


def test_the_beginning_of_a_record_can_be_replayed_once_it_is_made_whole_by_hand():
    letter = letters.stored(with_headers=letters.headers(truncated_from_bytes=b"99999"))
    dead_letters.edit(letter, body="{}", by=user("editor"))
    assert mark_all() == 1


def test_a_discarded_letter_is_not_published_and_can_be_taken_back(broker: MockKafka):
    letter = letters.stored()
    mark_all()
    operator = user("operator")
    assert dead_letters.discard(DeadLetter.objects.all(), by=operator) == 1
    assert dead_letters.publish_marked(kafka.publisher()) == 0
    letter.refresh_from_db()
    assert letter.settled_at
    assert dead_letters.mark_for_replay(DeadLetter.objects.all(), by=operator) == 1


def test_a_replayed_letter_is_neither_replayed_again_nor_discarded(broker: MockKafka):
    letters.stored()
    mark_all()
    dead_letters.publish_marked(kafka.publisher())
    operator = user("operator")
    assert dead_letters.mark_for_replay(DeadLetter.objects.all(), by=operator) == 0
    assert dead_letters.discard(DeadLetter.objects.all(), by=operator) == 0


def test_a_bulk_replay_takes_those_of_the_filter_only(monkeypatch):
    monkeypatch.setattr(dead_letters, "CHUNK", 2)
    for offset in range(5):
        letters.stored(offset=offset)
    letters.stored(offset=9, with_headers=letters.headers(stage="scorer", topic=Topic.FEATURES))
    assert dead_letters.mark_for_replay(DeadLetter.objects.filter(stage="prepare-request"), by=user()) == 5
    assert DeadLetter.objects.get(offset=9).status == "received"


# -- the audit -----------------------------------------------------------------------------------------------------
def test_every_act_of_an_operator_is_audited_with_who_when_and_what():
    letter, operator = letters.stored(), user("operator")
    dead_letters.edit(letter, body="{}", by=operator)
    dead_letters.mark_for_replay(DeadLetter.objects.all(), by=operator)
    dead_letters.discard(DeadLetter.objects.all(), by=operator)
    said = [(row.history_user, row.body, row.status) for row in letter.history.order_by("history_id")]
    assert said == [(operator, "{}", "received"), (operator, "{}", "marked"), (operator, "{}", "discarded")]
    assert all(row.history_date for row in letter.history.all())


# -- pruning -------------------------------------------------------------------------------------------------------
def test_settled_letters_are_forgotten_with_their_audit_after_their_days_and_open_ones_never(settings, monkeypatch):
    settings.DEAD_LETTER_KEEP_DAYS = 30
    monkeypatch.setattr(dead_letters, "PRUNED_AT_ONCE", 2)
    kept = {}
    for offset, (status, days) in enumerate(
        [("received", 900), ("marked", 900), ("discarded", 29), ("replayed", 29), *[("discarded", 31)] * 3]
    ):
        letter = letters.stored(offset=offset)
        letter.status, letter.settled_at = status, timezone.now() - timedelta(days=days)
        letter.save()
        if offset < 4:
            kept[letter.pk] = status
    letters.stored(offset=7)
    dead_letters.discard(DeadLetter.objects.filter(offset=7), by=user())
    DeadLetter.objects.filter(offset=7).update(settled_at=timezone.now() - timedelta(days=31))
    tasks.prune_dead_letters()
    assert dict(DeadLetter.objects.values_list("pk", "status")) == kept
    assert set(DeadLetter.history.values_list("id", flat=True)) == set(kept)


def test_the_letters_of_a_prediction_go_with_it_and_with_its_owners_account():
    ada = user()
    mine, deleted = making.published(Caller.of_user(ada)), making.published(Caller.of_user(ada))
    others, stranger = making.published(), uuid.uuid4()
    for offset, key in enumerate([mine.pk, deleted.pk, others.pk, stranger]):
        letters.stored(key=str(key).encode(), offset=offset)
    dead_letters.discard(DeadLetter.objects.all(), by=user("operator"))
    services.record_refusals([making.refusal(mine.pk), making.refusal(deleted.pk)])
    deleted.refresh_from_db()
    keeping.delete_prediction(deleted)
    assert set(DeadLetter.objects.values_list("prediction_id", flat=True)) == {mine.pk, others.pk, stranger}
    account.delete_account(user=ada, password="correct horse")
    assert set(DeadLetter.objects.values_list("prediction_id", flat=True)) == {others.pk, stranger}
    assert set(DeadLetter.history.values_list("prediction_id", flat=True)) == {others.pk, stranger}
