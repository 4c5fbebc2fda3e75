"""The engine, a real Kafka with the system's topics, and pipelines between them."""

import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from django.conf import settings as django_settings

from housevalue.embedded import KafkaNode, kafka_jars, ports
from streaming import kafka
from streaming.topics import Topic
from tests.redpanda.connect.pipelines import CONNECT, Pipeline
from tests.stack import wait_until

TOKEN = "the-token-of-the-publisher"


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
def log(kafka_node: KafkaNode) -> "Log":
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
    for pipeline in started:
        pipeline.kill()


class Log:
    """What a test puts on the topics and finds there."""

    def __init__(self, bootstrap: str):
        self._bootstrap = bootstrap
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5})

    def clear(self) -> None:
        """Topics without records: made where they are missing, cut off where they are not."""
        kafka.create_topics(AdminClient({"bootstrap.servers": self._bootstrap}))
        wait_until(self._is_cut_off, 20, "the topics to be empty")

    def _is_cut_off(self) -> bool:
        """False while the partitions have no leader: a broker that has just started."""
        try:
            full = [topic for topic in Topic if self.count(topic)]
            if full:
                admin = AdminClient({"bootstrap.servers": self._bootstrap})
                for future in admin.delete_records(self._ends(full)).values():
                    future.result(20)
        except KafkaException:
            return False
        return True

    def put(
        self, topic: Topic, value: bytes, *, key: bytes | None = None, headers: dict[str, str] | None = None
    ) -> None:
        self._producer.produce(topic, value, key=key, headers=list((headers or {}).items()))
        self._producer.poll(0)

    def flush(self) -> None:
        assert self._producer.flush(30) == 0

    def records(self, topic: Topic) -> list[Message]:
        """Everything in a topic now, in the order of each partition."""
        consumer = Consumer({"bootstrap.servers": self._bootstrap, "group.id": "a-look", "enable.auto.commit": False})
        found: list[Message] = []
        try:
            for end in self._ends([topic]):
                low, high = consumer.get_watermark_offsets(TopicPartition(topic, end.partition), timeout=20)
                consumer.assign([TopicPartition(topic, end.partition, low)])
                while low < high and (batch := consumer.consume(high - low, 20)):
                    found += batch
                    low = batch[-1].offset() + 1
        finally:
            consumer.close()
        return found

    def wait_for(self, topic: Topic, count: int, seconds: float = 30) -> list[Message]:
        """The records of a topic as soon as there are `count` of them."""
        wait_until(lambda: self.count(topic) >= count, seconds, f"{count} records on {topic}, not {self.count(topic)}")
        return self.records(topic)

    def count(self, topic: Topic) -> int:
        consumer = Consumer({"bootstrap.servers": self._bootstrap, "group.id": "a-look"})
        try:
            marks = [consumer.get_watermark_offsets(end, timeout=20) for end in self._ends([topic])]
        finally:
            consumer.close()
        return sum(high - low for low, high in marks)

    def _ends(self, topics) -> list[TopicPartition]:
        partitions = range(django_settings.KAFKA_PARTITIONS)
        return [TopicPartition(str(topic), partition, -1) for topic in topics for partition in partitions]
