"""Progress at the terminal: one line per step, with the seconds it took."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

# Without a terminal, a step that takes long says so this often.
QUIET_SECONDS = 5.0
_NAME_WIDTH = 22


class Step:
    """One thing being done. `say` may be called as often as one likes."""

    def __init__(self, out: TextIO, name: str):
        self._out = out
        self.name = name
        self._started = self._said = time.monotonic()
        self.detail = ""

    def say(self, detail: str | None = None) -> None:
        """Show that the step goes on, with what it does now."""
        if detail is not None:
            self.detail = detail
        if self._out.isatty():
            self._out.write(f"\r\x1b[2K{self._line('...')}")
            self._out.flush()
        elif time.monotonic() - self._said > QUIET_SECONDS:
            self._said = time.monotonic()
            print(self._line("..."), file=self._out, flush=True)

    def end(self, word: str) -> None:
        start = "\r\x1b[2K" if self._out.isatty() else ""
        print(f"{start}{self._line(word)}", file=self._out, flush=True)

    def _line(self, word: str) -> str:
        seconds = time.monotonic() - self._started
        return f"  {self.name:{_NAME_WIDTH}} {seconds:5.1f} s  {word:5}  {self.detail}".rstrip()


class Terminal:
    """Where a run speaks to the person who started it."""

    def __init__(self, out: TextIO = sys.stdout):
        self._out = out

    def line(self, text: str = "") -> None:
        print(text, file=self._out, flush=True)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        step = Step(self._out, name)
        step.say()
        try:
            yield step
        except BaseException:
            step.end("ended")
            raise
        step.end("ready")
