"""What may happen to three nodes of Kafka, as cases like those of the matrix."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from housevalue.embedded import KafkaNode
from tests.faults.cluster import Cluster, running_cluster, strike
from tests.faults.crowd import HOUSES
from tests.faults.faults import Fault
from tests.faults.loads import LOADS, STEADY
from tests.faults.stage import ENVIRONMENT, PROGRAMS, Case, Scene
from tests.stack import RunningStack, running_stack

LEADER = "kafka leader of three"
TWO_NODES = "kafka, two nodes of three"
# However a leader is lost, the others answer again in so many seconds.
LEADER_SECONDS = 10.0
# A killed node stays away longer than the others need, and comes back under the same load.
AWAY_SECONDS = 12.0
FREEZE_SECONDS = 20.0
# An outage shorter than the deadline of an answer, and a longer one.
OUTAGES = (20.0, 45.0)
BACK_SECONDS = 15.0
# The door needs no broker: it answers as fast as ever.
DOOR_SECONDS = 1.0
_AT_THE_DOOR = 20

# State folder of a run -> the cluster under it.
_clusters: dict[Path, Cluster] = {}


@contextmanager
def run_on_cluster(var_dir: Path) -> Iterator[RunningStack]:
    """The real run on three nodes, each partition on all of them."""
    with running_cluster(var_dir.with_name(f"{var_dir.name}-kafka")) as cluster:
        _clusters[var_dir] = cluster
        with running_stack(var_dir, env={**ENVIRONMENT, **cluster.environment}) as stack:
            cluster.make_whole()
            yield stack


def lose_leader(name: str, number: signal.Signals, seconds: float) -> Fault:
    """The leader of most partitions gets a signal, and is brought back after `seconds`."""
    return Fault(name, _struck(number, lambda cluster: [cluster.leader_of_most()]), seconds)


def lose_two(seconds: float) -> Fault:
    """Two nodes are killed, the leader of most partitions among them; the third alone may acknowledge nothing."""
    return Fault(f"kill -9, {seconds:g} s", _struck(signal.SIGKILL, _two_leaders, meanwhile=_ask_at_the_door), seconds)


def _two_leaders(cluster: Cluster) -> list[KafkaNode]:
    return [cluster.nodes[number] for number, _ in cluster.leaders().most_common(2)]


def _struck(
    number: signal.Signals,
    choose: Callable[[Cluster], list[KafkaNode]],
    meanwhile: Callable[[RunningStack], None] = lambda _: None,
) -> Callable:
    @contextmanager
    def struck(stack: RunningStack) -> Iterator[None]:
        cluster = _clusters[stack.var_dir]
        for node in choose(cluster):
            strike(node, number)
        try:
            meanwhile(stack)
            yield
            meanwhile(stack)
        finally:
            cluster.make_whole()

    return struck


def _ask_at_the_door(stack: RunningStack) -> None:
    """Raises: AssertionError: a question was not accepted, or not at once."""
    with httpx.Client(base_url=stack.base_url, timeout=10) as visitor:
        for house in HOUSES[:_AT_THE_DOOR]:
            asked_at = time.monotonic()
            response = visitor.post("/predict_api", json=house)
            seconds = time.monotonic() - asked_at
            assert response.status_code == 202, response.text
            assert seconds < DOOR_SECONDS, f"the door took {seconds:.1f} s"


LEADER_FAULTS = (
    lose_leader("kill -9", signal.SIGKILL, AWAY_SECONDS),
    lose_leader("SIGTERM", signal.SIGTERM, AWAY_SECONDS),
    lose_leader(f"SIGSTOP {FREEZE_SECONDS:g} s", signal.SIGSTOP, FREEZE_SECONDS),
)
CASES = [
    *(Case(LEADER, fault, load, within=LEADER_SECONDS, from_start=True) for load in LOADS for fault in LEADER_FAULTS),
    *(Case(TWO_NODES, lose_two(seconds), STEADY, within=BACK_SECONDS) for seconds in OUTAGES),
]
SCENE = Scene("three nodes of Kafka", run_on_cluster, CASES, tuple(name for name in PROGRAMS if name != "kafka"))


def fast_cases() -> list[Case]:
    """One leader lost under load."""
    return [next(case for case in CASES if case.load is STEADY)]
