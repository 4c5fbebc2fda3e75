"""How often one may ask, and make accounts or have mail written."""

from django.conf import settings
from rest_framework.throttling import SimpleRateThrottle

from predictions.callers import Caller


class TooMany(Exception):
    """Asked too often; `retry_after` is in whole seconds."""

    def __init__(self, retry_after: int):
        super().__init__(f"too many requests; try again in {retry_after} s")
        self.retry_after = retry_after


class _Window(SimpleRateThrottle):
    """A sliding window over the last requests under one key, kept in the cache (rest_framework.throttling)."""

    def __init__(self, rate: str, key: str):
        self.rate = rate
        self.cache_key = key
        super().__init__()

    def get_cache_key(self, request, view) -> str:
        return self.cache_key


def check_rate(*, caller: Caller, address: str) -> None:
    """Count this request against the caller's rate; a visitor is known by address, since a cookie can be thrown away.

    Raises:
        TooMany: the rate is used up.
    """
    if caller.is_visitor:
        _count(settings.VISITOR_RATE, f"asking:{address}")
    else:
        _count(settings.USER_RATE, f"asking:{caller.feed_key}")


def check_account_rate(*, action: str, key: str) -> None:
    """Count one try of `action` (a sign-up, a password mail, a password asked again) of an address or a user.

    Raises:
        TooMany: the rate is used up.
    """
    _count(settings.ACCOUNT_RATE, f"{action}:{key}")


def _count(rate: str, key: str) -> None:
    if rate.startswith("0/"):
        return
    window = _Window(rate, key)
    if not window.allow_request(None, None):  # type: ignore[arg-type]  # It only hands them to `get_cache_key`.
        raise TooMany(retry_after=int(window.wait() or 0) + 1)
