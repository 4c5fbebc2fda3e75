"""What is asked around a fault."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.books import Books
from tests.faults.crowd import HOUSES, Crowd
from tests.stack import wait_until

_RATE = 50.0
_BULK = 5_000
# So many of the bulk are answered when the fault comes: it strikes amid the work.
_BULK_BEFORE = 250
_STEADY_BEFORE = 100
_PATIENCE_SECONDS = 60.0
# Answered questions that were asked after the fault was over, before the rate is ended.
_STEADY_AFTER_SECONDS = 3.0


@dataclass(frozen=True)
class Load:
    """What the crowd does before the fault, from the moment it strikes, and after it is over (with that moment)."""

    name: str
    before: Callable[[Crowd, Books], None]
    at_strike: Callable[[Crowd], None]
    after: Callable[[Crowd, float], None]


def _nothing(*_: object) -> None:
    pass


def _begin_rate(crowd: Crowd, books: Books) -> None:
    begun = crowd.events
    crowd.start_asking(_RATE)
    wait_until(lambda: crowd.events >= begun + _STEADY_BEFORE, _PATIENCE_SECONDS, "answers before the fault")


def _end_rate(crowd: Crowd, over_at: float) -> None:
    """Ask on until it works again, and a little longer; one that never does is for the verdict to tell."""
    try:
        wait_until(
            lambda: crowd.has_answer_since(over_at + _STEADY_AFTER_SECONDS),
            _PATIENCE_SECONDS,
            "answers after the fault",
        )
    except TimeoutError:
        pass
    crowd.stop_asking()


def _begin_bulk(crowd: Crowd, books: Books) -> None:
    begun = crowd.events
    books.insert(crowd.accounts, HOUSES, _BULK)
    wait_until(lambda: crowd.events >= begun + _BULK_BEFORE, _PATIENCE_SECONDS, "the first answers of the bulk")


IDLE = Load("idle", before=_nothing, at_strike=Crowd.ask_each, after=_nothing)
STEADY = Load("50/s", before=_begin_rate, at_strike=_nothing, after=_end_rate)
BULK = Load("bulk 5,000", before=_begin_bulk, at_strike=_nothing, after=_nothing)
LOADS = (IDLE, STEADY, BULK)
