"""What the transforms of a Redpanda cluster print: the topic that Redpanda keeps of it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

LOG_TOPIC = "_redpanda.transform_logs"
ANSWER_SECONDS = 10.0
# Severity numbers of OpenTelemetry that Redpanda gives to what a guest writes to stdout and stderr: 9, 13.
WARNING_SEVERITY = 13


class NoLogs(Exception):
    """The broker keeps no logs of transforms: it isn't Redpanda, or its transforms are disabled."""


def read_logs(reader: Consumer, name: str) -> Iterator[str]:
    """One line for each message of the transform `name` that the cluster still holds, oldest first in each partition.

    `reader` needs `enable.partition.eof`; it joins no group.

    Raises:
        NoLogs: there is no such topic.
        KafkaException: no answer.
    """
    partitions = reader.list_topics(LOG_TOPIC, timeout=ANSWER_SECONDS).topics[LOG_TOPIC].partitions
    if not partitions:
        raise NoLogs(f"the broker has no topic {LOG_TOPIC}: no Redpanda, or data_transforms_enabled is off")
    reader.assign([TopicPartition(LOG_TOPIC, partition, 0) for partition in partitions])
    unread = set(partitions)
    while unread:
        message = reader.poll(ANSWER_SECONDS)
        if message is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"no answer in {ANSWER_SECONDS:.0f} s"))
        if (error := message.error()) is None:
            if message.key() == name.encode():
                yield format_line(message)
        elif error.code() == KafkaError._PARTITION_EOF:
            unread.discard(message.partition())
        else:
            raise KafkaException(error)


def format_line(message: Message) -> str:
    """`2026-01-31T12:00:00+00:00 warning node 0: text`; the raw value when it has another shape."""
    value = message.value() or b""
    try:
        event = json.loads(value)
        moment = datetime.fromtimestamp(int(event["timeUnixNano"]) / 1e9, UTC).isoformat(timespec="milliseconds")
        level = "warning" if event["severityNumber"] >= WARNING_SEVERITY else "info"
        nodes = [item["value"]["intValue"] for item in event["attributes"] if item["key"] == "node"]
        return f"{moment} {level} node {nodes[0]}: {event['body']['stringValue'].rstrip()}"
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return value.decode(errors="replace").rstrip()
