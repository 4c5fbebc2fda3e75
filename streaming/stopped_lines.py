"""The dead-letter limit: a consumer that can use hardly anything stops, instead of draining its topic.

A bad record now and then is somebody else's fault and goes to the dead letters. When most records are bad the fault is
ours, and what is still on the topic will be good once that is mended. The stop is a row: it outlives a restart, every
member of the consumer group sees it, and an operator ends it.
"""

import logging
import time
from collections import deque
from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db import DatabaseError
from django.utils import timezone

from streaming.models import StoppedLine

logger = logging.getLogger(__name__)

WINDOW = 100
LOOK_SECONDS = 1.0


class LineStopped(Exception):
    """This consumer reads no further until an operator resumes it; nothing of the batch was handled."""


class StoppableLine:
    """A consumer's way through its topic; closed when more than half of the last WINDOW records were invalid.

    Not thread safe.
    """

    def __init__(self, consumer: str):
        self._consumer = consumer
        self._window: deque[bool] = deque(maxlen=WINDOW)
        self._is_stopped = self._is_excused = False
        self._looked_at = -LOOK_SECONDS

    def check_open(self) -> None:
        """To be called before each read.

        Raises:
            LineStopped: an operator has not resumed this consumer yet.
        """
        if time.monotonic() - self._looked_at >= LOOK_SECONDS:
            self._look()
        if self._is_stopped:
            raise LineStopped(f"{self._consumer} met too many records it can't use; see the stopped lines in admin")

    def judge(self, are_invalid: Iterable[bool]) -> None:
        """To be called with what a batch was found to be, in its order, before any of it is made a dead letter.

        Raises:
            LineStopped: too many are invalid, which is stored.
        """
        if self._is_excused:
            # Resumed by an operator: without progress on what stopped it a line could never be emptied by hand.
            self._is_excused = False
            return
        for is_invalid in are_invalid:
            self._window.append(is_invalid)
            if is_invalid and 2 * sum(self._window) > WINDOW:
                self._stop()

    def _stop(self) -> None:
        detail = f"{sum(self._window)} of the last {len(self._window)} records could not be used"
        row = StoppedLine(consumer=self._consumer, detail=detail, stopped_at=timezone.now())
        # Another member of the group may have stopped it at the same moment.
        StoppedLine.objects.bulk_create([row], ignore_conflicts=True)
        self._is_stopped = True
        self._window.clear()
        logger.error("the %s stops: %s", self._consumer, detail)
        raise LineStopped(f"{self._consumer}: {detail}")

    def _look(self) -> None:
        self._looked_at = time.monotonic()
        try:
            is_stopped = StoppedLine.objects.filter(consumer=self._consumer, resumed_at__isnull=True).exists()
        except DatabaseError as error:
            # Scoring needs no database: it goes on as it was.
            logger.warning("can't see whether the %s is stopped: %s", self._consumer, error)
            return
        if self._is_stopped and not is_stopped:
            self._is_excused = True
            self._window.clear()
            logger.info("the %s was resumed", self._consumer)
        self._is_stopped = is_stopped


def stopped_lines() -> list[StoppedLine]:
    """The consumers that stand still now."""
    return list(StoppedLine.objects.filter(resumed_at__isnull=True))


def resume(line: StoppedLine, *, by: User) -> bool:
    """Let a consumer go on; the first batch it reads is not judged. False: it was resumed before."""
    resumed = StoppedLine.objects.filter(pk=line.pk, resumed_at__isnull=True)
    return bool(resumed.update(resumed_at=timezone.now(), resumed_by=by))
