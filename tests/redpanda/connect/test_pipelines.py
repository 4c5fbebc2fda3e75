"""What can be said of the pipelines without running them, and their own tests."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from streaming.topics import Topic
from tests.redpanda.connect.pipelines import CONNECT, PIPELINES
from tests.redpanda.connect.used_fields import Field, Schema

TABLE = json.loads((CONNECT / "fields.json").read_text())
CONNECTION = ("seed_brokers", "tls", "sasl")


def text_of(name: str) -> str:
    return (CONNECT / f"{name}.yaml").read_text()


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def schema(engine: Path) -> Schema:
    return Schema(json.loads(run(engine, "list", "--format", "json-full").stdout))


@pytest.fixture(scope="module")
def used(schema: Schema) -> set[Field]:
    return {field for name in PIPELINES for field in schema.used_in(yaml.safe_load(text_of(name)))}


# -- the engine's own judgement ------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", PIPELINES)
def test_the_engine_finds_no_fault_in_a_pipeline(engine: Path, name: str):
    linted = run(engine, "lint", "--deprecated", CONNECT / f"{name}.yaml")
    assert linted.returncode == 0, linted.stderr


@pytest.mark.parametrize("name", PIPELINES)
def test_the_tests_of_a_pipeline_pass(engine: Path, name: str):
    tested = run(engine, "test", CONNECT / f"{name}.yaml")
    assert tested.returncode == 0, tested.stdout
    assert "succeeded" in tested.stdout


@pytest.mark.parametrize(
    ("there", "unsupported"),
    [
        ("client_id: connect-results", "rack_id: here"),
        ("client_id: connect-results", "unordered_processing: { enabled: true }"),
        ("stream: prediction_results", "kind: cluster"),
    ],
)
def test_a_field_that_the_engine_does_not_have_is_refused_and_never_ignored(
    engine: Path, tmp_path: Path, there: str, unsupported: str
):
    [line] = re.findall(rf"(?m)^ *{re.escape(there)}", text_of("results"))[:1]
    added = line.replace(there, unsupported)
    pipeline = tmp_path / "results.yaml"
    pipeline.write_text(text_of("results").replace(line, f"{line}\n{added}", 1))
    for command in ("lint", "run"):
        refused = run(engine, command, pipeline)
        assert refused.returncode != 0
        assert unsupported.partition(":")[0] in refused.stdout + refused.stderr


def test_the_tests_and_the_vetting_of_the_engine_pass(engine: Path):
    checked = run(sys.executable, CONNECT / "build.py", "--check")
    assert checked.returncode == 0, checked.stderr


# -- the table of official fields ----------------------------------------------------------------------------------
def test_every_component_and_field_in_use_is_in_the_table_and_the_table_holds_no_other(used: set[Field]):
    table = {
        Field(component, path)
        for component, entry in TABLE["components"].items()
        for path in ("", *entry["fields"])
        if not (component == "service" and not path)
    }
    assert used <= table
    unused = {field for field in table - used if TABLE["components"][field.component]["from"] == "core"}
    assert not unused


def test_the_engine_has_types_and_defaults_of_the_table(schema: Schema):
    for component, entry in TABLE["components"].items():
        for path, official in entry["fields"].items():
            ours = schema.field(Field(component, path))
            has = {"type": ours["type"], "kind": ours.get("kind"), "default": ours.get("default")}
            assert has | official == has, f"{component} {path}"
            assert ("default" in ours) == ("default" in official), f"{component} {path}"


def test_the_stand_ins_have_no_field_that_the_table_does_not_tell(schema: Schema):
    for component, entry in TABLE["components"].items():
        if entry["from"] == "connect":
            ours = {child["name"] for child in schema.component(component)["config"].get("children") or ()}
            assert ours == {path for path in entry["fields"] if "." not in path}


def test_the_core_is_the_one_that_the_table_names():
    module = (CONNECT / "engine" / "go.mod").read_text()
    assert f"github.com/redpanda-data/benthos/v4 {TABLE['core']}\n" in module


# -- one system ----------------------------------------------------------------------------------------------------
def redpanda_components(name: str) -> list[dict]:
    found: list[dict] = []

    def look(value: object) -> None:
        if isinstance(value, dict):
            found.extend(inner for key, inner in value.items() if key == "redpanda")
            value = list(value.values())
        if isinstance(value, list):
            for inner in value:
                look(inner)

    look(yaml.safe_load(text_of(name)))
    return found


def test_pipelines_read_and_write_the_topics_of_this_system_only():
    components = [component for name in PIPELINES for component in redpanda_components(name)]
    topics = {topic for component in components for topic in component.get("topics", [component.get("topic")])}
    assert topics == {Topic.REQUESTS, Topic.RESULTS, Topic.DEAD_LETTERS}


def test_every_pipeline_goes_to_the_brokers_in_the_same_way_and_makes_no_topic():
    components = [component for name in PIPELINES for component in redpanda_components(name)]
    assert len({json.dumps([component[name] for name in CONNECTION]) for component in components}) == 1
    outputs = [component for component in components if "topic" in component]
    assert all(component["allow_auto_topic_creation"] is False for component in outputs)
    assert all((component["acks"], component["idempotent_write"]) == ("all", True) for component in outputs)


@pytest.mark.parametrize("name", PIPELINES)
def test_operators_addresses_are_on_loopback_unless_they_are_told_otherwise(name: str):
    pipeline = yaml.safe_load(text_of(name))
    assert re.fullmatch(r"\$\{ADMIN_ADDRESS:127\.0\.0\.1:\d+\}", pipeline["http"]["address"])
    assert pipeline["http"]["debug_endpoints"] is False
    assert pipeline["metrics"] == {"prometheus": {}}


def test_every_variable_of_the_pipelines_is_described():
    described = set(re.findall(r"^\| `([A-Z_]+)` \|", (CONNECT / "README.md").read_text(), re.MULTILINE))
    texts = [text_of(name) for name in PIPELINES]
    in_yaml = {found for text in texts for found in re.findall(r"\$\{([A-Z_]+)", text)}
    in_bloblang = {found for text in texts for found in re.findall(r'env\("([A-Z_]+)"\)', text)}
    assert described == in_yaml | in_bloblang
