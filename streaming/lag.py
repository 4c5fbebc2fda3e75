"""How far the readers of each topic are behind, as the broker knows it."""

import time
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from django.conf import settings

from streaming.kafka import partitions_of_topics, reader
from streaming.topics import READERS, Group, Topic

READ_SECONDS = 2.0

Where = tuple[str, int]


@dataclass(frozen=True)
class Lag:
    """`records` of `topic` that `group` has not handled yet; None where the broker keeps no offsets of that group."""

    topic: Topic
    group: Group
    records: int | None


def read_lags(admin: AdminClient, *, seconds: float = READ_SECONDS) -> list[Lag]:
    """The lag of each reader, in the order in which a prediction travels.

    Raises:
        KafkaException: the broker can't be reached in `seconds`, or refuses.
        LookupError: a topic is missing.
    """
    partitions = partitions_of_topics(admin, seconds=seconds)
    first = _offsets(admin, partitions, OffsetSpec.earliest(), seconds)
    end = _offsets(admin, partitions, OffsetSpec.latest(), seconds)
    done = {
        group: _committed(group, [where for where in partitions if (where.topic, group) in READERS], seconds)
        for group in Group
        if not _is_run_by_the_broker(group)
    }
    return [
        Lag(topic, group, _behind(topic, first, end, done[group]) if group in done else None)
        for topic, group in READERS
    ]


def scored_and_not_delivered(lags: list[Lag]) -> int | None:
    """Predictions that have a price and no stored answer yet; None where a lag in between is unknown."""
    waiting = [lag.records for lag in lags if lag.topic in (Topic.SCORES, Topic.RESULTS)]
    known = [records for records in waiting if records is not None]
    return sum(known) if len(known) == len(waiting) else None


def _behind(topic: Topic, first: dict[Where, int], end: dict[Where, int], done: dict[Where, int]) -> int:
    """A group that never committed begins at the first record; so does one whose place is gone."""
    wheres = [where for where in end if where[0] == topic]
    return sum(max(0, end[where] - max(done.get(where, 0), first[where])) for where in wheres)


def _offsets(
    admin: AdminClient, partitions: list[TopicPartition], spec: OffsetSpec, seconds: float
) -> dict[Where, int]:
    asked: dict[TopicPartition, Any] = admin.list_offsets(dict.fromkeys(partitions, spec), request_timeout=seconds)
    # A second longer than the client itself waits, so that its own words come first.
    end = time.monotonic() + seconds + 1
    try:
        return {
            (where.topic, where.partition): future.result(max(0.0, end - time.monotonic())).offset
            for where, future in asked.items()
        }
    except TimeoutError as error:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT)) from error


def _committed(group: Group, partitions: list[TopicPartition], seconds: float) -> dict[Where, int]:
    """By a consumer that never joins: an admin client asking for this aborts its process when the node that it asks
    dies at that moment (librdkafka#4605)."""
    asking = reader(group)
    try:
        found = asking.committed(partitions, timeout=seconds)
    finally:
        asking.close()
    return {(where.topic, where.partition): where.offset for where in found if where.offset >= 0}


def _is_run_by_the_broker(group: Group) -> bool:
    """Redpanda keeps the places of its own transforms where no client can see them."""
    return bool(settings.REDPANDA_ADMIN_URL) and group in (Group.PREPARE, Group.FORMAT)
