"""Every Kafka client of this project logs in where the broker wants it: KAFKA_CLIENT_PROPERTIES reaches them all."""

import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from confluent_kafka import KafkaException
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from housevalue.embedded import KafkaNode, kafka_jars
from housevalue.embedded.ports import spare_port
from streaming import kafka, readiness
from streaming.kafka import NotDelivered
from streaming.management.commands.run_transforms import make_hosts
from streaming.topics import Topic

QUESTION = b'{"id": "5b1f5a44-8a4f-4d0c-9a51-6a3d5f0b8b11", "features": {}, "requested_at": "2026-01-01T00:00:00Z"}'


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaNode]:
    """Apache Kafka that lets in `alice` only, by SASL_PLAINTEXT and SCRAM-SHA-256."""
    kafka_jars.install()
    made = KafkaNode(
        tmp_path_factory.mktemp("kafka"), spare_port(), spare_port(), scram_users={"alice": "wonderland-1"}
    )
    made.start()
    made.wait_ready()
    yield made
    made.kill()


@pytest.fixture(autouse=True)
def broker_that_asks(node: KafkaNode, settings) -> Iterator[None]:
    settings.KAFKA_BOOTSTRAP_SERVERS = node.bootstrap
    settings.KAFKA_CLIENT_PROPERTIES = node.client_properties
    settings.KAFKA_PARTITIONS = 1
    readiness.kafka_client.cache_clear()
    yield
    readiness.kafka_client.cache_clear()


@pytest.fixture
def topics() -> None:
    call_command("create_topics", stdout=StringIO())


def test_topics_are_created_published_to_and_read(topics: None):
    publisher = kafka.publisher()
    publisher.publish(Topic.REQUESTS, key=b"k", value=b"v", headers=[])
    publisher.flush()
    consumer = kafka.consumer("sasl", [Topic.REQUESTS])
    read = []
    for _ in range(100):
        read += [message.value() for message in kafka.read_batch(consumer, limit=10)]
        if read:
            break
    consumer.close()
    assert read == [b"v"]


def test_the_transform_host_reads_and_writes(topics: None):
    publisher = kafka.publisher()
    publisher.publish(Topic.REQUESTS, key=b"k", value=QUESTION, headers=[])
    publisher.flush()
    [host] = make_hosts(["prepare-request"])
    passed = 0
    for _ in range(100):
        passed += host.run_once()
        if passed:
            break
    host.close()
    assert passed > 0


def test_readiness_asks_as_the_user(topics: None):
    [kafka_line] = [line for line in readiness.check_all() if line["part"] == "kafka"]
    assert kafka_line["ready"], kafka_line


def test_a_broker_that_is_no_redpanda_has_no_logs_of_transforms():
    with pytest.raises(CommandError, match=r"no topic _redpanda\.transform_logs"):
        call_command("deploy_transforms", "--logs", "prepare-request")


@pytest.mark.parametrize(
    "wrong",
    [{}, {"sasl.password": "guess"}],
    ids=["no login", "wrong password"],
)
def test_who_does_not_log_in_rightly_gets_nothing_and_is_told(node: KafkaNode, settings, wrong: dict[str, str]):
    settings.KAFKA_CLIENT_PROPERTIES = node.client_properties | wrong if wrong else {}
    with pytest.raises(CommandError, match="Kafka: "):
        call_command("create_topics", "--seconds", "2")
    publisher = kafka.publisher(**{"message.timeout.ms": 1500})
    publisher.publish(Topic.REQUESTS, key=b"k", value=b"v", headers=[])
    with pytest.raises(NotDelivered):
        publisher.flush(2)
    with pytest.raises(KafkaException):
        kafka.reader().list_topics(timeout=1.5)


def test_no_module_builds_a_client_of_its_own():
    builds = re.compile(r"\b(AdminClient|Consumer|Producer)\(\s*[^)\s]")
    root = Path(django_settings.BASE_DIR)
    found = {
        str(path.relative_to(root))
        for app in ("housevalue", "streaming", "predictions", "mlmodel")
        for path in (root / app).rglob("*.py")
        if builds.search(path.read_text())
    }
    assert found == {"streaming/kafka.py", "housevalue/embedded/kafka.py"}
