"""What travels on the topics: written, read, and refused in a way that no database ever sees."""

import json
import uuid
from datetime import UTC, datetime

import pytest
from confluent_kafka import Message

from predictions.services import Unpublished
from streaming import messages
from streaming.messages import InvalidMessage
from streaming.models import DeadLetter
from streaming.topics import MAX_MESSAGE_BYTES, Topic
from tests.making import FEATURES

ID = "7b2f3a34-9a4e-4f7b-9a36-0f6b6f1f9b11"
AT = 1_767_312_000_000
RESULT = {
    "id": ID,
    "price": 452_600,
    "low": 390_000,
    "high": 500_001,
    "model": {"id": "monotone-hgb-1", "sha256": "a" * 64},
    "flags": ["capped"],
    "features": FEATURES,
    "requested_at": "2026-01-02T00:00:00Z",
    "shadows": {"baseline": {"price": 1, "low": 0, "high": 2}},
}
REQUEST = {"id": ID, "features": FEATURES, "flags": ["unusual_med_inc"], "requested_at": "2026-01-02T00:00:00Z"}


def record(value: object, *, key: bytes | None = None, headers: list | None = None) -> Message:
    body = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()
    return Message(
        topic="a_topic", partition=3, offset=42, key=key, value=body, headers=headers or [], timestamp=(1, AT)
    )


def refused(read, value: object, **more) -> InvalidMessage:
    with pytest.raises(InvalidMessage) as caught:
        read(record(value, **more))
    assert caught.value.detail
    return caught.value


# -- prediction_topic ----------------------------------------------------------------------------------------------
def test_an_outbox_row_becomes_the_message_of_the_contract():
    row = Unpublished(uuid.UUID(ID), FEATURES, "page", 1, datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC))
    key, value, headers = messages.request_message(row)
    assert key == ID.encode()
    assert json.loads(value) == {"id": ID, "features": FEATURES, "requested_at": "2026-01-02T03:04:05.678000Z"}
    carried = dict(headers)
    assert (carried["source"], carried["attempt"]) == (b"page", b"2")
    assert carried["at-accepted"] == b"1767323045678"
    assert int(carried["at-published"]) >= int(carried["at-accepted"])


# -- headers -------------------------------------------------------------------------------------------------------
def test_only_known_headers_travel_on():
    stranger = [
        ("source", b"csv"),
        ("traceparent", b"00-1"),
        ("at-published", b"5"),
        ("x", b"1"),
        ("attempt", None),
    ]
    travelling = messages.travelling_headers(record(REQUEST, headers=stranger))
    assert travelling == {"source": "csv", "traceparent": "00-1", "at-published": "5"}


@pytest.mark.parametrize("time", ["", "soon", "-5", "1.5", "²", "9" * 20])
def test_a_stage_time_that_is_none_is_left_out(time):
    assert messages.stages_of({"at-scored": "7", "at-published": time}) == {"scored": 7}


# -- prediction_features_topic -------------------------------------------------------------------------------------
def test_a_features_record_becomes_an_item_of_a_batch():
    item = messages.read_features(record(REQUEST, headers=[("source", b"page"), ("x", b"1")]))
    assert item == REQUEST | {"headers": {"source": "page", "at-prepared": str(AT)}}
    assert json.loads(json.dumps(item)) == item, "Celery carries it as JSON"


@pytest.mark.parametrize("value", [None, b"", b"{", b"\xff", b"[]", b"5", b"[" * 100_000, b'{"a": NaN}'])
def test_what_is_no_json_object_is_bad_json_in_every_reader(value):
    assert refused(messages.read_features, value).code == "bad_json"
    assert refused(messages.read_result, value).code == "bad_json"


@pytest.mark.parametrize("found", [None, 5, "", "x" * 36, ID[:-1], f"{{{ID}}}"])
def test_an_id_that_is_no_uuid_is_refused_in_every_reader(found):
    assert refused(messages.read_features, REQUEST | {"id": found}).code == "bad_id"
    assert refused(messages.read_result, RESULT | {"id": found}).code == "bad_id"


@pytest.mark.parametrize(
    "features",
    [None, [], {}, {"med_inc": 1}, *(FEATURES | {"med_inc": bad} for bad in ("3", True, None, [1]))],
    ids=str,
)
def test_features_that_are_not_eight_numbers_are_refused_in_every_reader(features):
    for read, value in ((messages.read_features, REQUEST), (messages.read_result, RESULT)):
        error = refused(read, value | {"features": features})
        assert (error.code, error.field) == ("bad_message", "features")


def test_an_infinite_feature_is_refused():
    endless = json.dumps(REQUEST).replace(str(FEATURES["med_inc"]), "1e400").encode()
    assert refused(messages.read_features, endless).field == "features"


@pytest.mark.parametrize("flags", [5, "capped", {"a": 1}, [1], [None], None, ["f"] * 65, ["f" * 65]], ids=str)
def test_flags_that_are_no_list_of_a_few_short_texts_are_refused(flags):
    assert refused(messages.read_features, REQUEST | {"flags": flags}).field == "flags"


def test_a_time_without_end_is_refused():
    assert refused(messages.read_features, REQUEST | {"requested_at": "2" * 65}).field == "requested_at"


def test_the_largest_item_that_is_taken_can_be_given_up():
    """Every character is longer in JSON, and every byte of a header as text."""
    value = REQUEST | {"flags": ["é" * 64] * 64, "requested_at": "é" * 64}
    names = [*messages.KEPT_HEADERS, *(f"at-{stage}" for stage in messages.CARRIED_STAGES)]
    headers = [(name, b"\xff" * size) for size in (1024, 200_000) for name in names]
    item = messages.read_features(record(value, headers=headers))
    letter = messages.dead_letter_of_item(item, ERROR, stage="worker")
    written = len(letter.value) + sum(len(name) + len(value) for name, value in letter.headers)
    assert written < MAX_MESSAGE_BYTES / 2


# -- prediction_score_topic ----------------------------------------------------------------------------------------
def test_a_scored_item_carries_its_times_and_its_scores():
    item = messages.read_features(record(REQUEST, headers=[("at-published", b"5")]))
    scores = [{"model": "m", "sha256": "b" * 64, "role": "champion", "price": 4.5, "low": 4.0, "high": 5.0}]
    key, value, headers = messages.score_message(item, scores=scores, flags=["sparse_location"])
    assert key == ID.encode()
    assert json.loads(value) == {
        "id": ID,
        "features": FEATURES,
        "requested_at": "2026-01-02T00:00:00Z",
        "flags": ["sparse_location"],
        "scores": scores,
    }
    assert {"at-published", "at-prepared", "at-scored"} == dict(headers).keys()


# -- prediction_result_topic ---------------------------------------------------------------------------------------
def test_a_result_becomes_an_answer():
    answer = messages.read_result(record(RESULT, headers=[("source", b"csv"), ("at-scored", b"9")]))
    assert answer.id == uuid.UUID(ID)
    assert (answer.price, answer.low, answer.high) == (452_600, 390_000, 500_001)
    assert (answer.model_id, answer.model_sha256) == ("monotone-hgb-1", "a" * 64)
    assert answer.shadows == RESULT["shadows"]
    assert answer.features == FEATURES
    assert (answer.source, answer.flags) == ("csv", ["capped"])
    assert answer.requested_at == datetime(2026, 1, 2, tzinfo=UTC)
    assert answer.stages == {"scored": 9, "formatted": AT}


@pytest.mark.parametrize(
    "changes",
    [
        {"price": "452600"},
        {"price": 4.5},
        {"price": True},
        {"price": -1},
        {"price": 2**31},
        {"price": 389_999},
        {"price": 500_002},
        {"low": None},
        {"model": None},
        {"model": "monotone-hgb-1"},
        {"model": {"id": "m"}},
        {"model": {"id": "m" * 129, "sha256": "a"}},
        {"model": {"id": "nul\0", "sha256": "a"}},
        {"model": {"id": "half \ud800", "sha256": "a"}},
        {"flags": None},
        {"flags": 5},
        {"flags": ["nul\0"]},
        {"flags": [1]},
        {"shadows": []},
        {"shadows": {"m": 5}},
        {"shadows": {"m": {"price": 1}}},
        {"shadows": {"nul\0": {"price": 1, "low": 0, "high": 2}}},
        {"requested_at": None},
        {"requested_at": "yesterday"},
        {"requested_at": "0001-01-01T00:00:00+14:00"},
    ],
    ids=lambda changes: repr(changes)[:60],
)
def test_a_result_that_the_database_would_refuse_is_a_bad_result(changes):
    """Else one such record would end the deliverer again and again."""
    assert refused(messages.read_result, RESULT | changes).code == "bad_result"


@pytest.mark.parametrize("missing", ["price", "low", "high", "model", "flags", "requested_at"])
def test_a_result_without_one_of_its_parts_is_a_bad_result(missing):
    assert refused(messages.read_result, {k: v for k, v in RESULT.items() if k != missing}).code == "bad_result"


def test_a_result_without_shadows_and_with_unknown_parts_is_fine():
    value = {name: part for name, part in RESULT.items() if name != "shadows"} | {"later": 1}
    assert messages.read_result(record(value)).shadows == {}


# -- dead letters --------------------------------------------------------------------------------------------------
ERROR = InvalidMessage("bad_message", "the features must be eight numbers", "features")


def test_a_dead_letter_is_the_record_as_it_was_and_why_and_whence():
    bad = record(b"\xff\0", key=b"k", headers=[("x", b"1")])
    letter = messages.dead_letter(bad, ERROR, stage="scorer")
    assert (letter.key, letter.value) == (b"k", b"\xff\0")
    assert letter.headers == [
        ("x", b"1"),
        ("error", b"bad_message"),
        ("error-detail", b"the features must be eight numbers"),
        ("stage", b"scorer"),
        ("error-field", b"features"),
        ("source-topic", b"a_topic"),
        ("source-partition", b"3"),
        ("source-offset", b"42"),
        ("source-timestamp-ms", str(AT).encode()),
    ]


def test_a_dead_letter_of_a_record_without_key_value_or_headers_can_be_written():
    letter = messages.dead_letter(Message(topic="t", timestamp=(0, 0)), ERROR, stage="scorer")
    assert (letter.key, letter.value) == (None, None)


def test_a_dead_letter_of_a_long_value_keeps_its_beginning_and_says_its_length():
    short = messages.dead_letter(record(b"x" * 65_536), ERROR, stage="scorer")
    assert len(short.value) == 65_536
    assert "truncated-from-bytes" not in dict(short.headers)
    long = messages.dead_letter(record(b"x" * 65_537), ERROR, stage="scorer")
    assert long.value == b"x" * 1024
    assert dict(long.headers)["truncated-from-bytes"] == b"65537"


def test_a_dead_letter_of_a_long_key_keeps_its_beginning_and_says_its_length():
    short = messages.dead_letter(record(b"", key=b"k" * 1024), ERROR, stage="scorer")
    assert len(short.key) == 1024
    assert "key-truncated-from-bytes" not in dict(short.headers)
    long = messages.dead_letter(record(b"", key=b"k" * 260_000), ERROR, stage="scorer")
    assert long.key == b"k" * 1024
    assert dict(long.headers)["key-truncated-from-bytes"] == b"260000"


def test_a_dead_letter_keeps_at_most_64_of_the_records_headers():
    letter = messages.dead_letter(record(b"", headers=[("h", b"1")] * 1000), ERROR, stage="scorer")
    assert len([name for name, _ in letter.headers if name == "h"]) == 64


def test_a_dead_letter_of_huge_headers_is_still_small_enough_for_the_broker():
    letter = messages.dead_letter(record(b"x", headers=[("h", b"1" * 8192)] * 62), ERROR, stage="scorer")
    assert sum(len(name) + len(value) for name, value in letter.headers) < 66_000
    assert dict(letter.headers)["stage"] == b"scorer"


def test_a_detail_is_cut_between_characters():
    letter = messages.dead_letter(record(b""), InvalidMessage("c", "€" * 300), stage="scorer")
    detail = dict(letter.headers)["error-detail"]
    assert len(detail) <= 500
    assert detail.decode() == "€" * 166


@pytest.mark.parametrize("stage", ["prepare-request", "worker"])
def test_a_verdict_on_a_question_is_a_refusal(stage):
    headers = [("stage", stage.encode()), ("error", b"out_of_range"), ("error-field", b"med_inc")]
    found = messages.read_refusal(record(b"", key=ID.encode(), headers=[*headers, ("error-detail", b"too much")]))
    assert found.id == uuid.UUID(ID)
    assert (found.reason.code, found.reason.field, found.reason.detail) == ("out_of_range", "med_inc", "too much")


@pytest.mark.parametrize("stage", [b"format-result", b"scorer", b"deliverer", b"transform-host", b"", None])
def test_a_fault_of_ours_is_no_refusal(stage):
    assert messages.read_refusal(record(b"", key=ID.encode(), headers=[("stage", stage)])) is None


@pytest.mark.parametrize("key", [None, b"", b"\xff", b"no id"])
def test_a_dead_letter_without_an_id_is_no_refusal(key):
    assert messages.read_refusal(record(b"", key=key, headers=[("stage", b"worker")])) is None


def test_a_field_name_with_nul_is_stored_without_it():
    """PostgreSQL refuses NUL in JSON, and a question from outside may have such a field."""
    headers = [("stage", b"prepare-request"), ("error-field", b"a\0b"), ("error-detail", b"\xff\0")]
    reason = messages.read_refusal(record(b"", key=ID.encode(), headers=headers)).reason
    assert (reason.field, reason.detail) == ("a\ufffdb", "\ufffd\ufffd")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("stage", "stage"),
        ("error", "error"),
        ("error-field", "field"),
        ("error-detail", "detail"),
        ("source-topic", "source_topic"),
    ],
)
def test_what_a_stranger_says_is_cut_to_what_the_inbox_holds(header, said):
    verdict = messages.read_dead_letter(record(b"", headers=[(header, "€".encode() * 60_000)]))
    assert getattr(verdict, said) == "€" * DeadLetter._meta.get_field(said).max_length


def test_who_asked_is_told_no_more_of_a_stranger_than_the_inbox_holds():
    long = b"x" * 200_000
    headers = [("stage", b"worker"), ("error", long), ("error-field", long), ("error-detail", long)]
    reason = messages.read_refusal(record(b"", key=ID.encode(), headers=headers)).reason
    assert (len(reason.code), len(reason.field), len(reason.detail)) == (64, 64, 500)


def test_the_topics_of_the_python_side_are_those_of_the_design():
    assert [str(topic) for topic in Topic] == [
        "prediction_topic",
        "prediction_features_topic",
        "prediction_score_topic",
        "prediction_result_topic",
        "prediction_dead_letter_topic",
    ]
