"""A run some of whose processes have clocks of their own, which a test can set: by libfaketime, where it is there."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from housevalue.supervision.programs import PATH
from housevalue.supervision.supervisord import connect
from tests.faults.faults import Fault, Strike
from tests.faults.loads import STEADY
from tests.faults.stage import ENVIRONMENT, PROGRAMS, Case, Scene
from tests.stack import ROOT, RunningStack, running_stack

# Who decides by the clock: what has missed its deadline, what Redis must hand out again, when an answer was stored.
STEPPED = ("publisher", "worker", "deliverer")
_HOLD_SECONDS = 10.0
_STOP_SECONDS = 15.0


def libfaketime() -> Path | None:
    return next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


@contextmanager
def with_own_clocks(var_dir: Path) -> Iterator[RunningStack]:
    """What `make run` starts; STEPPED not under supervision but beside it, each with a clock of its own."""
    with running_stack(var_dir, env=ENVIRONMENT) as stack, ExitStack() as programs:
        for name in STEPPED:
            programs.enter_context(_by_own_clock(stack, name))
        yield stack


@contextmanager
def _by_own_clock(stack: RunningStack, name: str) -> Iterator[None]:
    supervised = psutil.Process(stack.processes()[name])
    command = supervised.cmdline()
    environment = {
        **supervised.environ(),
        "LD_PRELOAD": str(libfaketime()),
        "FAKETIME_TIMESTAMP_FILE": str(_clock(stack, name)),
        "FAKETIME_CACHE_DURATION": "1",
        # A clock that is set moves no stop watch.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    connect(stack.supervisor).supervisor.stopProcess(f"{PATH}:{name}")
    _set_clock(stack, name, 0)
    with (stack.var_dir / "log" / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _clock(stack: RunningStack, name: str) -> Path:
    return stack.var_dir / f"{name}.clock"


def _set_clock(stack: RunningStack, name: str, hours: int) -> None:
    _clock(stack, name).write_text(f"{hours * 3600:+d}\n")


def stepped(name: str, hours: int) -> Strike:
    @contextmanager
    def strike(stack: RunningStack) -> Iterator[None]:
        _set_clock(stack, name, hours)
        try:
            yield
        finally:
            _set_clock(stack, name, 0)

    return strike


SCENE = Scene(
    "clocks",
    with_own_clocks,
    [
        Case(f"clock of the {name}", Fault(f"{hours:+d} h for 10 s", stepped(name, hours), _HOLD_SECONDS), STEADY)
        for name in STEPPED
        for hours in (1, -1)
    ],
    programs=tuple(name for name in PROGRAMS if name not in STEPPED),
)
