"""How often one may ask."""

from django.conf import settings
from rest_framework.throttling import SimpleRateThrottle

from predictions.callers import Caller


class TooMany(Exception):
    """Asked too often; `retry_after` is in whole seconds."""

    def __init__(self, retry_after: int):
        super().__init__(f"too many requests; try again in {retry_after} s")
        self.retry_after = retry_after


class _Asking(SimpleRateThrottle):
    """A sliding window over the caller's last requests, kept in the cache (rest_framework.throttling)."""

    def __init__(self, rate: str, key: str):
        self.rate = rate
        self.key = key
        super().__init__()

    def get_cache_key(self, request, view) -> str:
        return f"asking:{self.key}"


def check_rate(*, caller: Caller, address: str) -> None:
    """Count this request against the caller's rate; a visitor is known by address, since a cookie can be thrown away.

    Raises:
        TooMany: the rate is used up.
    """
    rate = settings.VISITOR_RATE if caller.is_visitor else settings.USER_RATE
    if rate.startswith("0/"):
        return
    asking = _Asking(rate, address if caller.is_visitor else caller.feed_key)
    if not asking.allow_request(None, None):  # type: ignore[arg-type]  # It only hands them to `get_cache_key`.
        raise TooMany(retry_after=int(asking.wait() or 0) + 1)
