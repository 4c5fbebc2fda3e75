"""The doorbell: a few bytes on a Redis channel that say "there are unpublished rows".

The row is the message; a lost ring costs the publisher's poll interval. Ringing never fails a request.
"""

import logging
import time
from functools import cache

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

CHANNEL = "housevalue.doorbell"
# While Redis is away every ring would cost a request its time out.
_PAUSE_SECONDS = 1.0
_silent_until = 0.0


@cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=0.2, socket_timeout=0.2)


def is_silent() -> bool:
    """Whether Redis was away a moment ago, and is not asked for now."""
    return time.monotonic() < _silent_until


def ring() -> None:
    """Tell the publishers, if Redis can be reached."""
    global _silent_until
    if is_silent():
        return
    try:
        _client().publish(CHANNEL, b"1")
    except redis.RedisError as error:
        _silent_until = time.monotonic() + _PAUSE_SECONDS
        logger.warning("the doorbell is out of order, publishers poll: %s", error)
