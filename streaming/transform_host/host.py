"""One transform on a Kafka-API broker: read what is there, transform, publish to the same partition, then commit."""

import logging
import time
from collections.abc import Callable, Iterable
from threading import Event
from typing import cast

from confluent_kafka import OFFSET_INVALID, Consumer, TopicPartition

from predictions import life_log
from streaming import kafka
from streaming.messages import InvalidMessage, dead_letter
from streaming.metrics import BATCHES
from streaming.topics import Topic
from streaming.transform_host.abi import Output
from streaming.transform_host.deployments import Deployment
from streaming.transform_host.guest import Guest
from streaming.transform_host.lanes import Lane, RestartDelay, Step
from streaming.transform_host.modules import TransformModule
from streaming.transform_host.records import Header

logger = logging.getLogger("streaming.transforms")

STAGE = "transform-host"
BATCH_RECORDS = 500
# Shorter than the patience of whoever stops this process; what was not acknowledged by then is published again.
FLUSH_SECONDS = 4.0
# Of the keys that strangers wrote so many, and so much of each, are logged.
_MOST_KEYS, _LONGEST_KEY = 10, 64


class TransformHost:
    """Runs one deployment in the consumer group `transform-<name>`; one guest per assigned partition.

    At-least-once: an offset is stored only when everything that came of the records before it is acknowledged.
    `ready` is set once the broker has assigned this member its partitions (or none).
    """

    def __init__(
        self,
        deployment: Deployment,
        module: TransformModule,
        publisher: kafka.Publisher,
        *,
        new_restart_delay: Callable[[], RestartDelay] = RestartDelay,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.name = deployment.name
        self.ready = Event()
        self._deployment = deployment
        self._module = module
        self._publisher = publisher
        self._new_restart_delay = new_restart_delay
        self._clock = clock
        self._lanes: dict[int, Lane] = {}
        self._paused: set[int] = set()
        self._consumer: Consumer = kafka.consumer(
            f"transform-{deployment.name}",
            [Topic(deployment.input_topic)],
            on_assign=self._assigned,
            on_revoke=self._revoked,
            on_lost=self._revoked,
        )

    def run_once(self) -> int:
        """Read, transform, publish, store offsets; how many records are through. Waits briefly when there is none.

        Raises:
            NotDelivered: nothing is lost, the same records come again.
        """
        self._hold_busy_lanes()
        seconds = 0 if any(lane.is_due for lane in self._lanes.values()) else kafka.POLL_SECONDS
        for message in kafka.read_batch(self._consumer, limit=BATCH_RECORDS, seconds=seconds):
            # A partition can be taken away between two messages of one read; its records are another member's then.
            if (lane := self._lanes.get(cast(int, message.partition()))) is not None:
                lane.add(message)
        steps = {partition: step for partition, lane in self._lanes.items() if (step := lane.step()).done}
        if not steps:
            return 0
        for partition, step in steps.items():
            self._publish(partition, step)
        self._publisher.flush(FLUSH_SECONDS)
        BATCHES.labels(self.name).observe(sum(step.done for step in steps.values()))
        self._tell([output for step in steps.values() for output in step.outputs])
        ends = {partition: self._lanes[partition].confirm(step.done) for partition, step in steps.items()}
        # The consumer commits what is stored: once a second, before a partition goes, and when it is closed.
        self._consumer.store_offsets(offsets=self._positions(ends))
        return sum(step.done for step in steps.values())

    def close(self) -> None:
        """Commit, leave the group, stop the guests."""
        self._consumer.close()
        self._drop(list(self._lanes))

    def _publish(self, partition: int, step: Step) -> None:
        for output in step.outputs:
            record = output.record
            self._publisher.publish(
                output.topic,
                key=record.key,
                value=record.value,
                headers=_as_kafka(record.headers),
                partition=partition,
            )
        if step.poison is not None:
            error = InvalidMessage("trapped", f"{self.name} trapped on this record: {step.reason}")
            letter = dead_letter(step.poison, error, stage=STAGE)
            self._publisher.publish(
                Topic.DEAD_LETTERS, key=letter.key, value=letter.value, headers=letter.headers, partition=partition
            )

    def _tell(self, outputs: list[Output]) -> None:
        letters = _keys_of(output for output in outputs if output.topic == Topic.DEAD_LETTERS)
        passed = _keys_of(output for output in outputs if output.topic != Topic.DEAD_LETTERS)
        life_log.tell("transformed", passed, by=self.name)
        if letters:  # Their keys are whatever a stranger wrote; of those that are ids the deliverer tells the life.
            keys = [key[:_LONGEST_KEY] for key in letters[:_MOST_KEYS]]
            logger.info("%s made %d records dead letters, the first with the keys %s", self.name, len(letters), keys)

    # -- partitions ---------------------------------------------------------------------------------------------

    def _hold_busy_lanes(self) -> None:
        """Read no further where records wait already (the guest is to be restarted, or the broker is away)."""
        busy = {partition for partition, lane in self._lanes.items() if len(lane)}
        if to_pause := busy - self._paused:
            self._consumer.pause(self._positions(dict.fromkeys(to_pause, OFFSET_INVALID)))
        if to_resume := self._paused - busy:
            self._consumer.resume(self._positions(dict.fromkeys(to_resume, OFFSET_INVALID)))
        self._paused = busy

    def _positions(self, offsets: dict[int, int]) -> list[TopicPartition]:
        topic = self._deployment.input_topic
        return [TopicPartition(topic, partition, offset) for partition, offset in offsets.items()]

    def _assigned(self, _consumer: Consumer, positions: list[TopicPartition]) -> None:
        for position in positions:
            self._lanes[position.partition] = Lane(
                f"{self.name}, partition {position.partition}",
                lambda: Guest(self._deployment, self._module),
                restart_delay=self._new_restart_delay(),
                clock=self._clock,
            )
        self.ready.set()

    def _revoked(self, consumer: Consumer, positions: list[TopicPartition]) -> None:
        # librdkafka holds a partition for ever that went away while it was held, also when it comes back.
        consumer.resume([position for position in positions if position.partition in self._paused])
        self._drop([position.partition for position in positions])

    def _drop(self, partitions: list[int]) -> None:
        for partition in partitions:
            self._paused.discard(partition)
            if (lane := self._lanes.pop(partition, None)) is not None:
                lane.close()


def _keys_of(outputs: Iterable[Output]) -> list[str]:
    return [(output.record.key or b"").decode("utf-8", "replace") for output in outputs]


def _as_kafka(headers: list[Header]) -> kafka.Headers:
    """Header names are text to Kafka clients, bytes to a guest."""
    return [((name or b"").decode("utf-8", "replace"), value) for name, value in headers]
