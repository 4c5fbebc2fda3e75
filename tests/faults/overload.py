"""More questions than can be answered, on a run whose scoring worker is held back from outside.

So it is the path that can't keep up and not the door.
"""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.faults.stage import machine
from tests.stack import RunningStack, running_stack

DEADLINE_SECONDS = 30
_MOST_ERROR = 0.3
# So many questions are one task, and so long is the worker stopped of each period: seconds.
_SMALL_BATCH = "2"
_STOPPED, _RUNNING = 0.15, 0.05


@dataclass(frozen=True)
class Overload:
    """`times` the capacity for `seconds`, after that was found in `finding` seconds."""

    name: str
    times: int
    seconds: int
    finding: int
    most_seconds_to_answer: int
    judges_promises: bool
    """Whether what refusals promise is judged: it takes many of them."""


SHORT = Overload("three times the capacity for 12 s", 3, 12, finding=5, most_seconds_to_answer=3, judges_promises=False)
LONG = Overload("twice the capacity for 60 s", 2, 60, finding=10, most_seconds_to_answer=10, judges_promises=True)


def play(overload: Overload, folder: Path) -> dict[str, Any]:
    """Start a run, send the overload, and judge it: what `bench_path --overload` reports, and `complaints`.

    Raises:
        RuntimeError: it could not be measured.
    """
    settings = {
        "SCORING_BATCH_SIZE": _SMALL_BATCH,
        "MOST_SECONDS_TO_ANSWER": str(overload.most_seconds_to_answer),
        "VISITOR_RATE": "0/m",
        "USER_RATE": "0/m",
    }
    with running_stack(folder, env=settings) as stack:
        with _held_back(stack):
            measured = stack.manage(
                *("bench_path", "--url", stack.base_url, "--json", "--overload", str(overload.times)),
                *("--seconds", str(overload.seconds), "--warm-up", str(overload.finding)),
                seconds=4 * (overload.seconds + overload.finding) + 60,
            )
        if measured.returncode:
            raise RuntimeError(f"the overload could not be measured: {measured.stderr}")
        report = json.loads(measured.stdout.splitlines()[-1])
        ledger = json.loads(stack.manage("show_ledger", "--json").stdout)
    return {
        **report,
        "name": overload.name,
        "machine": machine(),
        "complaints": _complaints(overload, report, ledger),
    }


def not_played(overload: Overload, problem: str) -> dict[str, Any]:
    """What stands for a report where there is none."""
    return {"name": overload.name, "machine": machine(), "complaints": [f"not played: {problem}"]}


def _complaints(overload: Overload, report: dict[str, Any], ledger: dict[str, Any]) -> list[str]:
    """Every promise that was broken, in words."""
    broken = [
        f"{report[name]} of the accepted were {words}"
        for name, words in (("failed", "given up"), ("lost", "lost"), ("doubled", "answered twice"))
        if report[name]
    ]
    if report["answered"] != report["accepted"] or not report["accepted"]:
        broken.append(f"{report['answered']} of {report['accepted']} accepted were answered")
    if report["unanswered_posts"]:
        broken.append(f"{report['unanswered_posts']} were neither accepted nor told when to come again")
    if not report["refused"]:
        broken.append("nobody was refused")
    if (report["max"] or 0) > DEADLINE_SECONDS:
        broken.append(f"an answer took {report['max']:.1f} s, longer than the deadline")
    if overload.judges_promises:
        error = report["retry_after_error"]
        if error is None:
            broken.append("nobody was admitted after a refusal: nothing is known of Retry-After")
        elif error > _MOST_ERROR:
            broken.append(f"Retry-After was wrong by {error:.0%}, more than {_MOST_ERROR:.0%}")
    if any(ledger[name] for name in ("difference", "in_flight", "failed")):
        broken.append(f"the ledger does not close: {ledger}")
    return broken


@contextmanager
def _held_back(stack: RunningStack) -> Iterator[None]:
    """The worker's pool gets a quarter of the time while the block lasts."""
    over = threading.Event()

    def hold() -> None:
        parent = psutil.Process(stack.processes()["worker"])
        while not over.is_set():
            pool = parent.children()
            _signal(pool, signal.SIGSTOP)
            over.wait(_STOPPED)
            _signal(pool, signal.SIGCONT)
            over.wait(_RUNNING)

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
