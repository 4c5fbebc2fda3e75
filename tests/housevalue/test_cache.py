"""A cache that may be away: a miss, never an error."""

import os
import signal
import time

import pytest
from django.core.cache import cache

from housevalue.cache import ForgivingRedisCache
from tests.stack import wait_until


def test_with_redis_it_is_an_ordinary_cache():
    assert cache.get("a", "nothing") == "nothing"
    cache.set("a", [1, 2])
    assert cache.get("a") == [1, 2]
    assert cache.has_key("a")
    assert not cache.add("a", 3)
    assert cache.add("count", 1)
    assert cache.incr("count", 2) == 3
    assert cache.delete("a")
    assert cache.get("a") is None


def test_so_many_places_as_there_are_can_be_taken_until_one_is_free_again():
    def take(place: str, now: float) -> float | None:
        return cache.take_place("key", place, now=now, seconds=60, most=2)

    assert (take("a", 1_000.25), take("b", 1_010)) == (None, None)
    assert take("c", 1_020) == 1_060.25
    assert take("c", 1_060.25) is None, "the place of a is free"
    assert take("d", 1_061) == 1_070
    cache.give_back_place("key", "c")
    assert take("d", 1_062) is None


def test_places_are_forgotten_after_their_time():
    cache.take_place("key", "a", now=1_000, seconds=1, most=2)
    assert cache.has_key("key")
    wait_until(lambda: not cache.has_key("key"), 5, "the places to be forgotten")


def test_without_redis_everybody_has_a_place(redis_away):
    for _ in range(2):
        ForgivingRedisCache.silent_until = 0.0
        assert cache.take_place("key", "a", now=1_000, seconds=60, most=1) is None
        ForgivingRedisCache.silent_until = 0.0
        cache.give_back_place("key", "a")


def test_without_redis_everything_is_a_miss(redis_away):
    cache.set("a", 1)
    ForgivingRedisCache.silent_until = 0.0
    assert cache.get("a", "nothing") == "nothing"
    ForgivingRedisCache.silent_until = 0.0
    assert not cache.has_key("a")
    ForgivingRedisCache.silent_until = 0.0
    assert cache.add("a", 1)
    ForgivingRedisCache.silent_until = 0.0
    assert not cache.delete("a")
    ForgivingRedisCache.silent_until = 0.0
    with pytest.raises(ValueError, match="away"):
        cache.incr("a")


def test_a_redis_that_takes_no_writes_is_as_good_as_none(redis_refuses, caplog):
    for write in (
        lambda: cache.set("a", 1),
        lambda: cache.add("a", 1),
        lambda: cache.delete("a"),
        lambda: cache.take_place("key", "a", now=1_000, seconds=60, most=1),
        lambda: cache.give_back_place("key", "a"),
    ):
        ForgivingRedisCache.silent_until = 0.0
        write()
    assert cache.get("a") is None
    caplog.clear()
    ForgivingRedisCache.silent_until = 0.0
    for _ in range(20):
        cache.set("a", 1)
    assert len([record for record in caplog.records if "cache is away" in record.getMessage()]) == 1


def test_an_error_of_ours_is_not_taken_for_redis_being_away():
    with pytest.raises(ValueError, match="not found"):
        cache.incr("missing")
    with pytest.raises(ValueError, match="soon"):
        cache.set("a", 1, timeout="soon")


def test_a_redis_that_hangs_costs_one_time_out_and_not_one_a_call(valkey, caplog):
    os.kill(valkey.process.pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        for _ in range(20):
            assert cache.get("a") is None
        assert time.monotonic() - started < 1.2
    finally:
        os.kill(valkey.process.pid, signal.SIGCONT)
    assert len([record for record in caplog.records if "cache is away" in record.getMessage()]) == 1


def test_redis_is_asked_again_after_a_pause(redis_away):
    assert cache.get("a") is None
    redis_away.start()
    redis_away.wait_ready(20)
    ForgivingRedisCache.silent_until = time.monotonic() + 0.2
    cache.set("a", 1)
    assert cache.get("a") is None
    while time.monotonic() < ForgivingRedisCache.silent_until:
        time.sleep(0.02)
    assert cache.get("a") is None, "nothing was set while it was silent"
    cache.set("a", 1)
    assert cache.get("a") == 1
