"""Whether one more question may be asked now: refused with a time is better than accepted and not answered in time.

A question stands in two queues: the door's own, before and inside the web process that stores it, and the line of all
that wait for an answer. How long it will take is measured from both, and the longer one decides, for they move at the
same time. Above MOST_SECONDS_TO_ANSWER the door closes until a third of that is left, and keeps to the time it tells:
whoever comes back then finds it open, and not again at its limit.

Where no question at all is answered there is no overload but an outage, or a pile of records that integrations put
before them: nobody knows how long it will take, so questions are accepted, and wait.
"""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from django.conf import settings
from django.db import DatabaseError, connection

from predictions.line import SHORT, Line, Place, length_before, read_line
from predictions.models import Prediction
from predictions.throttle import TooMany

logger = logging.getLogger(__name__)

MEASURED_FOR_SECONDS = 1.0
# So many of them in a row make the rate at which questions pass the door.
_DOOR_MEASUREMENTS = 5
# Parts of MOST_SECONDS_TO_ANSWER: the door opens when so much is left to answer, at once with less than the second.
_OPENS_AT = 1 / 3
_RUNS_DRY_AT = 1 / 10
# And it is closed for so many times that at most, then measured anew: answers that come by drops, as when a node of
# the broker has just died, would tell of an hour.
_LONGEST_CLOSED = 3
# Measurements that were held up and come in quick succession tell of no rate.
_SHORTEST_SECONDS = 0.5
_PLACE_HOLDS_SECONDS = 5.0
# A question waits so often for the event loop: to be connected, read, taken in and answered.
_LAPS = 4


class LineFull(TooMany):
    """An answer would take too long; `retry_after` is when the door will be open."""

    def __init__(self, *, expected_seconds: float, retry_after: int):
        super().__init__(
            retry_after, why=f"So many questions wait that an answer would take about {expected_seconds:.0f} s"
        )


class Admission:
    """What one web process knows of the two queues; shared by its threads."""

    def __init__(
        self, *, read: Callable[[Line | None], Line] = read_line, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        # Of its own: behind the questions that wait for a database thread it would measure when they have gone.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="admission")
        self._measuring: Future[None] | None = None
        self._due_at = 0.0
        self._line: Line | None = None
        self._admitted = 0
        self._opens_at = 0.0
        self._inside = self._inside_before = self._passed = 0
        self._passes: deque[tuple[int, float]] = deque(maxlen=_DOOR_MEASUREMENTS)
        self._door_rate: float | None = None
        self._laps = (0.0, 0.0)
        self._lap_at = 0.0

    # -- measuring -------------------------------------------------------------------------------------------------
    @contextmanager
    def passing(self) -> Iterator[None]:
        """One question is inside the door while the block lasts."""
        with self._lock:
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                self._passed += 1

    def admitted(self) -> None:
        """One more was stored."""
        with self._lock:
            self._admitted += 1

    def note_lap(self, seconds: float) -> None:
        """How long the web process's event loop took for one lap; a single long one is an accident, two are a queue."""
        with self._lock:
            self._laps = (self._laps[1], seconds)
            self._lap_at = self._clock()

    def measure_if_due(self) -> None:
        """Have the queues measured, once a second at most; returns at once."""
        if self._clock() < self._due_at:
            return
        with self._lock:
            if (now := self._clock()) < self._due_at:
                return
            self._due_at = now + MEASURED_FOR_SECONDS
            # A database that hangs would find one for each second of it.
            if self._measuring is None or self._measuring.done():
                self._measuring = self._thread.submit(self._measure_and_close)

    def measure(self) -> None:
        """Ask the database for the line, and count what passed the door since the last time.

        Raises:
            DatabaseError: what was measured last goes on to count.
        """
        line = self._read(self._line)
        with self._lock:
            before, self._line, self._admitted = self._line, line, 0
            if before is not None and line.read_at - before.read_at >= _SHORTEST_SECONDS:
                self._measure_door(line.read_at - before.read_at)
            self._inside_before, self._passed = self._inside, 0

    def _measure_and_close(self) -> None:
        try:
            self.measure()
        except DatabaseError as error:
            logger.warning("the line can't be measured: %s", error)
        except Exception:
            # Nobody asks the thread how it went.
            logger.exception("the line can't be measured")
        finally:
            connection.close()

    def _measure_door(self, seconds: float) -> None:
        """A rate is one only while there was a queue all the time: what passes in a shorter stall is none."""
        if min(self._inside, self._inside_before) < SHORT:
            self._passes.clear()
        else:
            self._passes.append((self._passed, seconds))
        if len(self._passes) < _DOOR_MEASUREMENTS:
            self._door_rate = None
            return
        self._door_rate = sum(passed for passed, _ in self._passes) / sum(took for _, took in self._passes) or None

    # -- deciding --------------------------------------------------------------------------------------------------
    def check(self) -> None:
        """That the answer to one more question would come soon enough, by what was measured last.

        Raises:
            LineFull: it would not.
        """
        with self._lock:
            now, expected = self._clock(), self._expected_seconds() or 0.0
            if not self._keeps_closed(now, expected):
                self._opens_at = 0.0
                if expected > settings.MOST_SECONDS_TO_ANSWER:
                    self._close(now, expected)
            if self._keeps_closed(now, expected):
                raise LineFull(expected_seconds=expected, retry_after=math.ceil(self._opens_at - now))

    def _close(self, now: float, expected: float) -> None:
        most = settings.MOST_SECONDS_TO_ANSWER
        self._opens_at = now + min(expected - most * _OPENS_AT, most * _LONGEST_CLOSED)
        self._tell_closed(now)

    def _tell_closed(self, now: float) -> None:
        logger.warning(
            "the door is closed for %.1f s: %.0f wait for answers, %s a second; %d are inside, %s pass a second;"
            " a lap takes %.2f s",
            self._opens_at - now,
            self._length(),
            self._line and self._line.rate,
            self._inside,
            self._door_rate,
            min(self._laps),
        )

    def is_closed(self) -> bool:
        """Whether a question would be refused now."""
        with self._lock:
            return self._keeps_closed(self._clock(), self._expected_seconds() or 0.0)

    def newest_place(self) -> Place:
        """Of a question that was stored this moment; nothing is read for it."""
        with self._lock:
            return Place(max(0, round(self._length()) - 1), _rounded(self._expected_seconds()))

    def place_of(self, prediction: Prediction) -> Place | None:
        """Where a prediction stands; None once it is settled."""
        if prediction.is_settled:
            return None
        self.measure_if_due()
        ahead = length_before(prediction)
        with self._lock:
            # All of them were asked before it, or nearly. What an idle process measured long ago says nothing of now.
            if self._line is not None and self._clock() - self._line.read_at < _PLACE_HOLDS_SECONDS:
                ahead += self._line.given_up
            return Place(ahead, _rounded(self._line.seconds_to_answer(ahead) if self._line else None))

    def _keeps_closed(self, now: float, expected: float) -> bool:
        """Until the time that was told, whatever is measured meanwhile.

        Only a line that runs dry opens it before, or one so much shorter than was reckoned that there was a hitch then.
        """
        most = settings.MOST_SECONDS_TO_ANSWER
        left, reckoned_now = self._opens_at - now, expected - most * _OPENS_AT
        return left > 0 and expected > most * _RUNS_DRY_AT and left - max(0.0, reckoned_now) <= most

    def _length(self) -> float:
        """Of the line now: what was measured, and what came and went since."""
        if self._line is None:
            return 0.0
        answered = (self._line.rate or 0.0) * (self._clock() - self._line.read_at)
        return max(0.0, self._line.length + self._admitted - answered)

    def _expected_seconds(self) -> float | None:
        in_line = self._line.seconds_to_answer(self._length() + self._inside) if self._line else None
        at_door = self._inside / self._door_rate if self._door_rate else None
        before_door = max(0.0, _LAPS * min(self._laps) - (self._clock() - self._lap_at))
        known = [seconds for seconds in (in_line, at_door, before_door) if seconds]
        return max(known, default=None)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


admission = Admission()
"""Of this process."""
