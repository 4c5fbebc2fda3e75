"""The loop of the long-running commands: how it ends, and how it waits for a part that is away."""

import logging
import os
import signal
import threading
import time

import pytest

from streaming.health import ready_file
from streaming.loop import BackOff, StopFlag, run_until_stopped

pytestmark = pytest.mark.django_db(transaction=True)


class Away(Exception):
    pass


@pytest.fixture
def restored_signals():
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_unit_of_work_end_and_then_stops(number, restored_signals):
    stop, done = StopFlag().listen(), []

    def run_once() -> int:
        os.kill(os.getpid(), number)
        done.append("the rest of the unit")
        return 1

    run_until_stopped(run_once, name="worker", stop=stop)
    assert done == ["the rest of the unit"]


def test_a_command_is_ready_while_it_runs_and_gone_afterwards():
    stop, seen = StopFlag(), []

    def run_once() -> int:
        seen.append(ready_file("sample").exists())
        stop.set()
        return 0

    run_until_stopped(run_once, name="sample", stop=stop)
    assert seen == [True]
    assert not ready_file("sample").exists()


def test_an_unexpected_error_ends_the_loop_and_its_ready_sign():
    def run_once() -> int:
        raise KeyError("our own fault")

    with pytest.raises(KeyError):
        run_until_stopped(run_once, name="sample", stop=StopFlag(), away=(Away,))
    assert not ready_file("sample").exists()


def test_a_part_that_is_away_is_said_once_and_its_return_too(caplog, monkeypatch):
    stop, outcomes = StopFlag(), [Away("no broker"), Away("no broker"), Away("no broker"), None]
    monkeypatch.setattr(BackOff, "wait", lambda self: None)

    def run_once() -> int:
        if (outcome := outcomes.pop(0)) is not None:
            raise outcome
        stop.set()
        return 1

    with caplog.at_level(logging.INFO, "streaming"):
        run_until_stopped(run_once, name="sample", stop=stop, away=(Away,))
    assert [record.getMessage() for record in caplog.records] == [
        "sample waits, a part is away: no broker",
        "sample goes on",
    ]


def test_a_part_that_goes_away_again_is_said_again(caplog, monkeypatch):
    stop, outcomes = StopFlag(), [Away("one"), None, Away("two"), None]
    monkeypatch.setattr(BackOff, "wait", lambda self: None)

    def run_once() -> int:
        if (outcome := outcomes.pop(0)) is not None:
            raise outcome
        if not outcomes:
            stop.set()
        return 1

    with caplog.at_level(logging.WARNING, "streaming"):
        run_until_stopped(run_once, name="sample", stop=stop, away=(Away,))
    assert [record.getMessage()[-3:] for record in caplog.records] == ["one", "two"]


def test_the_wait_for_a_part_that_is_away_ends_with_the_stop_flag():
    stop = StopFlag()

    def run_once() -> int:
        raise Away("for ever")

    threading.Timer(0.3, stop.set).start()
    started = time.monotonic()
    run_until_stopped(run_once, name="sample", stop=stop, away=(Away,))
    assert time.monotonic() - started < 1.5


def test_waits_double_up_to_the_longest_and_start_anew_after_a_success():
    waits: list[float] = []

    class Recorded(StopFlag):
        def wait(self, seconds: float) -> bool:
            waits.append(seconds)
            return False

    back_off = BackOff(Recorded(), first=1, longest=5)
    for _ in range(4):
        back_off.wait()
    back_off.reset()
    back_off.wait()
    assert waits == [1, 2, 4, 5, 1]
