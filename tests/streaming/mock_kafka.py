"""librdkafka's mock broker, made through its C interface, which can also refuse, fall silent and come back.

`test.mock.num.brokers` of a Python client makes the same cluster, but lets each consumer group wait three seconds for
its first members and can't be disturbed.
"""

import ctypes
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import confluent_kafka
from confluent_kafka import Consumer, Message, Producer, TopicPartition

_POINTER, _INT = ctypes.c_void_p, ctypes.c_int
_PRODUCER = 0
PRODUCE_REQUEST = 0
NOT_ENOUGH_REPLICAS = 19
MESSAGE_TOO_LARGE = 10


@cache
def _librdkafka() -> ctypes.CDLL:
    package = Path(confluent_kafka.__file__).parent
    library = ctypes.CDLL(str(next(package.with_name("confluent_kafka.libs").glob("librdkafka-*.so*"))))
    for name, result, arguments in (
        ("rd_kafka_conf_new", _POINTER, []),
        ("rd_kafka_conf_set", _INT, [_POINTER, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t]),
        ("rd_kafka_new", _POINTER, [_INT, _POINTER, ctypes.c_char_p, ctypes.c_size_t]),
        ("rd_kafka_destroy", None, [_POINTER]),
        ("rd_kafka_mock_cluster_new", _POINTER, [_POINTER, _INT]),
        ("rd_kafka_mock_cluster_bootstraps", ctypes.c_char_p, [_POINTER]),
        ("rd_kafka_mock_cluster_destroy", None, [_POINTER]),
        ("rd_kafka_mock_group_initial_rebalance_delay_ms", None, [_POINTER, ctypes.c_int32]),
        ("rd_kafka_mock_broker_set_down", _INT, [_POINTER, ctypes.c_int32]),
        ("rd_kafka_mock_broker_set_up", _INT, [_POINTER, ctypes.c_int32]),
        ("rd_kafka_mock_push_request_errors_array", None, [_POINTER, ctypes.c_int16, ctypes.c_size_t, _POINTER]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class MockKafka:
    """One broker in memory. `address` goes where `KAFKA_BOOTSTRAP_SERVERS` would."""

    def __init__(self, cluster: int):
        self._cluster = cluster
        self.address = _librdkafka().rd_kafka_mock_cluster_bootstraps(cluster).decode()

    def create_topics(self, names: Iterable[str]) -> None:
        """Topics of four partitions, made by being asked for: a call of `..._topic_create` may take a second."""
        client = Producer({"bootstrap.servers": self.address})
        for name in names:
            client.list_topics(name, timeout=10)

    def refuse_produce(self, code: int, times: int) -> None:
        """Answer the next `times` produce requests with the error `code`."""
        codes = (_INT * times)(*[code] * times)
        _librdkafka().rd_kafka_mock_push_request_errors_array(self._cluster, PRODUCE_REQUEST, times, codes)

    def go_down(self) -> None:
        _librdkafka().rd_kafka_mock_broker_set_down(self._cluster, 1)

    def come_up(self) -> None:
        _librdkafka().rd_kafka_mock_broker_set_up(self._cluster, 1)

    # -- what a test puts in and looks at --------------------------------------------------------------------------
    def put(self, topic: str, *records: tuple[bytes | None, bytes | None, list], partition: int = 0) -> None:
        """Records of key, value and headers, in this order, on one partition."""
        producer = Producer({"bootstrap.servers": self.address, "message.max.bytes": 1_000_000})
        for key, value, headers in records:
            producer.produce(topic, key=key, value=value, headers=headers, partition=partition)
        assert producer.flush(10) == 0

    def put_with_header_name(self, topic: str, name: bytes) -> None:
        """A record as clients in other languages can write it: confluent-kafka takes header names as text only."""
        library = _librdkafka()
        configuration = library.rd_kafka_conf_new()
        library.rd_kafka_conf_set(configuration, b"bootstrap.servers", self.address.encode(), None, 0)
        client = _POINTER(library.rd_kafka_new(0, configuration, None, 0))
        # Of rd_kafka_vtype_t: topic 1, message flags 7 (copy 2), value 4, header 9, end 0.
        arguments = [_INT(1), topic.encode(), _INT(7), _INT(2), _INT(4), b"v", ctypes.c_size_t(1)]
        arguments += [_INT(9), name, b"x", ctypes.c_size_t(1), _INT(0)]
        assert library.rd_kafka_producev(client, *arguments) == 0
        assert library.rd_kafka_flush(client, 10_000) == 0
        library.rd_kafka_destroy(client)

    def records(self, topic: str) -> list[Message]:
        """Everything in a topic now, partition by partition."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.address,
                "group.id": "a-look",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 10,
            }
        )
        found: list[Message] = []
        try:
            for partition in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
                low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
                consumer.assign([TopicPartition(topic, partition, low)])
                while high > low:
                    batch = consumer.consume(high - low, 10)
                    assert batch, f"{topic}/{partition} does not give what it holds"
                    found += batch
                    low += len(batch)
        finally:
            consumer.close()
        return found

    def committed(self, group: str, topic: str, partition: int = 0) -> int:
        """The offset from which `group` would go on; negative where it never committed."""
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": group})
        try:
            return consumer.committed([TopicPartition(topic, partition)], timeout=10)[0].offset
        finally:
            consumer.close()


@contextmanager
def mock_kafka() -> Iterator[MockKafka]:
    library = _librdkafka()
    configuration = library.rd_kafka_conf_new()
    library.rd_kafka_conf_set(configuration, b"log_level", b"0", None, 0)
    client = library.rd_kafka_new(_PRODUCER, configuration, None, 0)
    cluster = library.rd_kafka_mock_cluster_new(client, 1)
    library.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 0)
    try:
        yield MockKafka(cluster)
    finally:
        # It may take a second, for which no test need wait.
        threading.Thread(target=_destroy, args=(cluster, client)).start()


def _destroy(cluster: int, client: int) -> None:
    _librdkafka().rd_kafka_mock_cluster_destroy(cluster)
    _librdkafka().rd_kafka_destroy(client)
