"""A supervisord of our own: its configuration, its start tied to this process, its XML-RPC."""

import ctypes
import os
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from django.conf import settings
from supervisor.xmlrpc import SupervisorTransport

from housevalue.supervision.errors import CannotRun
from housevalue.supervision.programs import GROUPS, Program

_PR_SET_PDEATHSIG = 1
# A program that ends sooner after its start than this has failed to start: back-off counts it.
_STAYS_UP_SECONDS = 10
_RETRIES = 5
# Three hundred streams and their Redis links need more than the usual 1,024.
_OPEN_FILES = 8192
# supervisord binds the name with a suffix of its process id first; 103 is the limit on BSDs, 107 on Linux.
_LONGEST_SOCKET_PATH = 90


class Supervisord:
    """supervisord as a child of this process; every program starts only when `start_program` says so.

    It ends when this process ends, however that happens (on Linux; elsewhere the next start ends what is left).
    """

    def __init__(self, run_directory: Path, log_directory: Path):
        self.log_file = log_directory / "supervisord.log"
        self._errors = log_directory / "supervisord.err"
        self._configuration = run_directory / "supervisord.conf"
        self._log_directory = log_directory
        self.socket = _short_path(run_directory / "supervisor.sock")
        self._groups: dict[str, str] = {}
        self._process: subprocess.Popen | None = None

    def start(self, programs: Iterable[Program], environment: Mapping[str, str]) -> None:
        """Start supervisord and wait until it answers; no program runs yet.

        Raises:
            CannotRun: it ended at once.
        """
        programs = list(programs)
        self._groups = {program.name: program.group for program in programs}
        self._configuration.write_text(self._configuration_of(programs))
        self.log_file.unlink(missing_ok=True)
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(self._configuration)],
                cwd=settings.BASE_DIR,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                # Ctrl-C goes to the whole foreground group: only this process may hear it.
                start_new_session=True,
                preexec_fn=_end_with_parent(),
            )
        self._wait_until_it_answers()

    def start_program(self, name: str) -> None:
        """Start one program; returns before it is ready."""
        connect(self.socket).supervisor.startProcess(f"{self._groups[name]}:{name}", False)

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self, seconds: float) -> None:
        """End all programs, group by group, then supervisord; kill supervisord if that takes longer."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _wait_until_it_answers(self) -> None:
        end = time.monotonic() + 15
        while True:
            try:
                connect(self.socket).supervisor.getState()
                return
            except (OSError, HTTPException) as error:
                if not self.is_alive() or time.monotonic() > end:
                    last = (self._errors.read_text(errors="replace").strip().splitlines() or [str(error)])[-1]
                    raise CannotRun(f"supervisord does not start: {last}") from None
            time.sleep(0.05)

    def _configuration_of(self, programs: list[Program]) -> str:
        sections = [
            _section(
                "supervisord",
                nodaemon="true",
                logfile=self.log_file,
                # Its lines are read by offset; a run writes few.
                logfile_maxbytes=0,
                pidfile=self._configuration.with_name("supervisord.pid"),
                childlogdir=self._log_directory,
                identifier="housevalue",
                minfds=_allowed_open_files(),
                **({"user": "root"} if os.geteuid() == 0 else {}),
            ),
            _section("unix_http_server", file=self.socket, chmod="0700"),
            _section(
                "rpcinterface:supervisor",
                **{"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
            ),
        ]
        sections += [self._program_section(program, priority) for priority, program in enumerate(programs)]
        for priority, group in enumerate(GROUPS):
            names = [program.name for program in programs if program.group == group]
            if names:
                sections.append(_section(f"group:{group}", programs=",".join(names), priority=priority))
        return "\n".join(sections)

    def _program_section(self, program: Program, priority: int) -> str:
        return _section(
            f"program:{program.name}",
            command=shlex.join(program.command),
            environment=",".join(f'{name}="{value}"' for name, value in program.environment.items()),
            priority=priority,
            autostart="false",
            autorestart="true",
            startsecs=_STAYS_UP_SECONDS,
            startretries=_RETRIES,
            stopsignal="TERM",
            stopwaitsecs=program.stop_seconds,
            killasgroup="true",
            redirect_stderr="true",
            stdout_logfile=self._log_directory / f"{program.name}.log",
            stdout_logfile_maxbytes="10MB",
            stdout_logfile_backups=2,
        )


def connect(socket: Path) -> Any:
    """XML-RPC of the supervisord behind a Unix socket."""
    return ServerProxy("http://127.0.0.1", transport=SupervisorTransport(serverurl=f"unix://{socket}"))


def running_programs(socket: Path) -> dict[str, int]:
    """Program name -> pid of what runs now under the supervisord behind `socket`."""
    try:
        infos = connect(socket).supervisor.getAllProcessInfo()
    except (OSError, HTTPException, Fault):
        return {}
    return {info["name"]: info["pid"] for info in infos if info["pid"]}


def _section(name: str, **options: object) -> str:
    """One section of the configuration; a literal % is written twice."""
    lines = [f"{key}={str(value).replace('%', '%%')}" for key, value in options.items()]
    return "\n".join([f"[{name}]", *lines, ""])


def _short_path(socket: Path) -> Path:
    """`socket`, or a place in a new folder of this user's where its path is longer than a socket's may be."""
    if len(os.fsencode(socket)) <= _LONGEST_SOCKET_PATH:
        return socket
    return Path(tempfile.mkdtemp(prefix="housevalue-")) / socket.name


def _allowed_open_files() -> int:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)


def _end_with_parent() -> Any:
    """What a child runs before its program so that the kernel sends it SIGTERM when its parent has ended."""
    if not sys.platform.startswith("linux"):
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)

    return tie
