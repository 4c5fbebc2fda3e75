"""What may happen to a process. A fault is a block: entered, the harm is done; left, it is undone if it can be."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.stack import RunningStack

Strike = Callable[[RunningStack], AbstractContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """Something that happens to a run and lasts `seconds`."""

    name: str
    strike: Strike
    seconds: float = 0.0


def kill(target: str) -> Fault:
    return Fault("kill -9", _signalled(target, signal.SIGKILL))


def terminate(target: str) -> Fault:
    return Fault("SIGTERM", _signalled(target, signal.SIGTERM))


def freeze(target: str, seconds: float = 20.0) -> Fault:
    """SIGSTOP, and after `seconds` SIGCONT. Of the worker's parent and child only the one named: the other runs on."""

    @contextmanager
    def strike(stack: RunningStack) -> Iterator[None]:
        pid = pid_of(stack, target)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            # Celery kills a child that takes too long, frozen or not.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    return Fault(f"SIGSTOP {seconds:g} s", strike, seconds)


def _signalled(target: str, number: signal.Signals) -> Strike:
    @contextmanager
    def strike(stack: RunningStack) -> Iterator[None]:
        os.kill(pid_of(stack, target), number)
        yield

    return strike


def pid_of(stack: RunningStack, target: str) -> int:
    """The pid of a program by its name under supervision, or of the worker's parent or pool child.

    Raises:
        LookupError: it does not run.
    """
    name = "worker" if target.startswith("worker ") else target
    if (pid := stack.processes().get(name)) is None:
        raise LookupError(f"{name} does not run")
    return _pool_child(pid) if target == "worker child" else pid


def _pool_child(worker: int) -> int:
    """The worker's clock is a child too: the one that scores has a Kafka client, hence its threads."""
    for child in psutil.Process(worker).children():
        names = (thread.read_text() for thread in Path(f"/proc/{child.pid}/task").glob("*/comm"))
        if any(name.startswith("rdk:") for name in names):
            return child.pid
    raise LookupError("the worker has no pool child that scores")
