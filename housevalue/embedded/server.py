"""What Kafka and Valkey have in common: a directory, a command, a sign of life."""

import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path

LAST_LINES = 20


class NotReady(Exception):
    """A server ended, or did not answer in time; the text names it and quotes the end of its log."""


class EmbeddedServer(ABC):
    """One server process that keeps its whole state in `directory`.

    A supervisor needs `prepare`, `command` and `answers` only. `start`, `stop` and `kill` run it as a child of this
    process, its output in `directory/server.log`.
    """

    name: str
    directory: Path
    port: int
    process: subprocess.Popen | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Write what the first start needs; does nothing to state that is there already."""

    @abstractmethod
    def command(self) -> list[str]:
        """The program and its arguments; it stays in the foreground."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server does what clients ask of it now. Takes at most about two seconds."""

    @property
    def log_file(self) -> Path:
        return self.directory / "server.log"

    def start(self) -> None:
        """Prepare and start the server; does not wait until it is ready."""
        self.prepare()
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Block until the server answers.

        Raises:
            NotReady: it ended, or `seconds` passed.
        """
        end = time.monotonic() + seconds
        while not self.answers():
            if self.process is not None and self.process.poll() is not None:
                raise NotReady(f"{self.name} ended (status {self.process.returncode}):\n{self._last_lines()}")
            if time.monotonic() > end:
                raise NotReady(f"{self.name} is not ready after {seconds:.0f} s:\n{self._last_lines()}")
            time.sleep(0.1)

    def stop(self, seconds: float = 10.0) -> None:
        """End the server cleanly (SIGTERM); kill it when it takes longer than `seconds`."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def kill(self) -> None:
        """End the server as a crash would (SIGKILL). `start` brings it back with what it had written."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _last_lines(self) -> str:
        if not self.log_file.exists():
            return "(no log)"
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-LAST_LINES:])
