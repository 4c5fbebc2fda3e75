"""An unreadable record on any topic goes to the dead-letter topic with the reason, and the next one is answered."""

import json
import uuid

import pytest

from tests.e2e.clients import HOUSE, Asker, Log

DEAD_LETTERS = "prediction_dead_letter_topic"
STAGE_OF = {
    "prediction_topic": "prepare-request",
    "prediction_features_topic": "scorer",
    "prediction_score_topic": "format-result",
    "prediction_result_topic": "deliverer",
}
POISON = {
    "no value": None,
    "not JSON": b"\xff\xfe{",
    "no object": b"[1, 2]",
    "another shape": b'{"id": "00000000-0000-4000-8000-000000000000", "features": {"x": 1}}',
}


@pytest.mark.parametrize("kind", POISON)
@pytest.mark.parametrize("topic", STAGE_OF)
def test_poison_is_dead_lettered_and_the_next_question_answered(
    visitor: Asker, log: Log, topic: str, kind: str
) -> None:
    mark = str(uuid.uuid4()).encode()
    log.write(topic, POISON[kind], key=mark)
    letter = log.find(DEAD_LETTERS, lambda record: record.key() == mark)
    headers = dict(letter.headers())
    assert headers["stage"].decode() == STAGE_OF[topic]
    assert headers["source-topic"].decode() == topic
    assert headers["error"]
    assert headers["error-detail"]
    assert letter.value() == POISON[kind]
    assert visitor.wait_settled(visitor.ask()["id"])["status"] == "answered"


def test_a_question_that_the_transform_refuses_is_rejected_with_the_reason(visitor: Asker, log: Log) -> None:
    asked = visitor.ask()
    visitor.wait_settled(asked["id"])
    stranger = {"id": str(uuid.uuid4()), "features": {**HOUSE, "med_inc": 99}, "requested_at": "2026-01-01T00:00:00Z"}
    log.write("prediction_topic", json.dumps(stranger).encode(), key=stranger["id"].encode())
    headers = dict(log.find(DEAD_LETTERS, lambda record: record.key() == stranger["id"].encode()).headers())
    assert headers["error"] == b"out_of_range"
    assert headers["error-field"] == b"med_inc"


def test_a_record_from_outside_with_no_integration_account_is_dead_lettered(log: Log) -> None:
    stranger = {"id": str(uuid.uuid4()), "features": HOUSE, "requested_at": "2026-01-01T00:00:00Z"}
    log.write(
        "prediction_topic", json.dumps(stranger).encode(), key=stranger["id"].encode(), headers=[("source", b"nobody")]
    )
    headers = dict(log.find(DEAD_LETTERS, lambda record: record.key() == stranger["id"].encode()).headers())
    assert headers["error"] == b"unknown_source"
    assert headers["stage"] == b"deliverer"
