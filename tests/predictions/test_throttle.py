"""How often one may ask: so many in any period, however they come."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from predictions import throttle
from predictions.throttle import TooMany, check_account_rate, within_rate
from tests.making import visitor
from tests.stack import wait_until

ADDRESS = "192.0.2.7"


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The time that the throttle sees; the cache's own goes on."""
    now = [1_767_312_000.0]
    monkeypatch.setattr(throttle, "time", SimpleNamespace(time=lambda: now[0]))
    return now


def ask() -> None:
    with within_rate(caller=visitor(), address=ADDRESS):
        pass


def test_those_who_ask_at_the_same_time_are_counted_one_by_one(settings):
    settings.VISITOR_RATE = "3/m"
    everybody_is_in_or_refused = threading.Barrier(8, timeout=10)

    def passes(_: int) -> bool:
        try:
            with within_rate(caller=visitor(), address=ADDRESS):
                everybody_is_in_or_refused.wait()
                return True
        except TooMany:
            everybody_is_in_or_refused.wait()
            return False

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(passes, range(8))) == 3
    with pytest.raises(TooMany):
        ask()


def test_tries_at_the_same_time_are_counted_one_by_one(settings):
    settings.ACCOUNT_RATE = "5/h"

    def passes(_: int) -> bool:
        try:
            check_account_rate(action="sign-up", key=ADDRESS)
        except TooMany:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(passes, range(80))) == 5


def test_what_fails_is_not_counted(settings):
    settings.VISITOR_RATE = "1/m"
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), within_rate(caller=visitor(), address=ADDRESS):
            raise ZeroDivisionError
    ask()
    with pytest.raises(TooMany):
        ask()


def test_who_is_refused_is_told_when_the_first_of_the_period_is_a_period_ago(settings, clock):
    settings.VISITOR_RATE = "2/m"
    ask()
    clock[0] += 20
    ask()
    clock[0] += 10.5
    with pytest.raises(TooMany) as refused:
        ask()
    assert refused.value.retry_after == 30


def test_after_the_time_that_was_told_there_is_room(settings):
    settings.VISITOR_RATE = "1/s"
    ask()
    with pytest.raises(TooMany) as refused:
        ask()
    assert refused.value.retry_after == 1
    wait_until(has_room, 5, "room for one more")


def has_room() -> bool:
    try:
        ask()
    except TooMany:
        return False
    return True
