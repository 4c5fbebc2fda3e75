"""The embedded servers: real ones, each test in folders and on ports of its own."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from housevalue.embedded import KafkaNode, NotReady, ValkeyServer, kafka_jars, ports
from tests.stack import wait_until


@pytest.fixture(scope="module", autouse=True)
def jars() -> None:
    kafka_jars.install()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[KafkaNode]:
    made = KafkaNode(tmp_path / "kafka", ports.spare_port(), ports.spare_port())
    yield made
    made.kill()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    made = ValkeyServer(tmp_path / "valkey", ports.spare_port())
    yield made
    made.kill()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[list[KafkaNode]]:
    voters = {number: ports.spare_port() for number in (1, 2, 3)}
    nodes = [
        KafkaNode(tmp_path / str(number), ports.spare_port(), controller_port, number, voters=voters, replication=3)
        for number, controller_port in voters.items()
    ]
    yield nodes
    for made in nodes:
        made.kill()


def make_topic(bootstrap: str, name: str, *, copies: int = 1) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(name, 1, copies)])[name].result(20)


def publish(bootstrap: str, topic: str, count: int) -> None:
    """Publish the numbers below `count`, and wait for every acknowledgement."""
    failures: list[object] = []
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "message.timeout.ms": 20_000})
    for number in range(count):
        producer.produce(topic, str(number), on_delivery=lambda error, _: failures.append(error) if error else None)
    assert producer.flush(20) == 0
    assert not failures


def read(bootstrap: str, topic: str, count: int) -> list[int]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test", "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    found: list[int] = []
    try:
        wait_until(
            lambda: found.extend(int(m.value()) for m in consumer.consume(count, 0.2)) or len(found) >= count,
            20,
            f"{count} records",
        )
    finally:
        consumer.close()
    return found


def test_kafka_keeps_every_acknowledged_record_through_a_kill(node: KafkaNode) -> None:
    node.start()
    node.wait_ready()
    make_topic(node.bootstrap, "numbers")
    publish(node.bootstrap, "numbers", 5000)
    node.kill()
    node.start()
    node.wait_ready()
    assert read(node.bootstrap, "numbers", 5000) == list(range(5000))


def test_kafka_is_formatted_once(node: KafkaNode) -> None:
    node.prepare()
    written = (node.data_directory / "meta.properties").stat().st_mtime_ns
    node.prepare()
    assert (node.data_directory / "meta.properties").stat().st_mtime_ns == written


def test_kafka_and_valkey_listen_on_loopback_only(node: KafkaNode, valkey: ValkeyServer) -> None:
    for server in (node, valkey):
        server.start()
        server.wait_ready()
        assert server.process is not None
        listening = {
            connection.laddr.ip.removeprefix("::ffff:")
            for connection in psutil.Process(server.process.pid).net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening == {"127.0.0.1"}


def test_kafka_makes_no_topic_that_nobody_created(node: KafkaNode) -> None:
    node.start()
    node.wait_ready()
    producer = Producer({"bootstrap.servers": node.bootstrap, "message.timeout.ms": 2000})
    producer.produce("misspelt", "x")
    producer.flush(10)
    assert "misspelt" not in AdminClient({"bootstrap.servers": node.bootstrap}).list_topics(timeout=5).topics


def test_a_server_that_ends_at_once_is_named_with_the_end_of_its_log(valkey: ValkeyServer) -> None:
    first = ValkeyServer(valkey.directory.with_name("first"), valkey.port)
    first.start()
    first.wait_ready()
    try:
        valkey.start()
        wait_until(lambda: valkey.process.poll() is not None, 10, "the second to end")
        first.kill()
        with pytest.raises(NotReady, match=r"(?s)Valkey ended.*Address already in use"):
            valkey.wait_ready(5)
    finally:
        first.kill()


def test_valkey_keeps_what_it_acknowledged_through_a_kill(valkey: ValkeyServer) -> None:
    valkey.start()
    valkey.wait_ready()
    with redis.Redis.from_url(valkey.url) as client:
        for number in range(500):
            client.set(str(number), number)
    valkey.kill()
    valkey.start()
    valkey.wait_ready()
    with redis.Redis.from_url(valkey.url) as client:
        assert client.dbsize() == 500


def test_valkey_refuses_to_drop_keys_when_memory_runs_out(valkey: ValkeyServer) -> None:
    valkey.start()
    valkey.wait_ready()
    with redis.Redis.from_url(valkey.url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_three_nodes_go_on_without_their_leader(cluster: list[KafkaNode]) -> None:
    for one in cluster:
        one.start()
    for one in cluster:
        one.wait_ready()
    bootstrap = ",".join(one.bootstrap for one in cluster)
    admin = AdminClient({"bootstrap.servers": bootstrap})
    wait_until(lambda: len(admin.list_topics(timeout=5).brokers) == 3, 30, "three brokers")
    make_topic(bootstrap, "numbers", copies=3)
    publish(bootstrap, "numbers", 500)
    leader = admin.list_topics("numbers", timeout=5).topics["numbers"].partitions[0].leader
    next(one for one in cluster if one.node_id == leader).kill()
    assert read(bootstrap, "numbers", 500) == list(range(500))
    publish(bootstrap, "numbers", 1)


def test_a_jar_with_another_hash_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "jars.sha256"
    lock.write_text(f"{hashlib.sha256(b'right').hexdigest()}  kafka.jar\n")
    monkeypatch.setattr(kafka_jars, "LOCK_FILE", lock)
    folder = tmp_path / "jars"
    folder.mkdir()
    (folder / "kafka.jar").write_bytes(b"wrong")
    with pytest.raises(kafka_jars.JarsUnavailable, match=r"kafka\.jar"):
        kafka_jars._check(folder)
    assert not folder.exists()


def test_the_jars_that_are_installed_are_the_ones_whose_hashes_are_committed() -> None:
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in kafka_jars.jars_home().iterdir()}
    assert found == kafka_jars.locked_hashes()


def test_an_unreachable_broker_answers_no(tmp_path: Path) -> None:
    assert not KafkaNode(tmp_path, ports.spare_port(), ports.spare_port()).answers()
