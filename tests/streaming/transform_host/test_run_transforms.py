"""The command, as a process of its own, on a broker in memory."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from streaming.topics import Topic
from streaming.transform_host.deployments import TRANSFORMS, BadDeployment, read_module
from tests.streaming.mock_kafka import MockKafka

Start = Callable[..., subprocess.Popen]


@pytest.fixture
def start(broker: MockKafka, tmp_path: Path) -> Iterator[Start]:
    """Starts `run_transforms` and waits until it says that it is ready."""
    started = []

    def run(*arguments: str) -> subprocess.Popen:
        environment = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": broker.address, "VAR_DIR": str(tmp_path)}
        sign = tmp_path / "ready" / "transforms"
        sign.unlink(missing_ok=True)
        command = [sys.executable, "manage.py", "run_transforms", *arguments]
        started.append(subprocess.Popen(command, cwd=django_settings.BASE_DIR, env=environment))
        wait_for(lambda: sign.exists() or started[-1].poll() is not None)
        assert started[-1].poll() is None
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def wait_for(condition: Callable[[], bool], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)


def question(house: dict) -> tuple[bytes, bytes, list]:
    prediction_id = str(uuid.uuid4())
    value = {"id": prediction_id, "features": house, "requested_at": "2026-01-01T00:00:00Z"}
    return prediction_id.encode(), json.dumps(value).encode(), [("source", b"test")]


def scores(features_message: dict) -> tuple[bytes, bytes, list]:
    score = {"model": "m", "sha256": "a" * 64, "role": "champion", "price": 4.526, "low": 4.0, "high": 5.0}
    return features_message["id"].encode(), json.dumps(features_message | {"scores": [score]}).encode(), []


def test_both_transforms_run_and_sigterm_ends_them_with_their_offsets_committed(
    broker: MockKafka, start: Start, house: dict, tmp_path: Path
):
    process = start()
    asked = question(house)
    broker.put(Topic.REQUESTS, asked)
    wait_for(lambda: len(broker.records(Topic.FEATURES)) == 1)
    [features] = broker.records(Topic.FEATURES)
    broker.put(Topic.SCORES, scores(json.loads(features.value())))
    wait_for(lambda: len(broker.records(Topic.RESULTS)) == 1)
    [result] = broker.records(Topic.RESULTS)
    assert (result.key(), json.loads(result.value())["price"]) == (asked[0], 452_600)

    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0
    assert not (tmp_path / "ready" / "transforms").exists()
    assert broker.committed("transform-prepare-request", Topic.REQUESTS) == 1
    assert broker.committed("transform-format-result", Topic.SCORES) == 1


def test_a_bad_record_is_a_dead_letter_and_the_next_one_is_served(broker: MockKafka, start: Start, house: dict):
    start("--only", "prepare-request")
    asked = question(house)
    broker.put(Topic.REQUESTS, (b"x", b"{", []), asked)
    wait_for(lambda: len(broker.records(Topic.FEATURES)) == 1)
    [letter] = broker.records(Topic.DEAD_LETTERS)
    assert dict(letter.headers())["error"] == b"bad_json"
    assert [message.key() for message in broker.records(Topic.FEATURES)] == [asked[0]]


def test_killed_between_publishing_and_committing_it_repeats_and_loses_nothing(
    broker: MockKafka, start: Start, house: dict
):
    process = start("--only", "prepare-request")
    first = [question(house) for _ in range(20)]
    broker.put(Topic.REQUESTS, *first)
    wait_for(lambda: len(broker.records(Topic.FEATURES)) > 0)
    process.kill()
    process.wait()
    committed = max(broker.committed("transform-prepare-request", Topic.REQUESTS), 0)
    before = len(broker.records(Topic.FEATURES))
    second = [question(house) for _ in range(20)]
    broker.put(Topic.REQUESTS, *second)

    start("--only", "prepare-request")
    wanted = {key for key, _, _ in first + second}
    wait_for(lambda: {message.key() for message in broker.records(Topic.FEATURES)} == wanted)
    wait_for(lambda: len(broker.records(Topic.FEATURES)) == before + 40 - committed)


def test_an_unknown_transform_is_refused_with_the_names_of_those_there_are(broker: MockKafka):
    with pytest.raises(CommandError, match="no such transform: nobody"):
        call_command("run_transforms", "--only", "nobody")


def test_a_module_that_is_not_the_manifests_is_refused(tmp_path: Path):
    (tmp_path / "manifest.json").write_text((TRANSFORMS / "manifest.json").read_text())
    (tmp_path / "prepare-request.wasm").write_bytes(b"\0asm")
    with pytest.raises(BadDeployment, match="not the module"):
        read_module("prepare-request", tmp_path)
