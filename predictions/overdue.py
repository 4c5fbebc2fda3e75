"""Which published predictions should have been answered by now, and are to be published again."""

import uuid
from datetime import UTC, datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from predictions.models import Door, Prediction

# How long an answer may take after the first and the second time a row was published.
REPEAT_AFTER = (timedelta(seconds=5), timedelta(seconds=10))
_OVERTAKEN_BY = timedelta(seconds=1)
PROBES = 20
"""So many are published again at a time while nothing at all is answered."""


CLOCKS_DIFFER_BY = timedelta(seconds=5)
"""What was answered later than that from now was answered by a clock that is wrong, and tells nothing of now."""

WORKED_ON = timedelta(minutes=10)
"""So long after a missed deadline an answer is still sought."""


def overdue_rows(limit: int) -> QuerySet[Prediction]:
    """Rows without an answer 5 s after they were published, and 10 s after that was done again; oldest first.

    Those that missed their deadline are among them: what was asked in a burst may be given up before its turn comes.

    Where answers come, only those that later ones have overtaken: publishing the rows of a mere queue again would only
    make it longer. Where none come, a few: a part may be frozen, and would find all of its queue three times when it
    goes on. If what was published is lost, the answers to these few have overtaken the others.
    """
    now = timezone.now()
    patience = Q()
    for attempts, wait in enumerate(REPEAT_AFTER, start=1):
        patience |= Q(attempts=attempts, published_at__lt=now - wait)
    reached = answered_up_to(now)
    if reached is None:
        limit = min(limit, PROBES)
    else:
        patience &= Q(published_at__lt=reached - _OVERTAKEN_BY)
    # One by one, for each has an index, and a database may read the whole table for the two together.
    waiting = Q(settled_at__isnull=True)
    ids = [*_oldest(patience & given_up(now), limit), *_oldest(patience & waiting, limit)]
    # What makes them overdue is asked again: whoever locks them may have had to wait for another who published them.
    return Prediction.objects.filter(patience, given_up(now) | waiting, pk__in=ids[:limit]).order_by("requested_at")


def _oldest(wanted: Q, limit: int) -> QuerySet[Prediction, uuid.UUID]:
    return Prediction.objects.filter(wanted).order_by("requested_at").values_list("pk", flat=True)[:limit]


def given_up(now: datetime) -> Q:
    """Rows that missed their deadline and are still worked on."""
    return Q(status=Prediction.Status.FAILED, settled_at__gt=now - WORKED_ON)


def answered_up_to(now: datetime) -> datetime | None:
    """When the record was published that was answered last; None where nothing was answered for a while.

    Its own stage tells, not its row, which knows only when it was published last. Records that others put on the topic
    say what they like, and don't count.
    """
    last = (
        Prediction.objects.filter(
            status=Prediction.Status.ANSWERED,
            settled_at__range=(now - REPEAT_AFTER[0], now + CLOCKS_DIFFER_BY),
            source__in=Door.values,
        )
        .order_by("-settled_at")
        .only("settled_at", "published_at", "stages")
        .first()
    )
    if last is None or last.settled_at is None:
        return None
    if "published" not in last.stages:
        return last.published_at or last.settled_at
    # Clocks differ.
    return datetime.fromtimestamp(min(last.stages["published"] / 1000, last.settled_at.timestamp()), UTC)
