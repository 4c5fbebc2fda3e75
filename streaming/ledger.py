"""The ledger as operators read it: the accounts of the database, and what waits on the topics."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from django.utils import timezone

from predictions.ledger import Ledger, read_ledger
from streaming.lag import Lag, read_lags, scored_and_not_delivered
from streaming.messages import as_text
from streaming.models import DeadLetter, StoppedLine
from streaming.stopped_lines import stopped_lines


@dataclass(frozen=True)
class LedgerReport:
    """Everything of one moment, or nearly: the broker is asked right after the database."""

    read_at: datetime
    ledger: Ledger
    lags: list[Lag]
    broker_problem: str
    """Why `lags` is empty; empty itself when the broker answered."""
    open_letters: int
    """Dead letters that nobody has handled."""
    stopped: list[StoppedLine]

    @property
    def oldest_seconds(self) -> float:
        """How long ago the oldest prediction in flight was asked; 0 when none is in flight."""
        return (self.read_at - self.ledger.oldest_at).total_seconds() if self.ledger.oldest_at else 0.0

    @property
    def scored(self) -> int | None:
        """Scored and not delivered yet; None where it can't be known."""
        return scored_and_not_delivered(self.lags) if self.lags else None

    def as_json(self) -> dict[str, Any]:
        ledger = self.ledger
        return {
            "read_at": as_text(self.read_at),
            "accepted": ledger.accepted,
            "answered": ledger.answered,
            "rejected": ledger.rejected,
            "failed": ledger.failed,
            "in_flight": ledger.in_flight,
            "difference": ledger.difference,
            "in_outbox": ledger.in_outbox,
            "scored": self.scored,
            "oldest_seconds": round(self.oldest_seconds, 3),
            "topics": [{"topic": lag.topic, "group": lag.group, "lag": lag.records} for lag in self.lags],
            "broker_problem": self.broker_problem,
            "open_dead_letters": self.open_letters,
            "stopped": [line.consumer for line in self.stopped],
        }


def read_report(admin: AdminClient) -> LedgerReport:
    """Read the ledger now. A broker that is away takes nothing from it but the lags."""
    ledger, problem = read_ledger(), ""
    read_at = timezone.now()
    try:
        lags = read_lags(admin)
    except (KafkaException, LookupError) as error:
        lags, problem = [], _words(error)
    return LedgerReport(
        read_at=read_at,
        ledger=ledger,
        lags=lags,
        broker_problem=problem,
        open_letters=DeadLetter.objects.filter(status=DeadLetter.Status.RECEIVED).count(),
        stopped=stopped_lines(),
    )


def _words(error: KafkaException | LookupError) -> str:
    return error.args[0].str() if isinstance(error, KafkaException) else str(error)
