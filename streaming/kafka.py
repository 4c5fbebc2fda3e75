"""Kafka clients as every process of this project wants them.

A `publisher` or a `consumer` is made in processes of management commands only, and in a Celery worker's after its fork:
a producer made before a fork never delivers, silently. The web process makes neither. It asks the broker how it is,
with one `admin_client` (`readiness.kafka_client`) and a `reader` for each look at the lags (`lag`).
"""

import logging
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from functools import partial
from operator import methodcaller
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from django.conf import settings

from streaming.complaints import Complaints
from streaming.topics import MAX_MESSAGE_BYTES, Topic

logger = logging.getLogger("streaming.kafka")
_complaints = Complaints(logger)

Headers = list[tuple[str, str | bytes | None]]

# Between a poll that finds nothing and the next look at the stop flag.
POLL_SECONDS = 0.2
FLUSH_SECONDS = 15.0
# A node answers in milliseconds. Less than any flush waits: what is not answered is sent to another node in time.
REQUEST_MS = 3_000


# What a broker, or the client for it, says of a record that it will never take.
_REFUSALS = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD)


class NotDelivered(Exception):
    """The broker did not acknowledge what was published: do not mark, do not commit, publish again.

    `refused`: which of them, counted from 0 since the last flush, the broker will not take as they are. Where there are
    some, all the others were acknowledged.
    """

    def __init__(self, detail: str, *, refused: Set[int] = frozenset()):
        super().__init__(detail)
        self.refused = refused


def _complain(error: KafkaError) -> None:
    _complaints.warn(error.code(), "Kafka: %s", error.str())


def _properties(**more: object) -> dict[str, Any]:
    return {
        "bootstrap.servers": settings.KAFKA_BOOTSTRAP_SERVERS,
        "client.id": "housevalue",
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 2000,
        "socket.keepalive.enable": True,
        # A frozen node keeps its connections: only these lead a client to the node that has taken over. Clients that
        # looked only when a request of their own failed would find it one after the other along the path. And who
        # joined a group while its topics were missing learns only so that there are partitions.
        "socket.timeout.ms": REQUEST_MS,
        "socket.connection.setup.timeout.ms": REQUEST_MS,
        "topic.metadata.refresh.interval.ms": 1_000,
        "logger": logger,
        # librdkafka says "connection refused" forty times a second; `_complain` says it now and then.
        "log_level": 2,
        "error_cb": _complain,
        **settings.KAFKA_CLIENT_PROPERTIES,
        **more,
    }


def admin_client() -> AdminClient:
    return AdminClient(_properties())


class Publisher:
    """A producer whose `flush` means: all of it is on the broker, or an exception.

    Not thread safe: one per thread.
    """

    def __init__(self, producer: Producer):
        self._producer = producer
        # Of those since the last flush: how many, and which of them failed of what.
        self._count = 0
        self._errors: dict[int, KafkaError] = {}

    def publish(
        self, topic: str, *, key: bytes | None, value: bytes | None, headers: Headers, partition: int = -1
    ) -> None:
        """Queue one record; the key's hash picks the partition unless one is named.

        `flush` tells of one that is too long.
        """
        number, self._count = self._count, self._count + 1
        while True:
            try:
                self._producer.produce(
                    topic,
                    key=key,
                    value=value,
                    headers=headers,
                    partition=partition,
                    on_delivery=partial(self._delivered, number),
                )
                return
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as error:
                if error.args[0].code() not in _REFUSALS:
                    raise
                logger.error("a record for %s is longer than a topic takes: %d bytes", topic, len(value or b""))
                self._errors[number] = error.args[0]
                return

    def flush(self, seconds: float = FLUSH_SECONDS) -> None:
        """Wait for every acknowledgement.

        Raises:
            NotDelivered: some record was refused, or not acknowledged in time.
        """
        undelivered = self._producer.flush(seconds)
        errors, self._errors, self._count = self._errors, {}, 0
        if undelivered or errors:
            # confluent-kafka has the flag the wrong way round: `blocking=True`, its default, returns at once, and
            # purges what is published next as well.
            self._producer.purge(blocking=False)
            self._producer.flush(0)
            self._errors.clear()
            are_refusals = not undelivered and all(error.code() in _REFUSALS for error in errors.values())
            raise NotDelivered(
                f"{undelivered + len(errors)} records not acknowledged: {[*errors.values()][:1] or 'time out'}",
                refused=errors.keys() if are_refusals else frozenset(),
            )

    def _delivered(self, number: int, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._errors[number] = error


def publisher(**properties: object) -> Publisher:
    return Publisher(
        Producer(
            _properties(
                **{
                    "acks": "all",
                    "enable.idempotence": True,
                    "linger.ms": 0,
                    "message.timeout.ms": 10_000,
                    "message.max.bytes": MAX_MESSAGE_BYTES,
                    "compression.type": "lz4",
                    # librdkafka and every Java client agree on this one: the same key, the same partition.
                    "partitioner": "murmur2_random",
                    **properties,
                }
            )
        )
    )


def consumer(group: str, topics: Iterable[Topic], **callbacks) -> Consumer:
    """A consumer of `topics` in `group` from the earliest record on; commits what `handling` saw done.

    `callbacks`: `on_assign`, `on_revoke`, `on_lost` of `Consumer.subscribe`.
    """
    made = Consumer(
        _properties(
            **{
                "group.id": group,
                # Commits, once a second and on leaving, what `handling` stored: what was done, not what was fetched.
                "enable.auto.commit": True,
                "auto.commit.interval.ms": 1000,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
                "partition.assignment.strategy": "cooperative-sticky",
                # So long the partitions of a killed member wait for the next one. A cluster needs nearly as long to
                # replace a node that kept a group; members who lost it meanwhile would wait for their own ghosts.
                "session.timeout.ms": 8_000,
                "heartbeat.interval.ms": 1000,
                # The broker answers as soon as there is one byte; an idle topic costs two requests a second.
                "fetch.wait.max.ms": 500,
                "fetch.min.bytes": 1,
                "fetch.error.backoff.ms": 100,
                "queued.max.messages.kbytes": 16_384,
            }
        )
    )
    made.subscribe([str(topic) for topic in topics], **callbacks)
    return made


def reader(group: str = "housevalue-readers") -> Consumer:
    """A consumer that joins no group and commits nothing, to be given its partitions; says where a partition ends.

    `group`: whose places it may ask for.
    """
    return Consumer(
        _properties(
            **{
                "group.id": group,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
            }
        )
    )


def read_batch(source: Consumer, *, limit: int, seconds: float = POLL_SECONDS) -> list[Message]:
    """What is there, at most `limit` records: waits up to `seconds` for the first, never for more.

    `consume(limit, seconds)` alone would hold a lone record the whole time.
    """
    # librdkafka's own thread, which commits and keeps the place in the group, sleeps by the wall clock: set back by an
    # hour meanwhile, it would sleep for an hour. Whoever asks it something wakes it.
    source.assignment()
    first = source.poll(seconds)
    if first is None:
        return []
    return list(_readable([first, *source.consume(limit - 1, 0)] if limit > 1 else [first]))


@contextmanager
def handling(source: Consumer, messages: Sequence[Message]) -> Iterator[None]:
    """Around the work on a batch: done, its offsets may be committed; failed, the consumer goes back to its start.

    Without going back the next batch's offsets would be committed over records that were never handled.
    """
    try:
        yield
    except BaseException:
        _rewind(source, messages)
        raise
    _mark_done(source, messages)


def _mark_done(source: Consumer, messages: Sequence[Message]) -> None:
    ends = {(topic, partition): offset + 1 for topic, partition, offset in map(position, messages)}
    try:
        source.store_offsets(offsets=[TopicPartition(*where, end) for where, end in ends.items()])
    except KafkaException as error:
        # The partition went to another member of the group meanwhile, which does the work again.
        logger.warning("offsets not stored: %s", error.args[0].str())


def _rewind(source: Consumer, messages: Sequence[Message]) -> None:
    starts = {(topic, partition): offset for topic, partition, offset in map(position, reversed(messages))}
    assigned = {(partition.topic, partition.partition) for partition in source.assignment()}
    for where, start in starts.items():
        # What was taken away meanwhile is read again by its new owner; a seek that fails ends the process.
        if where in assigned:
            source.seek(TopicPartition(*where, start))


def position(message: Message) -> tuple[str, int, int]:
    """Topic, partition and offset, all of which a record has that was consumed."""
    return cast(tuple[str, int, int], (message.topic(), message.partition(), message.offset()))


def _readable(messages: Iterable[Message]) -> Iterator[Message]:
    for message in messages:
        error = message.error()
        if error is None:
            _drop_unreadable_headers(message)
            yield message
        elif error.fatal() or error.code() in (
            KafkaError.TOPIC_AUTHORIZATION_FAILED,
            KafkaError.GROUP_AUTHORIZATION_FAILED,
            KafkaError.UNKNOWN_TOPIC_OR_PART,
        ):
            raise KafkaException(error)
        else:
            logger.warning("the broker is away or changing: %s", error.str())


# A plain call of the method, once the interpreter has specialised it, doesn't notice that it failed.
_read_headers = methodcaller("headers")


def _drop_unreadable_headers(message: Message) -> None:
    """Leave a record without headers where the name of one is not UTF-8.

    The client can't read such a name: it raises SystemError, and asked again it hands out a null pointer, which kills
    the process.
    """
    try:
        _read_headers(message)
    except SystemError:
        message.set_headers([])


def partitions_of_topics(admin: AdminClient, *, seconds: float) -> list[TopicPartition]:
    """Every partition of this project's topics.

    Raises:
        KafkaException: the broker can't be reached in `seconds`.
        LookupError: a topic is missing.
    """
    there = admin.list_topics(timeout=seconds).topics
    if missing := [topic for topic in Topic if topic not in there]:
        raise LookupError(f"topics are missing ({', '.join(missing)}): run manage.py create_topics")
    return [TopicPartition(topic, partition) for topic in Topic for partition in sorted(there[topic].partitions)]


def create_topics(admin: AdminClient, *, seconds: float = 30.0) -> list[str]:
    """Create the topics that are missing, all with the same number of partitions; names of those created.

    Raises:
        KafkaException: the broker can't be reached in `seconds`, or refuses.
    """
    there = admin.list_topics(timeout=seconds).topics
    missing = [
        NewTopic(
            str(topic),
            num_partitions=settings.KAFKA_PARTITIONS,
            replication_factor=settings.KAFKA_REPLICATION_FACTOR,
            config=_topic_properties(),
        )
        for topic in Topic
        if topic not in there
    ]
    for future in admin.create_topics(missing, request_timeout=seconds).values() if missing else ():
        try:
            future.result(seconds)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    return [topic.topic for topic in missing]


def _topic_properties() -> dict[str, str]:
    properties = {
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
        "retention.ms": str(settings.KAFKA_RETENTION_HOURS * 3_600_000),
    }
    copies = settings.KAFKA_REPLICATION_FACTOR
    if copies >= 3:
        # `acks=all` alone is satisfied by a single copy when the others are away. Redpanda passes over it: there a
        # majority always acknowledges.
        properties["min.insync.replicas"] = str(copies // 2 + 1)
    return properties
