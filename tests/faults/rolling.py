"""A deploy without a pause: every process in turn gets SIGTERM and is waited for, while questions go on.

A second web process stands beside the one of the run: while one of them is away, clients try the other.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from housevalue.embedded import ports
from housevalue.supervision.programs import answers_http
from tests.faults.faults import Fault
from tests.faults.loads import IDLE, STEADY
from tests.faults.stage import ENVIRONMENT, Case, Scene
from tests.stack import ROOT, RunningStack, running_stack, wait_until

# Along the path of a prediction, the doors last.
CONSUMERS = ("publisher", "transforms", "scorer", "worker", "deliverer")
_RESTART_SECONDS = 60.0


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
        wait_until((stack.var_dir / "ready" / name).exists, _RESTART_SECONDS, f"{name} to work again")
    restart(stack, "web")
    wait_until(lambda: answers_http(stack.port, "/healthz"), _RESTART_SECONDS, "the web process to answer again")
    _second_webs[stack.var_dir].stop()
    _second_webs[stack.var_dir].start()
    yield


def restart(stack: RunningStack, name: str) -> None:
    """SIGTERM, and the supervisor starts it again."""
    stack.wait_restarted(name, stack.kill(name, signal.SIGTERM), _RESTART_SECONDS)


SCENE = Scene(
    "one machine, two web processes",
    two_webs,
    [Case("every process in turn", Fault("rolling restart", restart_each), load) for load in (STEADY, IDLE)],
)


def fast_cases() -> list[Case]:
    return [case for case in SCENE.cases if case.load is STEADY]
