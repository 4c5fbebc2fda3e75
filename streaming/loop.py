"""The loop of the long-running commands. It is dumb; what it repeats, `run_once`, is what tests call."""

import logging
import signal
import threading
from collections.abc import Callable

from predictions.database_threads import drop_broken_connections
from streaming.health import mark_gone, mark_ready
from streaming.metrics import AWAY

logger = logging.getLogger("streaming")


class StopFlag:
    """Set by SIGTERM and SIGINT: finish the unit of work, then leave."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def listen(self) -> "StopFlag":
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._event.set())
        return self

    def set(self) -> None:
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        return self._event.wait(seconds)


class BackOff:
    """Waits that double from `first` to `longest` seconds, and start again after a success."""

    def __init__(self, stop: StopFlag, *, first: float = 0.2, longest: float = 5.0):
        self._stop = stop
        self._first = self._next = first
        self._longest = longest

    def wait(self) -> None:
        self._stop.wait(self._next)
        self._next = min(self._next * 2, self._longest)

    def reset(self) -> None:
        self._next = self._first


def run_until_stopped(
    run_once: Callable[[], int],
    *,
    name: str,
    stop: StopFlag,
    away: tuple[type[Exception], ...] = (),
) -> None:
    """Repeat `run_once` until `stop` is set.

    `away` are the exceptions that mean "a part is away, nothing is lost": they are said once, and tried again with
    back-off. Any other exception ends the process, with its work uncommitted.
    """
    back_off = BackOff(stop)
    is_away = False
    told_away = AWAY.labels(name)
    mark_ready(name)
    try:
        while not stop.is_set():
            drop_broken_connections()
            try:
                run_once()
            except away as error:
                if not is_away:
                    logger.warning("%s waits, a part is away: %s", name, error)
                is_away = True
                told_away.set(1)
                back_off.wait()
                continue
            if is_away:
                logger.info("%s goes on", name)
                is_away = False
                told_away.set(0)
                back_off.reset()
    finally:
        mark_gone(name)
