"""A cache that may be away."""

import logging

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

logger = logging.getLogger(__name__)

_AWAY = (RedisConnectionError, RedisTimeoutError)


class ForgivingRedisCache(RedisCache):
    """Django's Redis cache, in which Redis being away is a miss and not an error.

    Sessions are in the database as well (`cached_db`) and a throttle without its counters lets everybody pass:
    a question must be accepted while Redis is down.
    """

    def get(self, key, default=None, version=None):
        try:
            return super().get(key, default, version)
        except _AWAY as error:
            logger.warning("the cache is away: %s", error)
            return default

    def set(self, *args, **kwargs):
        try:
            super().set(*args, **kwargs)
        except _AWAY as error:
            logger.warning("the cache is away: %s", error)

    def add(self, *args, **kwargs):
        try:
            return super().add(*args, **kwargs)
        except _AWAY:
            return True

    def incr(self, key, delta=1, version=None):
        try:
            return super().incr(key, delta, version)
        except _AWAY as error:
            # django.core.cache says ValueError for a key that is not there.
            raise ValueError(str(error)) from error

    def delete(self, *args, **kwargs):
        try:
            return super().delete(*args, **kwargs)
        except _AWAY:
            return False

    def has_key(self, *args, **kwargs):
        try:
            return super().has_key(*args, **kwargs)
        except _AWAY:
            return False
