"""Deploys without a pause: every process in turn is ended by SIGTERM and waited for, while questions go on.

In a restart a second web process stands beside the one of the run: while one of them is away, clients try the other.
In an upgrade each process is replaced by one that writes and reads messages with a member more, and then back again,
along the path both times: so each reader meets the shape of its own code and the other one.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from housevalue.embedded import ports
from housevalue.supervision.programs import answers_http, path_programs
from tests.faults.faults import Fault
from tests.faults.loads import STEADY
from tests.faults.stage import ENVIRONMENT, Case, Scene
from tests.stack import ROOT, RunningStack, running_stack, wait_until

# Along the path of a prediction, the doors last.
CONSUMERS = ("publisher", "transforms", "scorer", "worker", "deliverer")
# Those of them that read messages in Python; the transforms are WebAssembly, which passes over what it doesn't know.
READERS = ("scorer", "worker", "deliverer")
_RESTART_SECONDS = 60.0
_SIDE_BY_SIDE_SECONDS = 1.0


class SecondWeb:
    """Another web process of a run, started by hand on a port of its own."""

    def __init__(self, stack: RunningStack):
        self.port = ports.spare_port()
        self._stack = stack
        self._process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "daphne", "--bind", "127.0.0.1", "--port", str(self.port)]
        with (self._stack.var_dir / "log" / "second_web.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--verbosity", "0", "housevalue.asgi:application"],
                cwd=ROOT,
                env=self._stack.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_until(lambda: answers_http(self.port, "/healthz"), _RESTART_SECONDS, "the second web process")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)


# State folder of a run -> its second web process.
_second_webs: dict[Path, SecondWeb] = {}


@contextmanager
def two_webs(var_dir: Path) -> Iterator[RunningStack]:
    """What `make run` starts, and a second web process."""
    with running_stack(var_dir, env=ENVIRONMENT) as stack:
        second = _second_webs[var_dir] = SecondWeb(stack)
        try:
            second.start()
            stack.second_url = second.url
            yield stack
        finally:
            second.stop()


@contextmanager
def restart_each(stack: RunningStack) -> Iterator[None]:
    """Every process has been restarted, one after the other, each waited for."""
    for name in CONSUMERS:
        restart(stack, name)
        wait_ready(stack, name)
    restart(stack, "web")
    wait_until(lambda: answers_http(stack.port, "/healthz"), _RESTART_SECONDS, "the web process to answer again")
    _second_webs[stack.var_dir].stop()
    _second_webs[stack.var_dir].start()
    yield


def restart(stack: RunningStack, name: str) -> None:
    """SIGTERM, and the supervisor starts it again."""
    stack.wait_restarted(name, stack.kill(name, signal.SIGTERM), _RESTART_SECONDS)


def wait_ready(stack: RunningStack, name: str) -> None:
    wait_until((stack.var_dir / "ready" / name).exists, _RESTART_SECONDS, f"{name} to work again")


def upgraded(stack: RunningStack, name: str) -> subprocess.Popen:
    """End a program and start the newer one in its place."""
    stack.stop_program(name)
    command = next(
        program.command
        for program in path_programs(port=0, ready_file=Path, ports=ports.DEFAULT_PORTS)
        if program.name == name
    )
    with (stack.var_dir / "log" / f"newer_{name}.log").open("ab") as log:
        newer = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.newer", name, *command[1:]],
            cwd=ROOT,
            env=stack.env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    wait_ready(stack, name)
    return newer


def downgraded(stack: RunningStack, name: str, newer: subprocess.Popen) -> None:
    """End the newer program and let the old one come back."""
    newer.terminate()
    newer.wait(_RESTART_SECONDS)
    stack.start_program(name)
    wait_ready(stack, name)


@contextmanager
def upgrade_each_and_back(stack: RunningStack) -> Iterator[None]:
    """Raises: AssertionError: a reader has met one shape only, or a message became a dead letter."""
    newer: dict[str, subprocess.Popen] = {}
    try:
        for name in CONSUMERS:
            newer[name] = upgraded(stack, name)
            time.sleep(_SIDE_BY_SIDE_SECONDS)
        for name in CONSUMERS:
            downgraded(stack, name, newer[name])
            time.sleep(_SIDE_BY_SIDE_SECONDS)
        yield
    finally:
        for process in newer.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    met = {
        name: [(stack.var_dir / "shapes" / f"{name}-{shape}").exists() for shape in ("old", "new")] for name in READERS
    }
    assert all(all(shapes) for shapes in met.values()), f"[old, new] met by newer programs: {met}"
    assert json.loads(stack.manage("show_ledger", "--json").stdout)["open_dead_letters"] == 0


RESTART = Fault("rolling restart", restart_each)
UPGRADE = Fault("rolling upgrade and back", upgrade_each_and_back)
SCENE = Scene(
    "one machine, two web processes",
    two_webs,
    [Case("every process in turn", fault, STEADY, most_refused=0.25) for fault in (RESTART, UPGRADE)],
)


def fast_cases() -> list[Case]:
    return [case for case in SCENE.cases if case.fault is RESTART]
