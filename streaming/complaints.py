"""What a thousand callers would log at once, said now and then."""

import logging
import time
from collections.abc import Hashable


class Complaints:
    """Warns by `logger`: of the same matter once in SECONDS, whoever in this process complains of it."""

    SECONDS = 30.0

    def __init__(self, logger: logging.Logger):
        self._logger = logger
        self._said_at: dict[Hashable, float] = {}

    def warn(self, matter: Hashable, message: str, *arguments: object) -> None:
        now = time.monotonic()
        if now - self._said_at.get(matter, -self.SECONDS) >= self.SECONDS:
            self._said_at[matter] = now
            self._logger.warning(message, *arguments)
