"""The line of questions that wait for their answers: how long it is and how fast it moves. Both are measured.

Answers a second say how fast the line moves only while it has a queue: in a short one they are as many as questions.
Both are of questions that came through a door of ours: what integrations put on the topic stands in no line, though it
takes its turns.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q
from django.utils import timezone

from predictions.models import Door, Prediction
from predictions.overdue import CLOCKS_DIFFER_BY, answered_up_to, given_up

SHORT = 20
"""So few questions are no queue, and their number says nothing of the rate."""
# The answers of so many seconds make the rate. They come in batches, and a busy machine answers by fits and starts.
_WINDOW = timedelta(seconds=10)
# Nothing at all for so long is no slow line, it is an outage.
_SILENCE = timedelta(seconds=5)
# What was measured longer ago, in another queue, says nothing of this one.
_RATE_HOLDS_SECONDS = 30.0
_QUEUE_SECONDS = 1.0


@dataclass(frozen=True)
class Line:
    """What was measured at `read_at` (`time.monotonic`)."""

    length: int
    """Questions that wait for an answer or a refusal, whether their deadline was missed or not."""
    rate: float | None
    """Answers a second; None while it is unknown: there was no queue, or none of its questions is answered."""
    rate_read_at: float
    read_at: float
    given_up: int = 0
    """Of the length those that missed it."""

    def seconds_to_answer(self, ahead: float) -> float | None:
        """Time to the answer of a question with so many ahead of it; None where it can't be told."""
        return ahead / self.rate if self.rate else None


def read_line(before: Line | None) -> Line:
    """Measure now; `before` is what was measured last, whose rate holds on while there is no queue to measure."""
    read_at = time.monotonic()
    now = timezone.now()
    late = _count_given_up(now)
    length = Prediction.objects.filter(settled_at__isnull=True).count() + late
    if length >= SHORT:
        is_moving, rate = _movement(now)
        if not is_moving or (rate is not None and length > rate * _QUEUE_SECONDS):
            return Line(length, rate=rate, rate_read_at=read_at, read_at=read_at, given_up=late)
    if before is None or read_at - before.rate_read_at > _RATE_HOLDS_SECONDS:
        return Line(length, rate=None, rate_read_at=read_at, read_at=read_at, given_up=late)
    return Line(length, rate=before.rate, rate_read_at=before.rate_read_at, read_at=read_at, given_up=late)


@dataclass(frozen=True)
class Place:
    """Where a question stands: how many are to be answered before it, and the seconds to its answer, if known."""

    ahead: int
    expected_seconds: float | None


def length_before(prediction: Prediction) -> int:
    """How many questions wait that were asked before this one, without those that were given up."""
    return Prediction.objects.filter(settled_at__isnull=True, requested_at__lt=prediction.requested_at).count()


def _count_given_up(now: datetime) -> int:
    """Those whose deadline was missed and whose turn on the topics is still to come."""
    reached = answered_up_to(now)
    if reached is None:
        return 0
    is_to_come = Q(published_at__gt=reached) | Q(published_at__isnull=True)
    return Prediction.objects.filter(given_up(now), is_to_come).count()


def _movement(now: datetime) -> tuple[bool, float | None]:
    """Whether any question was answered lately, and how many a second; None where that was but once.

    While only records of integrations are answered none is: how many of them stand before it is known to nobody here.

    From the first answer of the window to the last, not over the whole window: else the rate would be too low for as
    long as it is, after an outage and when one begins.
    """
    answers = Prediction.objects.filter(
        status__in=(Prediction.Status.ANSWERED, Prediction.Status.REJECTED),
        settled_at__range=(now - _WINDOW, now + CLOCKS_DIFFER_BY),
        source__in=Door.values,
    ).order_by()
    # The window is read once: an integration's rows in it are many, and looked at one by one.
    found = answers.aggregate(first=Min("settled_at"), last=Max("settled_at"), count=Count("pk"))
    first, last = found["first"], found["last"]
    if last is None or last < now - _SILENCE:
        return False, None
    if first == last:
        return True, None
    # Those of the first moment were answered before it.
    count = found["count"] - answers.filter(settled_at=first).count()
    return True, count / (last - first).total_seconds()
