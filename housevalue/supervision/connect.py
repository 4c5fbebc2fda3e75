"""Redpanda Connect's pipelines on one machine: what `make run CONNECT=1` adds to a run."""

import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from housevalue.supervision.errors import CannotRun
from housevalue.supervision.programs import PATH, Program, answers_http

PIPELINES = ("ingress", "feed", "results", "dead_letters")
_FOLDER = settings.BASE_DIR / "redpanda" / "connect"


def build_engine(wait: Callable[[Callable[[], bool]], None]) -> Path:
    """The program that runs the pipelines, built where it is missing; `wait` waits for its condition.

    Raises:
        CannotRun: it can't be built.
    """
    command = [sys.executable, str(_FOLDER / "build.py"), "--install-go"]
    building = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait(lambda: building.poll() is not None)
    finally:
        building.terminate()
    path, said = building.communicate()
    if building.returncode:
        raise CannotRun(f"The engine of Redpanda Connect can't be built. {said.strip()}")
    return Path(path.strip())


@dataclass(frozen=True)
class Connect:
    """The four pipelines, with their state in `directory` and on these ports (names of `embedded.ports`)."""

    engine: Path
    directory: Path
    ports: Mapping[str, int]

    @property
    def drop_folder(self) -> Path:
        return self.directory / "drop"

    def prepare(self) -> None:
        """Make the folders."""
        self.drop_folder.mkdir(parents=True, exist_ok=True)

    def environment(self) -> dict[str, str]:
        """What leads the pipelines to their folders and the publisher to their door."""
        door, token = f"127.0.0.1:{self.ports['connect_door']}", secrets.token_urlsafe(32)
        return {
            "INGRESS_ADDRESS": door,
            "INGRESS_TOKEN": token,
            "CONNECT_INGRESS_URL": f"http://{door}/v1/predictions",
            "CONNECT_INGRESS_TOKEN": token,
            "FEED_DIRECTORY": str(self.drop_folder),
            "FEED_DONE_DIRECTORY": str(self.directory / "done"),
            "ARCHIVE_DIRECTORY": str(self.directory / "archive"),
        }

    def programs(self) -> list[Program]:
        return [self._program(name) for name in PIPELINES]

    def _program(self, pipeline: str) -> Program:
        port = self.ports[f"connect_{pipeline}"]
        command = [
            str(self.engine),
            "run",
            "--set",
            f"http.address=127.0.0.1:{port}",
            str(_FOLDER / f"{pipeline}.yaml"),
        ]
        name = f"connect-{pipeline.replace('_', '-')}"
        return Program(name, PATH, command, lambda: answers_http(port, "/ready"), stop_seconds=4)
