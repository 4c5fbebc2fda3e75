"""Back-pressure between Kafka and Celery: is there room for one more batch?"""

import logging
from typing import cast

import redis
from celery import Celery

from streaming.loop import StopFlag

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.002
_MOST_LOOKS = 100


class CeleryQueue:
    """The scoring queue as Celery keeps it in Redis (kombu's Redis transport: a list by the queue's name)."""

    def __init__(self, app: Celery, *, waiting: int):
        """`waiting`: how many batches may wait for a worker before the scorer holds back."""
        self._name = app.conf.task_default_queue
        self._client = redis.Redis.from_url(app.conf.broker_url, socket_connect_timeout=1, socket_timeout=2)
        self._waiting = waiting

    def wait_for_room(self, stop: StopFlag) -> bool:
        """Wait a moment until fewer than `waiting` batches wait; whether there is room now.

        Raises:
            redis.RedisError: the queue is away.
        """
        for _ in range(_MOST_LOOKS):
            if cast(int, self._client.llen(self._name)) < self._waiting:
                return True
            if stop.wait(_LOOK_SECONDS):
                break
        return False
