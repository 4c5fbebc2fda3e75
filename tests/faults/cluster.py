"""Three nodes of Apache Kafka, each partition on all of them, and the real run on top."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from housevalue.embedded import KafkaNode, ports
from streaming.topics import Topic
from tests.stack import wait_until

NODES = 3
# Kafka's own topic with the places of the consumer groups: its leader matters as much as ours.
OFFSETS_TOPIC = "__consumer_offsets"


class Cluster:
    """The nodes by their ids, 1 to 3; each may be killed, frozen, ended and started again."""

    def __init__(self, directory: Path):
        voters = {number: ports.spare_port() for number in range(1, NODES + 1)}
        self.nodes = {
            number: KafkaNode(
                directory / str(number), ports.spare_port(), controller_port, number, voters=voters, replication=NODES
            )
            for number, controller_port in voters.items()
        }
        self._admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})

    @property
    def bootstrap(self) -> str:
        return ",".join(node.bootstrap for node in self.nodes.values())

    @property
    def environment(self) -> dict[str, str]:
        """What leads a run to this cluster instead of a broker of its own."""
        return {"KAFKA_BOOTSTRAP_SERVERS": self.bootstrap, "KAFKA_REPLICATION_FACTOR": str(NODES)}

    def start(self) -> None:
        """Start every node and wait until all of them know each other."""
        for node in self.nodes.values():
            node.start()
        for node in self.nodes.values():
            node.wait_ready()
        wait_until(lambda: len(self._admin.list_topics(timeout=5).brokers) == NODES, 60, "every broker to be known")

    def stop(self) -> None:
        """End every node at once."""
        for node in self.nodes.values():
            node.kill()

    def leaders(self) -> Counter[int]:
        """Node id -> of how many partitions of our topics and of the groups' places it is the leader.

        Raises:
            KafkaException: no node answers.
        """
        there = self._admin.list_topics(timeout=5).topics
        topics = [there[name] for name in (*Topic, OFFSETS_TOPIC) if name in there]
        return Counter(part.leader for topic in topics for part in topic.partitions.values())

    def leader_of_most(self) -> KafkaNode:
        """The node whose loss stops most partitions."""
        return self.nodes[self.leaders().most_common(1)[0][0]]

    def is_whole(self) -> bool:
        """Whether every copy of every partition has caught up."""
        try:
            there = self._admin.list_topics(timeout=5).topics.values()
        except KafkaException:
            return False
        parts = [part for topic in there for part in topic.partitions.values()]
        return all(len(part.isrs) == len(part.replicas) for part in parts)

    def make_whole(self) -> None:
        """Start what is down, thaw what is frozen, and wait until every copy of every partition has caught up."""
        for node in self.nodes.values():
            if node.process is None or node.process.poll() is not None:
                node.start()
            else:
                strike(node, signal.SIGCONT)
        wait_until(self.is_whole, 90, "every copy of every partition to have caught up")


def strike(node: KafkaNode, signal_number: int) -> None:
    """Send a signal to a node."""
    assert node.process is not None
    os.kill(node.process.pid, signal_number)


@contextmanager
def running_cluster(directory: Path) -> Iterator[Cluster]:
    """Three nodes that know each other; at the end of the block nothing of them is left."""
    cluster = Cluster(directory)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
