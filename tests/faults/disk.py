"""A run whose Kafka keeps its log on a disk of its own, so small that a test can fill it. Needs root: it mounts one."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.faults import Fault
from tests.faults.loads import STEADY
from tests.faults.stage import ENVIRONMENT, Case, Scene
from tests.stack import RunningStack, running_stack

_MEGABYTES = 64
_FULL_SECONDS = 10.0


def can_mount() -> bool:
    return os.geteuid() == 0


@contextmanager
def on_a_small_disk(var_dir: Path) -> Iterator[RunningStack]:
    """What `make run` starts, with Kafka's folder on a disk of 64 MB in memory."""
    disk = var_dir / "kafka"
    disk.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_MEGABYTES}m", "tmpfs", str(disk)], check=True)
    try:
        with running_stack(var_dir, env=ENVIRONMENT) as stack:
            yield stack
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@contextmanager
def full(stack: RunningStack) -> Iterator[None]:
    """Somebody else's file takes what is left of Kafka's disk, and is deleted again."""
    ballast = stack.var_dir / "kafka" / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
    try:
        yield
    finally:
        ballast.unlink()


SCENE = Scene(
    "small disk",
    on_a_small_disk,
    [Case("disk of kafka", Fault(f"full for {_FULL_SECONDS:g} s", full, _FULL_SECONDS), STEADY)],
)
