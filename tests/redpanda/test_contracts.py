"""The contract agrees with itself: field table, schemas, examples, topics."""

import json
import runpy

import pytest
from jsonschema import Draft202012Validator

from predictions.contract import CONTRACTS
from streaming.topics import Topic
from streaming.transform_host.deployments import read_deployments
from tests.redpanda.examples import Example, examples

NEXT_TOPIC = {"prediction_topic": "prediction_features_topic", "prediction_score_topic": "prediction_result_topic"}
# Rules between members, which a schema can't say.
BEYOND_SCHEMAS = {"bad_model_twice", "bad_order"}


def errors(topic: str, value: object) -> list[str]:
    schema = json.loads((CONTRACTS / "schemas" / f"{topic}.json").read_text())
    Draft202012Validator.check_schema(schema)
    return [error.message for error in Draft202012Validator(schema).iter_errors(value)]


def test_the_schemas_are_those_that_the_field_table_gives():
    for path, text in runpy.run_path(str(CONTRACTS / "generate.py"))["texts"]().items():
        assert path.read_text() == text, f"run redpanda/contracts/generate.py: {path.name} is out of date"


def test_every_topic_has_a_schema_and_good_and_bad_examples():
    assert {path.stem for path in (CONTRACTS / "schemas").glob("*.json")} == set(Topic)
    assert {(example.topic, example.is_good) for example in examples()} == {
        (topic, is_good) for topic in Topic for is_good in (True, False)
    }


def test_the_transforms_are_deployed_between_the_topics_of_the_path():
    flows = {name: (d.input_topic, *d.output_topics) for name, d in read_deployments().items()}
    assert flows == {
        "prepare-request": (Topic.REQUESTS, Topic.FEATURES, Topic.DEAD_LETTERS),
        "format-result": (Topic.SCORES, Topic.RESULTS, Topic.DEAD_LETTERS),
    }


@pytest.mark.parametrize(
    "example", [e for e in examples() if "input" in e.content and e.name not in BEYOND_SCHEMAS], ids=str
)
def test_the_schemas_accept_good_examples_and_refuse_bad_ones(example: Example):
    assert (errors(example.topic, example.content["input"]) == []) is example.is_good


@pytest.mark.parametrize("example", [e for e in examples() if "output" in e.content], ids=str)
def test_what_should_come_out_is_a_message_of_the_next_topic(example: Example):
    assert errors(NEXT_TOPIC[example.topic], example.content["output"]) == []
