"""How often one may ask, and make accounts or have mail written."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, cast

from django.conf import settings
from django.core.cache import cache

from predictions.callers import Caller

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class TooMany(Exception):
    """Asked too often; `retry_after` is in whole seconds."""

    def __init__(self, retry_after: int, *, why: str = "Too many questions at once"):
        super().__init__(f"{why}; try again in {retry_after} s.")
        self.retry_after = retry_after


class _Places(Protocol):
    """What the cache of the settings can do beside what caches do: `housevalue.cache`, which can't be imported here."""

    def take_place(self, key: str, place: str, *, now: float, seconds: int, most: int) -> float | None: ...

    def give_back_place(self, key: str, place: str) -> None: ...


_places = cast(_Places, cache)


class _Window:
    """A sliding window of `rate` under one key: so many places in the cache, each taken for the whole period."""

    def __init__(self, rate: str, key: str):
        most, period = rate.split("/")
        self._most, self._seconds = int(most), _SECONDS[period]
        self._key = f"rate:{key}"

    def take(self, **refusal: str) -> str:
        """A place for one more; `refusal` is what `TooMany` is told beside the time.

        Raises:
            TooMany: every place is taken.
        """
        place, now = uuid.uuid4().hex, time.time()
        free_at = _places.take_place(self._key, place, now=now, seconds=self._seconds, most=self._most)
        if free_at is not None:
            raise TooMany(retry_after=int(free_at - now) + 1, **refusal)
        return place

    def give_back(self, place: str) -> None:
        _places.give_back_place(self._key, place)


@contextmanager
def within_rate(*, caller: Caller, address: str) -> Iterator[None]:
    """Count what the block does against the caller's rate, if it ends well.

    A visitor is known by address, since a cookie can be thrown away.

    Raises:
        TooMany: the rate is used up; the block was not entered.
    """
    window = _rate_of(caller, address)
    if window is None:
        yield
        return
    place = window.take()
    try:
        yield
    except BaseException:
        window.give_back(place)
        raise


def check_account_rate(*, action: str, key: str) -> None:
    """Count one try of `action` (a sign-up, a password mail, a password asked again) of an address or a user.

    Raises:
        TooMany: the rate is used up.
    """
    window = _window(settings.ACCOUNT_RATE, f"{action}:{key}")
    if window is not None:
        window.take(why="That was tried too often from here")


def _rate_of(caller: Caller, address: str) -> _Window | None:
    if caller.is_visitor:
        return _window(settings.VISITOR_RATE, f"asking:{address}")
    return _window(settings.USER_RATE, f"asking:{caller.feed_key}")


def _window(rate: str, key: str) -> _Window | None:
    """The window of this rate; None where there is no limit."""
    return None if rate.startswith("0/") else _Window(rate, key)
