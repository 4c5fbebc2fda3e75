"""The kill matrix as data: each part, each fault, each load."""

from tests.faults.faults import freeze, kill, terminate
from tests.faults.loads import LOADS
from tests.faults.stage import Case, Scene, one_machine

WORKERS = ("publisher", "transforms", "scorer", "worker child", "worker parent", "deliverer")
TARGETS = (*WORKERS, "web", "kafka", "valkey")
FAULTS = (kill, terminate, freeze)
# After a killed worker or consumer answers come again in so many seconds.
WITHIN_SECONDS = 15.0

# Neighbours strike different parts: nobody waits for one that has just been restarted.
CASES = [
    Case(target, fault(target), load, within=WITHIN_SECONDS if target in WORKERS else None)
    for load in LOADS
    for fault in FAULTS
    for target in TARGETS
]
SCENE = Scene("one machine", one_machine, CASES)

# The most telling ones: each part once, the loads in turn. The scorer is ended by the rolling restart.
_FAST = [
    "worker parent, kill -9, bulk 5,000",
    "deliverer, kill -9, 50/s",
    "worker child, kill -9, bulk 5,000",
    "publisher, kill -9, bulk 5,000",
    "web, kill -9, 50/s",
    "kafka, kill -9, 50/s",
    "transforms, kill -9, 50/s",
    "valkey, kill -9, bulk 5,000",
]


def fast_cases() -> list[Case]:
    by_name = {case.name: case for case in CASES}
    return [by_name[name] for name in _FAST]
