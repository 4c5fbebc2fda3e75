"""The run of everything on one machine, from the first check to the last process gone."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from housevalue.embedded import EmbeddedServer, KafkaNode, NotReady, ValkeyServer, kafka_jars, ports
from housevalue.supervision import demo, preflight, processes
from housevalue.supervision.connect import Connect, build_engine
from housevalue.supervision.errors import CannotRun
from housevalue.supervision.programs import Program, answers_http, broker_programs, path_programs
from housevalue.supervision.supervisord import Supervisord
from housevalue.supervision.terminal import Step, Terminal
from housevalue.supervision.watch import LAST_LINES, Watch
from streaming.health import ready_file

# A whole stop takes at most this and a sweep of a second.
_STOP_SECONDS = 7.5
_READY_SECONDS = 90.0
# Go compiles the engine of Connect once; a slow machine takes minutes.
_BUILD_SECONDS = 900.0
_LOOK_EVERY = 0.3


class Stack:
    """One run with one state folder.

    `run` returns only by an exception: `StopAsked` when it was told to end, `CannotRun` when it can't go on.
    """

    def __init__(self, *, var_dir: Path, port: int, terminal: Terminal, with_connect: bool = False):
        self._var_dir = var_dir
        self._port = port
        self._terminal = terminal
        self._with_connect = with_connect
        self._connect: Connect | None = None
        self._run_directory = var_dir / "run"
        self._log_directory = var_dir / "log"
        self._environment: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://localhost:{self._port}/"

    def run(self) -> None:
        with preflight.sole_run(self._var_dir):
            self._check()
            chosen = ports.choose_ports(self._var_dir)
            servers = self._prepare_servers(chosen)
            if self._with_connect:
                self._prepare_connect(chosen)
            with self._supervised() as (supervisord, watch):
                self._start(supervisord, watch, servers, chosen)
                self._write_description(supervisord)
                self._terminal.line(self._welcome())
                while True:
                    time.sleep(_LOOK_EVERY)
                    self._look(supervisord, watch)

    # -- before the first process ------------------------------------------------------------------------------

    def _check(self) -> None:
        """Refuse what can't work, end what an earlier run left, and make the folders."""
        preflight.check_disk(self._var_dir)
        if left := processes.end_all(self._var_dir):
            self._terminal.line(f"  ended what an earlier run had left: {', '.join(left)}")
        preflight.check_web_port(self._port)
        preflight.check_given_services()
        shutil.rmtree(ready_file("any").parent, ignore_errors=True)
        for folder in (self._run_directory, self._log_directory):
            folder.mkdir(exist_ok=True)
        (self._run_directory / "stack.json").unlink(missing_ok=True)

    def _prepare_servers(self, chosen: dict[str, int]) -> dict[str, EmbeddedServer]:
        """The embedded servers, ready to start; and the environment that leads every program to them."""
        servers: dict[str, EmbeddedServer] = {}
        self._environment = self._base_environment()
        if not preflight.is_given("KAFKA_BOOTSTRAP_SERVERS"):
            self._install_jars()
            node = KafkaNode(self._var_dir / "kafka", chosen["kafka"], chosen["kafka_controller"])
            servers["kafka"] = node
            self._environment["KAFKA_BOOTSTRAP_SERVERS"] = node.bootstrap
        if not preflight.is_given("REDIS_URL"):
            valkey = ValkeyServer(self._var_dir / "valkey", chosen["valkey"])
            servers["valkey"] = valkey
            self._environment["REDIS_URL"] = valkey.url
        for server in servers.values():
            self._prepare(server)
        return servers

    def _install_jars(self) -> None:
        if kafka_jars.are_installed():
            return
        with self._terminal.step(f"Apache Kafka {kafka_jars.VERSION}") as step:
            try:
                kafka_jars.install(lambda fetched, total: step.say(f"fetching its jars, {fetched} of {total}"))
            except kafka_jars.JarsUnavailable as error:
                raise CannotRun(f"{error}. Is there a way to the internet?") from error
            step.detail = f"in {kafka_jars.jars_home()}"

    def _prepare_connect(self, chosen: dict[str, int]) -> None:
        """Redpanda Connect's pipelines, ready to start, and on the way of every request."""
        with self._terminal.step("Redpanda Connect") as step:
            engine = build_engine(lambda is_done: self._wait(step, is_done, lambda: None, seconds=_BUILD_SECONDS))
            step.detail = str(engine)
        self._connect = Connect(engine, self._var_dir / "connect", chosen)
        self._connect.prepare()
        self._environment.update(self._connect.environment())

    def _prepare(self, server: EmbeddedServer) -> None:
        try:
            server.prepare()
            program = server.command()[0]
        except NotReady as error:
            raise CannotRun(str(error)) from error
        except (ImportError, FileNotFoundError) as error:
            raise CannotRun(f"{server.name} is not installed ({error}); `make clean run` installs it.") from error
        if not os.access(program, os.X_OK):
            raise CannotRun(f"The program of {server.name} is missing: {program}; `make clean run` installs it.")

    def _base_environment(self) -> dict[str, str]:
        environment = {
            **os.environ,
            processes.MARK: str(self._var_dir),
            "VAR_DIR": str(self._var_dir),
            "DJANGO_SETTINGS_MODULE": "housevalue.settings",
            "PYTHONUNBUFFERED": "1",
            # Scoring a batch on two cores with as many threads as OpenMP likes takes a second instead of ten ms.
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        }
        if not preflight.is_given("SECRET_KEY"):
            environment["SECRET_KEY"] = _kept_secret(self._var_dir / "secret_key")
        return environment

    # -- starting ------------------------------------------------------------------------------------------------

    @contextmanager
    def _supervised(self) -> Iterator[tuple[Supervisord, Watch]]:
        """A supervisord to start programs with; at the end of the block nothing of it is left."""
        supervisord = Supervisord(self._run_directory, self._log_directory)
        try:
            yield supervisord, Watch(supervisord.log_file, self._log_directory)
        finally:
            self._terminal.line("Stopping.")
            supervisord.stop(_STOP_SECONDS)
            processes.end_all(self._var_dir, seconds=0)
            (self._run_directory / "stack.json").unlink(missing_ok=True)

    def _start(
        self, supervisord: Supervisord, watch: Watch, servers: dict[str, EmbeddedServer], chosen: dict[str, int]
    ) -> None:
        brokers = broker_programs(servers)
        path = path_programs(port=self._port, ready_file=ready_file, ports=chosen)
        if self._connect:
            path = [*self._connect.programs(), *path]
        supervisord.start([*brokers, *path], self._environment)

        def wait(step: Step, program: Program) -> None:
            self._wait(step, program.is_ready, lambda: self._look(supervisord, watch))

        for program in brokers:
            supervisord.start_program(program.name)
        with self._preparing() as preparation:
            for program in brokers:
                with self._terminal.step(program.name) as step:
                    step.detail = _address(servers[program.name])
                    wait(step, program)
            with self._terminal.step("database and topics") as step:
                self._wait(step, lambda: preparation.poll() is not None, lambda: None)
                if preparation.returncode:
                    raise CannotRun(self._preparation_failed())
        for program in path:
            supervisord.start_program(program.name)
        for program in path:
            with self._terminal.step(program.name) as step:
                wait(step, program)
        with self._terminal.step("whole path") as step:
            self._wait(
                step,
                # A consumer that stands still is resumed in admin, which must be up for that.
                lambda: answers_http(self._port, "/readyz?without=lines"),
                lambda: self._look(supervisord, watch),
            )

    @contextmanager
    def _preparing(self) -> Iterator[subprocess.Popen]:
        """`prepare_stack` in a process of its own, beside the start of the broker."""
        with (self._log_directory / "prepare.log").open("wb") as log:
            preparation = subprocess.Popen(
                [sys.executable, str(settings.BASE_DIR / "manage.py"), "prepare_stack"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            yield preparation
        finally:
            if preparation.poll() is None:
                preparation.terminate()
                preparation.wait(2)

    def _preparation_failed(self) -> str:
        log = self._log_directory / "prepare.log"
        lines = log.read_text(errors="replace").strip().splitlines()[-LAST_LINES:]
        return "\n".join([f"The database or the topics can't be prepared. The end of {log}:", *lines])

    def _wait(
        self, step: Step, is_done: Callable[[], bool], look: Callable[[], None], seconds: float = _READY_SECONDS
    ) -> None:
        end = time.monotonic() + seconds
        while not is_done():
            look()
            if time.monotonic() > end:
                raise CannotRun(f"{step.name} is not ready after {seconds:.0f} s; see {self._log_directory}.")
            step.say()
            time.sleep(0.1)

    # -- running -------------------------------------------------------------------------------------------------

    def _look(self, supervisord: Supervisord, watch: Watch) -> None:
        """Say what was restarted; raise when the run can't go on."""
        for line in watch.look():
            self._terminal.line(f"  {line}")
        if not supervisord.is_alive():
            raise CannotRun(f"supervisord ended; see {supervisord.log_file}.")

    def _write_description(self, supervisord: Supervisord) -> None:
        """Leave for other programs of this user where the run is and how to reach it."""
        ours = ("VAR_DIR", "SECRET_KEY", "KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL", "DATABASE_URL")
        description = {
            "pid": os.getpid(),
            "url": self.url,
            "supervisor": str(supervisord.socket),
            "environment": {key: self._environment[key] for key in ours if key in self._environment},
        }
        path = self._run_directory / "stack.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(description, indent=1))

    def _welcome(self) -> str:
        logins = "   ".join(f"{name} / {password}" for name, password in demo.read_logins(self._var_dir).items())
        return "\n".join(
            [
                "",
                f"  House value runs at  {self.url}",
                f"  log in with          {logins}   (operator: {self.url}admin/)",
                f"  logs                 {self._log_directory}",
                f"  state                {self._var_dir}",
                *([f"  drop CSV files into  {self._connect.drop_folder}"] if self._connect else []),
                "  stop                 Ctrl-C",
                "",
            ]
        )


def _address(server: EmbeddedServer) -> str:
    return f"127.0.0.1:{server.port}"


def _kept_secret(path: Path) -> str:
    """A secret key of this state folder's own: sessions outlive a restart."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text()
