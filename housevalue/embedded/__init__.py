"""A real Apache Kafka and a real Valkey for one machine, from packages: no system Java, no system Redis."""

from housevalue.embedded.kafka import KafkaNode
from housevalue.embedded.server import EmbeddedServer, NotReady
from housevalue.embedded.valkey import ValkeyServer

__all__ = ["EmbeddedServer", "KafkaNode", "NotReady", "ValkeyServer"]
