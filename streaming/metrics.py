"""What this project tells Prometheus, every name in one place; docs/monitoring.md describes them, and a test compares.

Counters and histograms are of the process that counts. What can be asked of the database and the broker is never
counted: `waiting` asks when somebody looks.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.metrics_core import GaugeMetricFamily

from predictions.stages import stretches

disable_created_metrics()

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
# Anybody may write to the dead-letter topic whatever he likes for a stage and an error.
_MOST_KINDS = 100

# -- the path ----------------------------------------------------------------------------------------------------------
BATCHES = Histogram("housevalue_batch_records", "Records of one batch.", ["program"], buckets=_RECORDS)
PUBLISHED = Counter("housevalue_published", "Predictions put on the log, by attempt: first or again.", ["attempt"])
SCORING = Histogram("housevalue_scoring_seconds", "Time of all live models over one batch.", buckets=_SECONDS)
SETTLED = Counter("housevalue_settled", "Predictions that were answered, late, rejected or failed.", ["status"])
DEAD_LETTERS = Counter("housevalue_dead_letters", "Records that a stage could not use.", ["stage", "error"])
STAGE = Histogram("housevalue_stage_seconds", "Time of an answer from the stage before.", ["stage"], buckets=_SECONDS)
ANSWER = Histogram("housevalue_answer_seconds", "Time of an answer from accepted to stored.", buckets=_SECONDS)
CLOSED = Gauge("housevalue_door_closed", "1 while questions are refused, for answers would take too long.")
REFUSED = Counter("housevalue_refused", "Questions refused before Django, for the door was closed.")
AWAY = Gauge("housevalue_away", "1 while this waits for a part that is away.", ["who"])

# -- the ones who listen -----------------------------------------------------------------------------------------------
PUSHED = Counter("housevalue_pushed_events", "Events handed to a connection.", ["transport"])
CONNECTIONS = Gauge("housevalue_connections", "Connections that follow a feed now.", ["transport"])
RESUMES = Counter("housevalue_resumes", "Connections that went on after a cursor.", ["transport"])


# -- what waits: asked at the scrape -----------------------------------------------------------------------------------
@dataclass(frozen=True)
class Asked:
    """A gauge whose value is asked for when somebody looks."""

    name: str
    documentation: str
    labels: tuple[str, ...] = ()

    def family(self, values: Iterable[tuple[tuple[str, ...], float]]) -> GaugeMetricFamily:
        """The gauge with these label values and numbers."""
        family = GaugeMetricFamily(self.name, self.documentation, labels=self.labels)
        for labels, value in values:
            family.add_metric(labels, value)
        return family


LAG = Asked("housevalue_lag_records", "Records that a group has not handled yet.", ("topic", "group"))
BROKER = Asked("housevalue_broker_up", "1 when the broker said how far the groups are.")
IN_FLIGHT = Asked("housevalue_in_flight", "Predictions that are neither answered nor rejected nor failed.")
OUTBOX = Asked("housevalue_outbox_rows", "Accepted and not on the log yet, their deadline missed or not.")
OLDEST = Asked("housevalue_oldest_in_flight_seconds", "Age of the oldest in flight; 0 when there is none.")
INBOX = Asked("housevalue_open_dead_letters", "Dead letters that nobody has handled.")
STOPPED = Asked("housevalue_stopped_lines", "Consumers that stopped because of too many unusable records.")

COUNTED = (
    *(BATCHES, PUBLISHED, SCORING, SETTLED, DEAD_LETTERS, STAGE, ANSWER, CLOSED, REFUSED, AWAY),
    *(PUSHED, CONNECTIONS, RESUMES),
)
ASKED = (LAG, BROKER, IN_FLIGHT, OUTBOX, OLDEST, INBOX, STOPPED)

_stage = cache(STAGE.labels)
_kinds: set[tuple[str, str]] = set()


# -- counting ----------------------------------------------------------------------------------------------------------
def count_travel(stages: dict[str, int]) -> None:
    """Count one answer's times: stage -> epoch milliseconds, as far as they are known."""
    way = stretches(stages)
    for stretch in way:
        _stage(stretch.stage).observe(stretch.took_ms / 1000)
    if "accepted" in stages and way:
        ANSWER.observe(sum(stretch.took_ms for stretch in way) / 1000)


def count_dead_letter(*, stage: str, error: str) -> None:
    """Count a record of the dead-letter topic; kinds beyond the first hundred are one."""
    kind = (stage, error)
    if kind not in _kinds and len(_kinds) >= _MOST_KINDS:
        kind = ("other", "other")
    _kinds.add(kind)
    DEAD_LETTERS.labels(*kind).inc()


@contextmanager
def following(transport: str, *, cursor: int | None) -> Iterator[None]:
    """Around a connection that follows a feed; it resumes where it brings a cursor."""
    if cursor is not None:
        RESUMES.labels(transport).inc()
    with CONNECTIONS.labels(transport).track_inprogress():
        yield
