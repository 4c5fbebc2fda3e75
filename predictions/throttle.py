"""How often one may ask, and make accounts or have mail written."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from rest_framework.throttling import SimpleRateThrottle

from predictions.callers import Caller


class TooMany(Exception):
    """Asked too often; `retry_after` is in whole seconds."""

    def __init__(self, retry_after: int, *, why: str = "Too many questions at once"):
        super().__init__(f"{why}; try again in {retry_after} s.")
        self.retry_after = retry_after


class _Window(SimpleRateThrottle):
    """A sliding window over the last requests under one key, kept in the cache (rest_framework.throttling)."""

    def __init__(self, rate: str, key: str):
        self.rate = rate
        self.cache_key = key
        super().__init__()

    def get_cache_key(self, request, view) -> str:
        return self.cache_key

    def check(self) -> None:
        """That there is room for one more.

        Raises:
            TooMany: the rate is used up.
        """
        if not self.allow_request(None, None):  # type: ignore[arg-type]  # It only hands them to `get_cache_key`.
            raise TooMany(retry_after=int(self.wait() or 0) + 1)

    def throttle_success(self) -> bool:
        return True  # Theirs counts here.

    def count(self) -> None:
        """One more, at the moment of the check."""
        super().throttle_success()


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
    window.check()
    yield
    window.count()


def check_account_rate(*, action: str, key: str) -> None:
    """Count one try of `action` (a sign-up, a password mail, a password asked again) of an address or a user.

    Raises:
        TooMany: the rate is used up.
    """
    window = _window(settings.ACCOUNT_RATE, f"{action}:{key}")
    if window is not None:
        window.check()
        window.count()


def _rate_of(caller: Caller, address: str) -> _Window | None:
    if caller.is_visitor:
        return _window(settings.VISITOR_RATE, f"asking:{address}")
    return _window(settings.USER_RATE, f"asking:{caller.feed_key}")


def _window(rate: str, key: str) -> _Window | None:
    """The window of this rate; None where there is no limit."""
    return None if rate.startswith("0/") else _Window(rate, key)
