"""What tests put on the topics and find there."""

import time
from collections.abc import Iterable

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from django.conf import settings as django_settings

from streaming import kafka
from streaming.topics import Topic
from tests.stack import wait_until

_LED_SECONDS = 30.0


class Log:
    """The topics of one broker."""

    def __init__(self, bootstrap: str):
        self._bootstrap = bootstrap
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, "partitioner": "murmur2_random"})

    def clear(self) -> None:
        """Topics without records: made where they are missing, cut off where they are not."""
        kafka.create_topics(AdminClient({"bootstrap.servers": self._bootstrap}))
        wait_until(self._is_cut_off, 20, "the topics to be empty")

    def _is_cut_off(self) -> bool:
        """False while a partition has no leader that could delete: a broker that has just started."""
        full = [topic for topic in Topic if self.count(topic)]
        admin = AdminClient({"bootstrap.servers": self._bootstrap})
        try:
            for future in admin.delete_records(self._ends(full)).values() if full else ():
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
        marks = self._marks(topic)
        consumer = Consumer({"bootstrap.servers": self._bootstrap, "group.id": "a-look", "fetch.wait.max.ms": 10})
        try:
            consumer.assign([TopicPartition(topic, partition, low) for partition, (low, _) in enumerate(marks)])
            count = sum(high - low for low, high in marks)
            return consumer.consume(count, 20) if count else []
        finally:
            consumer.close()

    def wait_for(self, topic: Topic, count: int, seconds: float = 30) -> list[Message]:
        """The records of a topic as soon as there are `count` of them."""
        wait_until(lambda: self.count(topic) >= count, seconds, f"{count} records on {topic}, not {self.count(topic)}")
        return self.records(topic)

    def count(self, topic: Topic) -> int:
        return sum(high - low for low, high in self._marks(topic))

    def _marks(self, topic: Topic) -> list[tuple[int, int]]:
        """The first and the next offset of each partition, as soon as each has a leader.

        A broker that has just started, or was frozen for longer than its session, is known to nobody for a moment. What
        a client hears of the topic in that moment it may go by for minutes: each try is a client of its own.
        """
        end = time.monotonic() + _LED_SECONDS
        while True:
            consumer = Consumer({"bootstrap.servers": self._bootstrap, "group.id": "a-look"})
            try:
                return [consumer.get_watermark_offsets(place, timeout=20) for place in self._ends([topic])]
            except KafkaException:
                if time.monotonic() > end:
                    raise
            finally:
                consumer.close()
            time.sleep(0.05)

    def _ends(self, topics: Iterable[Topic]) -> list[TopicPartition]:
        partitions = range(django_settings.KAFKA_PARTITIONS)
        return [TopicPartition(str(topic), partition, -1) for topic in topics for partition in partitions]


def headers_of(record: Message) -> dict[str, str]:
    return {name: value.decode() for name, value in record.headers() or ()}
