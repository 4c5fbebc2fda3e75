"""More questions than can be answered: all that are accepted are answered in time, the others told when to come.

The scoring worker is held back from outside, so that it is the path that can't keep up and not the door. A short
overload of a short line, three times the capacity; with FAULTS=whole one of a minute and twice the capacity with the
default settings, whose refusals must say true.
"""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.stack import RunningStack, running_stack

IS_WHOLE = os.environ.get("FAULTS") == "whole"
DEADLINE_SECONDS = 30
# So many questions are one task, and so long is the worker stopped of each period: seconds.
SMALL_BATCH = "2"
STOPPED, RUNNING = 0.15, 0.05


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[RunningStack]:
    limits = {} if IS_WHOLE else {"MOST_SECONDS_TO_ANSWER": "3"}
    with running_stack(tmp_path / "var", env={"SCORING_BATCH_SIZE": SMALL_BATCH, **limits}) as running:
        yield running


@contextmanager
def held_back(stack: RunningStack) -> Iterator[None]:
    """The worker's pool gets a quarter of the time while the block lasts."""
    over = threading.Event()

    def hold() -> None:
        parent = psutil.Process(stack.processes()["worker"])
        while not over.is_set():
            pool = parent.children()
            _signal(pool, signal.SIGSTOP)
            over.wait(STOPPED)
            _signal(pool, signal.SIGCONT)
            over.wait(RUNNING)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


def _signal(processes: list[psutil.Process], number: int) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


@pytest.mark.timeout(600 if IS_WHOLE else 180)
def test_more_than_can_be_answered_costs_those_who_were_accepted_nothing(stack: RunningStack) -> None:
    times, seconds, finding = ("2", "60", "10") if IS_WHOLE else ("3", "12", "5")
    with held_back(stack):
        measured = stack.manage(
            *("bench_path", "--url", stack.base_url, "--json"),
            *("--overload", times, "--seconds", seconds, "--warm-up", finding),
            seconds=400 if IS_WHOLE else 120,
        )
    assert measured.returncode == 0, measured.stderr
    report = json.loads(measured.stdout.splitlines()[-1])
    print(report)
    assert report["answered"] == report["accepted"] > 0
    assert (report["failed"], report["lost"], report["doubled"], report["unanswered_posts"]) == (0, 0, 0, 0)
    assert report["max"] < DEADLINE_SECONDS
    assert report["refused"] > 0
    if IS_WHOLE:
        assert report["retry_after_error"] < 0.3
    ledger = json.loads(stack.manage("show_ledger", "--json").stdout)
    assert (ledger["difference"], ledger["in_flight"], ledger["failed"]) == (0, 0, 0)
