"""The publisher: unpublished rows -> `prediction_topic`. Publish, flush, then mark."""

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

import redis
from django.conf import settings

from predictions import doorbell, life_log, services
from predictions.services import Unpublished
from streaming import dead_letters, messages
from streaming.bells import Bells
from streaming.kafka import Headers, Publisher
from streaming.metrics import BATCHES, PUBLISHED, SETTLED
from streaming.topics import Topic

logger = logging.getLogger(__name__)

BATCH_SIZE = 500
POLL_SECONDS = 0.1
# Between two looks for rows that are overdue.
LOOK_SECONDS = 1.0


class RequestPublisher(Protocol):
    """A way onto the log: after `flush` all that was published is on it, or `NotDelivered` was raised."""

    def publish(self, topic: str, *, key: bytes | None, value: bytes | None, headers: Headers) -> None: ...

    def flush(self) -> None: ...


class OutboxPublisher:
    """Publishes what the doors accepted, again what was not answered, and gives up what missed its deadline.

    Beside that the dead letters that an operator marked for replay, by `replays`: they go to other topics too.
    """

    def __init__(self, *, publisher: RequestPublisher, replays: Publisher, bell: "DoorbellListener", owners: Bells):
        self._publisher = publisher
        self._replays = replays
        self._bell = bell
        self._owners = owners
        self._more = True
        self._looked_at = -LOOK_SECONDS

    def run_once(self) -> int:
        """Wait for the doorbell (or its poll interval), then publish what is due; how many rows.

        Raises:
            NotDelivered: nothing was marked; the rows are published again.
        """
        if not self._more:
            self._bell.wait(POLL_SECONDS)
        is_time_to_look = time.monotonic() - self._looked_at >= LOOK_SECONDS
        if is_time_to_look:
            # Before anything that waits for the broker: its being away is what makes questions miss their deadline.
            self._looked_at = time.monotonic()
            self._give_up()
        published = self._publish(services.claim_unpublished, "first")
        self._more = published == BATCH_SIZE
        if is_time_to_look:
            published += self._publish(services.claim_overdue, "again")
            dead_letters.publish_marked(self._replays)
        return published

    def _give_up(self) -> None:
        """Those without an answer at the deadline; all of them, for the next look may have to wait for the broker."""
        while True:
            failed = services.fail_expired(limit=BATCH_SIZE)
            SETTLED.labels("failed").inc(len(failed.told))
            life_log.tell("failed", failed.told)
            self._owners.ring(failed.feeds)
            if len(failed.told) < BATCH_SIZE:
                return

    def _publish(self, claim: Callable[..., AbstractContextManager[list[Unpublished]]], attempt: str) -> int:
        with claim(limit=BATCH_SIZE) as rows:
            for row in rows:
                key, value, headers = messages.request_message(row)
                self._publisher.publish(Topic.REQUESTS, key=key, value=value, headers=headers)
            if rows:
                self._publisher.flush()
                services.mark_published(rows)
                PUBLISHED.labels(attempt).inc(len(rows))
                BATCHES.labels("publisher").observe(len(rows))
                life_log.tell("published", [row.id for row in rows], attempt=attempt)
        return len(rows)


class DoorbellListener:
    """Hears the doorbell on Redis; with Redis away it just waits."""

    def __init__(self) -> None:
        self._client = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=0.5,
            # A Redis that hangs takes connections and says nothing: without this the publisher would hang with it.
            socket_timeout=0.5,
            socket_keepalive=True,
            health_check_interval=15,
        )
        self._subscription = self._client.pubsub(ignore_subscribe_messages=True)
        self._is_subscribed = self._is_away = False

    def wait(self, seconds: float) -> None:
        """Return when the bell rings, at the latest after `seconds`; rings already heard are taken together."""
        deadline = time.monotonic() + seconds
        try:
            if not self._is_subscribed:
                self._subscription.subscribe(doorbell.CHANNEL)
                self._is_subscribed, self._is_away = True, False
            if self._subscription.get_message(timeout=seconds):
                while self._subscription.get_message(timeout=0):
                    pass
        except redis.RedisError as error:
            if not self._is_away:
                logger.warning("the doorbell can't be heard, polling instead: %s", error)
            self._is_subscribed, self._is_away = False, True
            self._subscription.reset()
            time.sleep(max(0.0, deadline - time.monotonic()))
