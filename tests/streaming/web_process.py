"""The web process as `make run` starts it, on the database and the Redis of the tests."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from django.conf import settings
from django.db import connection

from housevalue.embedded.ports import spare_port
from housevalue.supervision.programs import _daphne, answers_http
from tests.stack import wait_until


@dataclass
class WebProcess:
    host: str
    port: int
    log_file: Path
    process: subprocess.Popen

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def memory(self) -> float:
        """Resident, in MB."""
        return psutil.Process(self.process.pid).memory_info().rss / 1e6

    def forget_peak(self) -> None:
        """From now on `peak_memory` tells of what comes."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def peak_memory(self) -> float:
        """The most that was resident at one moment, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1e3


@contextmanager
def running_web(folder: Path, **constants: float) -> Iterator[WebProcess]:
    """A web process of its own; `streaming__feed__REPAIR_SECONDS=60` changes that constant in it."""
    port = spare_port()
    command = _daphne(port)
    if constants:
        patch = json.dumps({path.replace("__", "."): value for path, value in constants.items()})
        command = [sys.executable, "-m", "tests.streaming.patched_web", patch, *command[3:]]
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "REDIS_URL": settings.REDIS_URL,
        "VAR_DIR": str(folder),
    }
    log_file = folder / "web.log"
    with log_file.open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    web = WebProcess("127.0.0.1", port, log_file, process)
    try:
        wait_until(lambda: answers_http(port, "/healthz") or process.poll() is not None, 60, "the web process")
        assert process.poll() is None, web.log
        yield web
    finally:
        process.terminate()
        process.wait(10)
