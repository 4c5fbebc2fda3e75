"""The committed .wasm against the contract: the examples, and Python's reference on thousands of random questions."""

import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from predictions import contract
from streaming.transform_host.records import Header, Record
from tests.redpanda.conftest import RunningTransform, Verdict
from tests.redpanda.examples import Example, examples

ID = "3F2504E0-4f89-41d3-9a0c-0305e82c3301"
# Well under what a topic takes, well over what the path ever writes.
BIG = 250_000
MANY_HEADERS = 30_000


def judged(transform: RunningTransform, example: Example) -> Verdict:
    return transform.judge(example.value)


def expected(example: Example) -> Verdict:
    if example.is_good:
        return Verdict(example.content["output"])
    error = example.content["error"]
    return Verdict(error=(error["code"], error.get("field")))


@pytest.mark.parametrize("example", examples("prediction_topic"), ids=str)
def test_prepare_request_does_what_the_examples_say(prepare_request: RunningTransform, example: Example):
    assert judged(prepare_request, example) == expected(example)


@pytest.mark.parametrize("example", examples("prediction_score_topic"), ids=str)
def test_format_result_does_what_the_examples_say(format_result: RunningTransform, example: Example):
    assert judged(format_result, example) == expected(example)


# -- against Python ----------------------------------------------------------------------------------------------
def reference(body: bytes) -> Verdict:
    """What Python's contract makes of a message whose id and time are good."""
    try:
        members = dict(contract.parse_json(body))
        normalised = contract.normalise_features(members["features"])
    except contract.ContractError as error:
        return Verdict(error=(error.code, None))
    except contract.FeatureErrors as error:
        return Verdict(error=(error.errors[0].code, error.errors[0].field))
    return Verdict(
        {
            "id": ID.lower(),
            "features": normalised.features,
            "flags": normalised.flags,
            "requested_at": members["requested_at"],
        }
    )


def in_range(field: contract.Field) -> st.SearchStrategy[str]:
    low = max(field.hard.min, field.hard.above)
    return st.floats(low, field.hard.max).map(repr)


def near_bounds(field: contract.Field) -> st.SearchStrategy[str]:
    ends = [field.hard.max, max(field.hard.min, field.hard.above)]
    if field.soft:
        ends += [field.soft.min, field.soft.max]
    return st.sampled_from(ends).map(repr)


NO_NUMBERS = st.sampled_from(["true", "false", "null", '"41"', '""', "[]", "[1]", "{}", '{"a": [1]}'])
ODD_NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers().map(str),
    st.sampled_from(
        ["-0", "-0.0", "0", "1e400", "-1e400", "1E+2", "5e-324", "9" * 400, "0.1e1", "12345678901234567890123"]
    ),
)
NAMES = st.sampled_from(["colour", "", "MEDINC", "med inc", "é" * 100, "\u0000", "😀", 'quo"te', "features"])


@st.composite
def value_of(draw: Any, field: contract.Field, spelling: str) -> str:
    kind = draw(st.integers(0, 19))
    if kind == 0:
        return draw(NO_NUMBERS)
    if kind == 1:
        return draw(ODD_NUMBERS)
    text = draw(near_bounds(field) if kind < 4 else in_range(field))
    divide_by = dict(field.aliases).get(spelling, 1)
    return text if divide_by == 1 else repr(float(text) * divide_by)


@st.composite
def questions(draw: Any) -> bytes:
    """Messages with a good id and time; most of them have one fault or none among the features."""
    members = []
    for field in contract.FIELDS:
        spelling = draw(st.sampled_from([field.name, *[name for name, _ in field.aliases]]))
        if draw(st.integers(0, 29)):
            members.append((spelling, draw(value_of(field, spelling))))
        if not draw(st.integers(0, 39)):
            members.append((field.name, draw(value_of(field, field.name))))
    if not draw(st.integers(0, 9)):
        members.append((draw(NAMES), draw(st.one_of(NO_NUMBERS, ODD_NUMBERS))))
    members = draw(st.permutations(members))
    features = ", ".join(f"{json.dumps(name, ensure_ascii=draw(st.booleans()))}: {text}" for name, text in members)
    if not draw(st.integers(0, 49)):
        return (
            f'{{"id": "{ID}", "requested_at": "now", "features": {draw(st.one_of(NO_NUMBERS, ODD_NUMBERS))}}}'.encode()
        )
    return f'{{"features": {{{features}}}, "id": "{ID}", "requested_at": "now"}}'.encode()


@settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=questions())
def test_prepare_request_judges_random_questions_as_python_does(prepare_request: RunningTransform, body: bytes):
    assert prepare_request.judge(body) == reference(body)


def test_the_random_questions_are_good_and_bad():
    verdicts = []

    @settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(body=questions())
    def judge(body: bytes) -> None:
        verdicts.append(reference(body).error)

    judge()
    assert verdicts.count(None) >= len(verdicts) // 20, "too few good ones to compare numbers"
    assert verdicts.count(None) <= len(verdicts) * 3 // 4, "too few bad ones to compare errors"
    assert len({error[0] for error in verdicts if error}) >= 4


# -- never a trap ------------------------------------------------------------------------------------------------
def mutated(value: bytes, chance: random.Random) -> bytes:
    body = bytearray(value)
    for _ in range(min(chance.randrange(1, 6), len(body))):
        at = chance.randrange(len(body))
        match chance.randrange(4):
            case 0:
                body[at] = chance.randrange(256)
            case 1:
                del body[at]
            case 2:
                body.insert(at, chance.choice(b'{}[]",:0-.eE\\u\xff'))
            case _:
                body[at:at] = body[chance.randrange(len(body)) :][: chance.randrange(40)]
    return bytes(body)


def odd_headers(chance: random.Random) -> list[Header]:
    texts = [None, b"", b"source", b"\xff\xfe", bytes(chance.randrange(300))]
    return [(chance.choice(texts), chance.choice(texts)) for _ in range(chance.choice([0, 1, 5, 70]))]


@pytest.mark.parametrize(
    ("name", "topic"), [("prepare-request", "prediction_topic"), ("format-result", "prediction_score_topic")]
)
def test_every_mutated_record_comes_out_somewhere(start_transform, name: str, topic: str):
    chance = random.Random(20_640)
    values = [example.value for example in examples(topic) if example.value]
    transform = start_transform(name)
    for _ in range(60):
        records = [
            Record(chance.choice([None, b"", b"k"]), mutated(chance.choice(values), chance), odd_headers(chance), -1)
            for _ in range(250)
        ]
        assert len(transform.guest.transform(records)) == len(records)


@pytest.mark.parametrize("name", ["prepare-request", "format-result"])
def test_big_records_and_many_headers_come_out_as_small_dead_letters(start_transform, name: str):
    guest = start_transform(name).guest
    big = b"x" * BIG
    shapes = [
        Record(b"k", big),
        Record(big, b"{}"),
        Record(b"k", b"{}", [(b"h", big)]),
        Record(b"k", b"{}", [(big, None)]),
        Record(b"k", b"{}", [(b"", None)] * MANY_HEADERS),
        Record(b"k", b"[" * 65_536),
        Record(b"k", b'{"features":' * 5000),
        Record(b"k", (f'{{"id":"{ID}","requested_at":"now","features":{{' + '"a":1,' * 10_000 + '"a":1}}').encode()),
    ]
    chance = random.Random(1990)
    for _ in range(15):
        records = chance.sample(shapes, len(shapes))
        outputs = guest.transform(records)
        assert len(outputs) == len(records)
        for output in outputs:
            assert output.topic == "prediction_dead_letter_topic"
            assert len(output.record.headers) <= 64 + 8
            assert len(output.record.key or b"") <= 1024
            assert len(output.record.value or b"") <= 64 * 1024


def test_a_dead_letter_tells_how_long_its_value_and_key_were(prepare_request: RunningTransform):
    [output] = prepare_request.guest.transform([Record(b"k" * 2000, b"x" * 70_000)])
    headers = dict(output.record.headers)
    assert (headers[b"truncated-from-bytes"], headers[b"key-truncated-from-bytes"]) == (b"70000", b"2000")
    assert output.record.value == b"x" * 1024


def test_headers_of_a_record_go_on_unchanged(prepare_request: RunningTransform, house: dict):
    value = json.dumps({"id": ID, "features": house, "requested_at": "now"}).encode()
    headers: list[Header] = [(b"source", b"web"), (b"attempt", None), (b"\xff", b"")]
    [output] = prepare_request.guest.transform([Record(b"k", value, headers)])
    assert output.record.headers == headers
