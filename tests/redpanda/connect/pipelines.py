"""Running pipelines: the engine with a YAML of `redpanda/connect`, on ports of its own, that can be killed."""

import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from housevalue.embedded.ports import spare_port
from tests.stack import wait_until

CONNECT = Path(__file__).resolve().parents[3] / "redpanda" / "connect"
PIPELINES = ("ingress", "feed", "results", "dead_letters")


@dataclass
class Pipeline:
    """One pipeline, as a process of its own; `directory` holds its log."""

    engine: Path
    name: str
    directory: Path
    environment: Mapping[str, str]
    admin_port: int = field(default_factory=spare_port)
    process: subprocess.Popen | None = None

    def start(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        environment = {
            "PATH": os.environ["PATH"],
            "ADMIN_ADDRESS": f"127.0.0.1:{self.admin_port}",
            **self.environment,
        }
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [self.engine, "run", CONNECT / f"{self.name}.yaml"],
                env=environment,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_ready(self, seconds: float = 30) -> None:
        wait_until(self.is_ready, seconds, f"{self.name} to be ready: {self.log()[-2000:]}")

    def is_ready(self) -> bool:
        return self.ask("/ready")[0] == 200

    def ask(self, path: str) -> tuple[int, str]:
        """Status and text of an address for operators; 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}{path}", timeout=3) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def kill(self) -> None:
        """End it as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self, seconds: float = 25) -> int:
        """End it as an operator would; its exit status."""
        assert self.process is not None
        self.process.terminate()
        status = self.process.wait(seconds)
        self.process = None
        return status

    def end(self) -> None:
        """Stop it where it runs, and kill it when that takes long."""
        if self.process is not None:
            try:
                self.stop(5)
            except subprocess.TimeoutExpired:
                self.kill()

    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    @property
    def log_file(self) -> Path:
        return self.directory / f"{self.name}.log"
