"""The publisher: unpublished rows -> `prediction_topic`. Publish, flush, then mark."""

import logging
import time

import redis
from django.conf import settings

from predictions import doorbell, services
from streaming import messages
from streaming.kafka import Publisher
from streaming.topics import Topic

logger = logging.getLogger(__name__)

BATCH_SIZE = 500
POLL_SECONDS = 0.1


class OutboxPublisher:
    """Publishes what the doors accepted."""

    def __init__(self, *, publisher: Publisher, bell: "DoorbellListener"):
        self._publisher = publisher
        self._bell = bell
        self._more = True

    def run_once(self) -> int:
        """Wait for the doorbell (or its poll interval), then publish what is unpublished; how many rows.

        Raises:
            NotDelivered: nothing was marked; the rows are published again.
        """
        if not self._more:
            self._bell.wait(POLL_SECONDS)
        with services.claim_unpublished(limit=BATCH_SIZE) as rows:
            for row in rows:
                key, value, headers = messages.request_message(row)
                self._publisher.publish(Topic.REQUESTS, key=key, value=value, headers=headers)
            if rows:
                self._publisher.flush()
                services.mark_published(rows)
        self._more = len(rows) == BATCH_SIZE
        return len(rows)


class DoorbellListener:
    """Hears the doorbell on Redis; with Redis away it just waits."""

    def __init__(self) -> None:
        self._client = redis.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=0.5, socket_keepalive=True, health_check_interval=15
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
