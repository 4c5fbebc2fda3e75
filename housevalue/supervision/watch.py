"""What supervisord writes about its programs, read as it is written."""

import os
import re
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from housevalue.supervision.errors import CannotRun

LAST_LINES = 20
_SPAWNED = re.compile(r"spawned: '(?P<name>[^']+)' with pid (?P<pid>\d+)")
_EXITED = re.compile(r"exited: (?P<name>\S+) \((?P<reason>[^;]+);")
_GAVE_UP = re.compile(r"gave up: (?P<name>\S+) ")


@dataclass
class _Seen:
    """The last pid of a program, and why it ended, while it is not back."""

    pid: int
    ended: str = ""


class Watch:
    """Follows supervisord's log and says what a person should know."""

    def __init__(self, supervisord_log: Path, log_directory: Path):
        self._log = supervisord_log
        self._log_directory = log_directory
        self._offset = 0
        self._programs: dict[str, _Seen] = {}

    def look(self) -> list[str]:
        """One line for each program that ended and was restarted since the last look.

        Raises:
            CannotRun: a program does not stay up; with the last lines of its log.
        """
        lines = (self._read(line) for line in self._new_lines())
        return [line for line in lines if line]

    def _new_lines(self) -> list[str]:
        if not self._log.exists():
            return []
        with self._log.open("rb") as log:
            log.seek(self._offset)
            whole, newline, _ = log.read().rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        return whole.decode(errors="replace").splitlines()

    def _read(self, line: str) -> str:
        if found := _SPAWNED.search(line):
            return self._spawned(found["name"], int(found["pid"]))
        if found := _EXITED.search(line):
            self._ended(found["name"], found["reason"])
        elif found := _GAVE_UP.search(line):
            raise CannotRun(self._does_not_stay_up(found["name"]))
        return ""

    def _spawned(self, name: str, pid: int) -> str:
        before, self._programs[name] = self._programs.get(name), _Seen(pid)
        return f"{name} ended ({before.ended}), restarted" if before and before.ended else ""

    def _ended(self, name: str, reason: str) -> None:
        seen = self._programs.setdefault(name, _Seen(0))
        seen.ended = _in_words(reason)
        if seen.pid:
            # A killed Celery worker leaves its pool and its clock behind: a second clock would ring twice.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(seen.pid, signal.SIGKILL)

    def _does_not_stay_up(self, name: str) -> str:
        log = self._log_directory / f"{name}.log"
        lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:] if log.exists() else []
        why = self._programs[name].ended if name in self._programs else "it can't be started"
        return "\n".join([f"{name} does not stay up ({why}). The end of {log}:", *(f"  {x}" for x in lines)])


def _in_words(reason: str) -> str:
    """`terminated by SIGKILL` -> `signal 9`; anything else as it is."""
    name = reason.removeprefix("terminated by ").split(" ")[0]
    number = getattr(signal, name, None) if name.startswith("SIG") else None
    return f"signal {int(number)}" if number is not None else reason
