"""Bad weather: what befalls the parts together, and not a process. Each is a block that ends it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import redis

from tests.faults import clocks, disk, outside
from tests.faults.faults import Fault
from tests.faults.loads import BULK, STEADY
from tests.faults.matrix import WITHIN_SECONDS
from tests.faults.stage import Case, Scene, one_machine
from tests.stack import RunningStack


@contextmanager
def flushed(stack: RunningStack) -> Iterator[None]:
    """Celery's queue, cache and sessions of Valkey are gone at one moment."""
    with redis.Redis.from_url(stack.env["REDIS_URL"]) as client:
        client.flushall()
    yield


@contextmanager
def database_locked(stack: RunningStack) -> Iterator[None]:
    """Another connection holds SQLite's one write lock."""
    with closing(sqlite3.connect(stack.var_dir / "housevalue.sqlite3", timeout=20, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")


FLUSHALL = Fault("FLUSHALL", flushed)
LOCKED = Fault("locked 10 s", database_locked, 10)

SCENE = Scene(
    "weather",
    one_machine,
    [
        Case("valkey", FLUSHALL, STEADY, within=WITHIN_SECONDS),
        Case("valkey", FLUSHALL, BULK, within=WITHIN_SECONDS),
        Case("database", LOCKED, STEADY, within=WITHIN_SECONDS),
        Case("database", LOCKED, BULK, within=WITHIN_SECONDS),
    ],
)
# The most telling ones.
FAST = ["valkey, FLUSHALL, bulk 5,000", "database, locked 10 s, 50/s"]

SCENES = (SCENE, outside.SCENE, clocks.SCENE, disk.SCENE)


def missing_for(scene: Scene) -> str:
    """What this machine lacks for a scene; empty when it can be played."""
    if scene is clocks.SCENE and clocks.libfaketime() is None:
        return "libfaketime is missing: apt install faketime"
    if scene is disk.SCENE and not disk.can_mount():
        return "only root may mount a small disk"
    return ""
