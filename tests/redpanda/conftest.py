"""The committed modules, running on the host."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from streaming.transform_host.deployments import read_deployments, read_module
from streaming.transform_host.guest import Guest
from streaming.transform_host.modules import compile_module
from streaming.transform_host.records import Record


@dataclass(frozen=True)
class Verdict:
    """What a transform made of one value: the next message, or the error's code and field."""

    message: dict | None = None
    error: tuple[str, str | None] | None = None


@dataclass
class RunningTransform:
    guest: Guest
    output_topic: str

    def judge(self, value: bytes | None) -> Verdict:
        [output] = self.guest.transform([Record(b"key", value, timestamp=1_700_000_000_000)])
        if output.topic == self.output_topic:
            message = json.loads(output.record.value)
            assert output.record.key == message["id"].encode()
            return Verdict(message)
        headers = {name.decode(): content.decode() for name, content in output.record.headers}
        assert output.topic == "prediction_dead_letter_topic"
        assert (output.record.key, output.record.value) == (b"key", value)
        return Verdict(error=(headers["error"], headers.get("error-field")))


@pytest.fixture(scope="session")
def start_transform() -> Iterator[Callable[[str], RunningTransform]]:
    """Starts a fresh guest of a transform by its name."""
    modules, started = {}, []

    def start(name: str) -> RunningTransform:
        deployment = read_deployments()[name]
        if name not in modules:
            modules[name] = compile_module(read_module(name))
        started.append(Guest(deployment, modules[name]))
        return RunningTransform(started[-1], deployment.output_topics[0])

    yield start
    for guest in started:
        guest.stop()


@pytest.fixture(scope="session")
def prepare_request(start_transform: Callable[[str], RunningTransform]) -> RunningTransform:
    return start_transform("prepare-request")


@pytest.fixture(scope="session")
def format_result(start_transform: Callable[[str], RunningTransform]) -> RunningTransform:
    return start_transform("format-result")
