"""The ledger: accepted ever = answered + rejected + failed + in flight. It is counted, never kept."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q

from predictions.models import Prediction

_Status = Prediction.Status


@dataclass(frozen=True)
class Ledger:
    """What became of every prediction that was ever accepted or adopted and is still kept."""

    accepted: int
    answered: int
    rejected: int
    failed: int
    in_flight: int
    in_outbox: int
    """Accepted and not on the log yet; some of them may have missed their deadline, and are published all the same."""
    oldest_at: datetime | None
    """When the oldest of those in flight was asked."""

    @property
    def difference(self) -> int:
        """How many accepted predictions are in no account, or in two; anything but 0 is a fault of ours."""
        return self.accepted - self.answered - self.rejected - self.failed - self.in_flight


@dataclass(frozen=True)
class Waiting:
    """What is in flight now, and what is still to be published."""

    in_flight: int
    in_outbox: int
    oldest_at: datetime | None

    def oldest_seconds(self, now: datetime) -> float:
        """The age of the oldest in flight; 0 when there is none."""
        return (now - self.oldest_at).total_seconds() if self.oldest_at else 0.0


def read_waiting() -> Waiting:
    """Count it: cheap however many predictions are settled, for each has an index."""
    found = Prediction.objects.filter(settled_at__isnull=True).aggregate(
        in_flight=Count("status"), oldest_at=Min("requested_at")
    )
    return Waiting(**found, in_outbox=Prediction.objects.filter(published_at__isnull=True).count())


def read_ledger() -> Ledger:
    """Count now. What makes the sum is one statement, hence one moment: between two of them a prediction could move.

    In flight is what has no moment of settling, whatever its status says, so that the sum finds the two apart.
    """
    counted = Prediction.objects.order_by().aggregate(
        accepted=Count("*"),
        answered=Count("status", filter=Q(status=_Status.ANSWERED)),
        rejected=Count("status", filter=Q(status=_Status.REJECTED)),
        failed=Count("status", filter=Q(status=_Status.FAILED)),
        in_flight=Count("status", filter=Q(settled_at__isnull=True)),
    )
    waiting = read_waiting()
    return Ledger(**counted, in_outbox=waiting.in_outbox, oldest_at=waiting.oldest_at)
