"""A run whose Kafka and Valkey stand outside of it, at the other end of wires that a test can cut."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from housevalue.embedded import KafkaNode, ValkeyServer
from housevalue.embedded.ports import spare_port
from tests.faults.faults import Fault
from tests.faults.loads import BULK, STEADY
from tests.faults.stage import ENVIRONMENT, PROGRAMS, Case, Scene
from tests.faults.wires import Wire, wire_to
from tests.stack import RunningStack, running_stack

CUT_SECONDS = 10.0


@dataclass
class KafkaBehindWire(KafkaNode):
    """A node that tells clients to come by `advertised_port`."""

    advertised_port: int = 0

    def _properties(self) -> dict[str, object]:
        return {**super()._properties(), "advertised.listeners": f"CLIENTS://127.0.0.1:{self.advertised_port}"}


@dataclass(frozen=True)
class Outside:
    kafka: KafkaBehindWire
    to_kafka: Wire
    to_valkey: Wire


# State folder of a run -> what it stands on.
_outsides: dict[Path, Outside] = {}


@contextmanager
def on_wires(var_dir: Path) -> Iterator[RunningStack]:
    with ExitStack() as stack:
        kafka_port, valkey_port = spare_port(), spare_port()
        to_kafka = stack.enter_context(wire_to(kafka_port))
        to_valkey = stack.enter_context(wire_to(valkey_port))
        kafka = KafkaBehindWire(var_dir / "outside-kafka", kafka_port, spare_port(), advertised_port=to_kafka.port)
        valkey = ValkeyServer(var_dir / "outside-valkey", valkey_port)
        for server in (kafka, valkey):
            server.start()
            stack.callback(server.kill)
            server.wait_ready()
        given = {
            "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{to_kafka.port}",
            "REDIS_URL": f"redis://127.0.0.1:{to_valkey.port}/0",
        }
        _outsides[var_dir] = Outside(kafka, to_kafka, to_valkey)
        yield stack.enter_context(running_stack(var_dir, env={**ENVIRONMENT, **given}))


def cut(wire_of: Callable[[Outside], Wire]) -> Callable[[RunningStack], AbstractContextManager[None]]:
    """For as long as the fault lasts nothing passes the wire, in either direction."""

    @contextmanager
    def strike(stack: RunningStack) -> Iterator[None]:
        wire = wire_of(_outsides[stack.var_dir])
        wire.cut()
        try:
            yield
        finally:
            wire.mend()

    return strike


@contextmanager
def wiped(stack: RunningStack) -> Iterator[None]:
    """Kafka dies and comes back with nothing: no records, no offsets, and the topics are made anew."""
    kafka = _outsides[stack.var_dir].kafka
    kafka.kill()
    shutil.rmtree(kafka.directory)
    kafka.start()
    kafka.wait_ready()
    made = stack.manage("create_topics")
    assert made.returncode == 0, made.stderr
    yield


SCENE = Scene(
    "outside",
    on_wires,
    [
        Case("kafka", Fault("data wiped", wiped), STEADY),
        Case("kafka", Fault("data wiped", wiped), BULK),
        Case("path to kafka", Fault(f"cut {CUT_SECONDS:g} s", cut(attrgetter("to_kafka")), CUT_SECONDS), STEADY),
        Case("path to valkey", Fault(f"cut {CUT_SECONDS:g} s", cut(attrgetter("to_valkey")), CUT_SECONDS), STEADY),
    ],
    programs=tuple(name for name in PROGRAMS if name not in ("kafka", "valkey")),
)
