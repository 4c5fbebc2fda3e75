"""The metrics port of a process, and the gauges that are asked for when somebody looks at it."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone
from prometheus_client import REGISTRY, start_http_server
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from predictions.ledger import read_waiting
from streaming import metrics
from streaming.lag import read_lags
from streaming.models import DeadLetter
from streaming.stopped_lines import stopped_lines

logger = logging.getLogger(__name__)

# What was found is told again to those who look within this time.
FRESH_SECONDS = 1.0


def serve_metrics(*collectors: Collector, place: int = 0) -> None:
    """Answer Prometheus on METRICS_PORT + `place`, on a thread; nowhere when the port is 0.

    `collectors` are asked beside what this process has counted. `place` tells the pool processes of one worker apart.
    A port that can't be had stops nothing but this.
    """
    if not settings.METRICS_PORT:
        return
    for collector in collectors:
        REGISTRY.register(collector)
    port = settings.METRICS_PORT + place
    try:
        start_http_server(port, addr=settings.METRICS_HOST)
    except OSError as error:
        logger.warning("no metrics, port %d of %s can't be had: %s", port, settings.METRICS_HOST, error.strerror)
    else:
        logger.info("metrics on %s:%d", settings.METRICS_HOST, port)


class WaitingCollector(Collector):
    """What is in flight, in the outbox, on the topics and in the inbox, at most FRESH_SECONDS old.

    One kind of process tells it: the web, which stays up whatever stands still behind it.
    """

    def __init__(self, admin: Callable[[], AdminClient]):
        self._admin = admin
        self._lock = threading.Lock()
        self._asked_at = -math.inf
        self._found: list[Metric] = []

    def describe(self) -> Iterable[Metric]:
        """Names only: a registry that registers it must not ask yet."""
        return [asked.family([]) for asked in metrics.ASKED]

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            if time.monotonic() - self._asked_at > FRESH_SECONDS:
                self._found = [*self._ask_database(), *self._ask_broker()]
                self._asked_at = time.monotonic()
            return self._found

    def _ask_database(self) -> Iterator[Metric]:
        """Nothing where the database is away: a gauge that is missing is not a gauge that says 0."""
        try:
            waiting = read_waiting()
            letters = DeadLetter.objects.filter(status=DeadLetter.Status.RECEIVED).count()
            stopped = len(stopped_lines())
        except DatabaseError as error:
            logger.warning("what waits can't be told: %s", error)
            return
        finally:
            # Each look has a thread of its own, whose connection nobody would close.
            connection.close()
        yield metrics.IN_FLIGHT.family([((), waiting.in_flight)])
        yield metrics.OUTBOX.family([((), waiting.in_outbox)])
        yield metrics.OLDEST.family([((), waiting.oldest_seconds(timezone.now()))])
        yield metrics.INBOX.family([((), letters)])
        yield metrics.STOPPED.family([((), stopped)])

    def _ask_broker(self) -> Iterator[Metric]:
        try:
            lags = read_lags(self._admin())
        except (KafkaException, LookupError):
            yield metrics.BROKER.family([((), 0)])
            return
        yield metrics.BROKER.family([((), 1)])
        yield metrics.LAG.family(((lag.topic, lag.group), lag.records) for lag in lags if lag.records is not None)
