"""The real run, started as a user starts it, in a state folder and on ports of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from housevalue.embedded import ports
from housevalue.supervision.processes import processes_of
from housevalue.supervision.programs import PATH
from housevalue.supervision.supervisord import connect, running_programs

ROOT = Path(__file__).resolve().parent.parent
# What a developer's shell or the test session may have set and a fresh run must not see.
FOREIGN = ("KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL", "DATABASE_URL", "SECRET_KEY", "PORT", "VAR_DIR", "CELERY_BROKER_URL")


@dataclass
class RunningStack:
    """A run of `manage.py run_stack` that has printed its address."""

    process: subprocess.Popen
    var_dir: Path
    port: int
    output_file: Path
    second_url: str | None = None
    """Where another web process of this run answers, if there is one."""

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        """The environment with which `manage.py` talks to this run."""
        return {**_clean_environment(), **self._description()["environment"]}

    @property
    def supervisor(self) -> Path:
        """The socket of the run's supervisord."""
        return Path(self._description()["supervisor"])

    @property
    def output(self) -> str:
        """All that the run has printed so far."""
        return self.output_file.read_text()

    @property
    def logins(self) -> dict[str, str]:
        """User name -> password of the demo users."""
        return json.loads((self.var_dir / "demo_logins.json").read_text())

    def processes(self) -> dict[str, int]:
        """Program name -> pid of what runs now; empty when the run has ended."""
        return running_programs(self.supervisor) if self.is_ready() else {}

    def kill(self, name: str, signal_number: int = signal.SIGKILL) -> int:
        """Send a signal to a program; the pid it had."""
        pid = self.processes()[name]
        os.kill(pid, signal_number)
        return pid

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """A program stands still for the length of the block."""
        pid = self.kill(name, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def stop_program(self, name: str) -> None:
        """Have a program of the path end and stay away; returns when it has ended."""
        self._supervisor().stopProcess(f"{PATH}:{name}")

    def start_program(self, name: str) -> None:
        """Start it again; returns before it is ready."""
        self._supervisor().startProcess(f"{PATH}:{name}", False)

    def log(self, name: str) -> str:
        return (self.var_dir / "log" / f"{name}.log").read_text(errors="replace")

    def manage(self, *arguments: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a management command against this run."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=seconds, check=False
        )

    def wait_restarted(self, name: str, pid: int, seconds: float = 30) -> int:
        """Wait until the program runs with another pid than `pid`; the new one."""
        wait_until(lambda: self.processes().get(name, pid) != pid, seconds, f"{name} to be restarted")
        return self.processes()[name]

    def is_ready(self) -> bool:
        """Whether this very run has said where it is; a killed one leaves its word behind."""
        try:
            return self._description()["pid"] == self.process.pid
        except (OSError, ValueError):
            return False

    def _supervisor(self) -> Any:
        return connect(Path(self._description()["supervisor"])).supervisor

    def _description(self) -> dict[str, Any]:
        return json.loads((self.var_dir / "run" / "stack.json").read_text())


def start_stack(var_dir: Path, *, port: int, env: Mapping[str, str] | None = None, output: Path) -> subprocess.Popen:
    """Start `manage.py run_stack`; returns at once, what it prints goes to `output`."""
    environment = {**_clean_environment(), "VAR_DIR": str(var_dir), "PORT": str(port), **(env or {})}
    with output.open("w") as file:
        return subprocess.Popen(
            [sys.executable, "manage.py", "run_stack"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )


@contextmanager
def running_stack(
    var_dir: Path, *, port: int | None = None, env: Mapping[str, str] | None = None, seconds: float = 180
) -> Iterator[RunningStack]:
    """A whole run, ready to be asked; at the end of the block it is stopped as Ctrl-C would."""
    port = port or ports.spare_port()
    var_dir.mkdir(parents=True, exist_ok=True)
    if not (var_dir / "ports.json").exists():
        ports.remember(var_dir, {name: ports.spare_port() for name in ports.DEFAULT_PORTS})
    output = var_dir / "run_stack.out"
    process = start_stack(var_dir, port=port, env=env, output=output)
    running = RunningStack(process, var_dir, port, output)
    try:
        wait_until(
            lambda: running.is_ready() or process.poll() is not None,
            seconds,
            "the run to be ready",
        )
        if process.poll() is not None:
            raise RuntimeError(f"run_stack ended with {process.returncode}:\n{output.read_text()}")
        yield running
    finally:
        stop(process)


def stop(process: subprocess.Popen, seconds: float = 20) -> None:
    """End a run as Ctrl-C does, and not at all politely when that takes longer than `seconds`."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def survivors(var_dir: Path) -> list[str]:
    """Names and pids of processes that still belong to the state folder."""
    return [f"{process.name()} {process.pid}" for process in processes_of(var_dir)]


def wait_until(condition: Callable[[], Any], seconds: float, what: str) -> None:
    """Return as soon as `condition` holds.

    Raises:
        TimeoutError: it did not in `seconds`.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.05)


def _clean_environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in FOREIGN}
