"""The engine, a real Kafka with the system's topics, and pipelines between them."""

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from housevalue.embedded import KafkaNode, kafka_jars, ports
from tests.redpanda.connect.doors import PARTNER_TOKEN, TOKEN, Archive, Door, Folders
from tests.redpanda.connect.log import Log
from tests.redpanda.connect.pipelines import CONNECT, Pipeline


@pytest.fixture(scope="session")
def engine() -> Path:
    """The engine's program. Where it can't be built the tests say so; with CI=true they fail."""
    command = [sys.executable, CONNECT / "build.py", "--install-go"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode:
        reason = f"NOT TESTED: Connect's pipelines ({built.stderr.strip()})"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        warnings.warn(reason, stacklevel=1)
        pytest.skip(reason)
    return Path(built.stdout.strip())


@pytest.fixture(scope="session")
def kafka_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaNode]:
    kafka_jars.install()
    node = KafkaNode(tmp_path_factory.mktemp("connect-kafka"), ports.spare_port(), ports.spare_port())
    node.start()
    node.wait_ready()
    yield node
    node.kill()


@pytest.fixture
def log(kafka_node: KafkaNode) -> Log:
    """The topics, empty."""
    if kafka_node.process is None:
        kafka_node.start()
        kafka_node.wait_ready()
    made = Log(kafka_node.bootstrap)
    made.clear()
    return made


@pytest.fixture
def start_pipeline(engine: Path, kafka_node: KafkaNode, tmp_path: Path) -> Iterator[Callable[..., Pipeline]]:
    """Starts a pipeline by its name; further arguments are environment variables. Ends it after the test."""
    started: list[Pipeline] = []

    def start(name: str, *, is_ready: bool = True, **environment: str) -> Pipeline:
        known = {"KAFKA_BOOTSTRAP_SERVERS": kafka_node.bootstrap, "REDIS_URL": django_settings.REDIS_URL}
        pipeline = Pipeline(engine, name, tmp_path / "pipelines", {**known, **environment})
        started.append(pipeline)
        pipeline.start()
        if is_ready:
            pipeline.wait_ready()
        return pipeline

    yield start
    # A reader that is killed keeps its partitions from the next test for the time of its session.
    for pipeline in started:
        pipeline.end()


@pytest.fixture
def open_door(start_pipeline: Callable[..., Pipeline]) -> Callable[..., Door]:
    def start(*, is_ready: bool = True, **environment: str) -> Door:
        port = ports.spare_port()
        known = {
            "INGRESS_ADDRESS": f"127.0.0.1:{port}",
            "INGRESS_TOKEN": TOKEN,
            "INGRESS_PARTNERS": json.dumps({"bank": PARTNER_TOKEN}),
        }
        pipeline = start_pipeline("ingress", is_ready=is_ready, **known | environment)
        return Door(pipeline, f"http://127.0.0.1:{port}/v1/predictions")

    return start


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


@pytest.fixture
def start_results(start_pipeline: Callable[..., Pipeline], archive: Archive) -> Callable[..., Pipeline]:
    return lambda **options: start_pipeline("results", ARCHIVE_DIRECTORY=str(archive.directory), **options)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


@pytest.fixture
def start_feed(start_pipeline: Callable[..., Pipeline], folders: Folders) -> Callable[..., Pipeline]:
    return lambda **options: start_pipeline(
        "feed",
        FEED_DIRECTORY=str(folders.drop),
        FEED_DONE_DIRECTORY=str(folders.done),
        FEED_SOURCE="bank",
        **options,
    )
