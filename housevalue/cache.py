"""A cache that may be away."""

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache.backends.redis import RedisCache
from redis import Redis, RedisError

logger = logging.getLogger(__name__)

T = TypeVar("T")
# A Redis that hangs would otherwise cost every call of every request its time out.
PAUSE_SECONDS = 1.0
# Of a key: now, seconds, how many places there are, the name of the one who takes one. The score is when it is free.
_TAKE_PLACE = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then
    return redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
end
redis.call('ZADD', KEYS[1], ARGV[1] + ARGV[2], ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return false
"""


class ForgivingRedisCache(RedisCache):
    """Django's Redis cache, in which Redis being away is a miss and not an error.

    So is one that is there and takes no writes: it is full, its disk is, or it is a replica. Sessions are in the
    database as well (`cached_db`) and a throttle without its counters lets everybody pass: a question must be accepted
    while Redis is down.
    """

    # Of the class: Django makes an instance per thread.
    silent_until = 0.0

    def get(self, key, default=None, version=None):
        return self._unless_away(default, super().get, key, default, version)

    def set(self, *args, **kwargs):
        self._unless_away(None, super().set, *args, **kwargs)

    def add(self, *args, **kwargs):
        return self._unless_away(True, super().add, *args, **kwargs)

    def incr(self, key, delta=1, version=None):
        value = self._unless_away(None, super().incr, key, delta, version)
        if value is None:
            # What django.core.cache says of a key that is not there.
            raise ValueError("the cache is away")
        return value

    def delete(self, *args, **kwargs):
        return self._unless_away(False, super().delete, *args, **kwargs)

    def has_key(self, *args, **kwargs):
        return self._unless_away(False, super().has_key, *args, **kwargs)

    def take_place(self, key: str, place: str, *, now: float, seconds: int, most: int) -> float | None:
        """Take `place`, one of `most` under `key`, for so many seconds; when the next is free if none is.

        In one step: however many ask at the same time, in whatever process, no more than `most` have one.
        """
        arguments = (now, seconds, most, place)
        free_at: Any = self._unless_away(None, self._client.eval, _TAKE_PLACE, 1, self.make_key(key), *arguments)
        return None if free_at is None else float(free_at)

    def give_back_place(self, key: str, place: str) -> None:
        """Free it before its time."""
        self._unless_away(None, self._client.zrem, self.make_key(key), place)

    @property
    def _client(self) -> Redis:
        return self._cache.get_client(write=True)

    @classmethod
    def is_silent(cls) -> bool:
        """Whether Redis was away or refused a moment ago, and is not asked now."""
        return time.monotonic() < cls.silent_until

    def _unless_away(self, otherwise: T, call: Callable[..., T], *args, **kwargs) -> T:
        if self.is_silent():
            return otherwise
        try:
            return call(*args, **kwargs)
        except RedisError as error:
            ForgivingRedisCache.silent_until = time.monotonic() + PAUSE_SECONDS
            logger.warning("the cache is away: %s", error)
            return otherwise
