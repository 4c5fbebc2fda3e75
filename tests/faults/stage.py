"""Where cases are played: one real run for many of them, made anew after one that broke a promise."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from housevalue.supervision.programs import answers_http
from tests.faults.books import Books, open_books
from tests.faults.crowd import Crowd
from tests.faults.faults import Fault
from tests.faults.loads import Load
from tests.faults.verdict import Verdict, judge
from tests.stack import RunningStack, running_stack, wait_until

PROGRAMS = ("kafka", "valkey", "deliverer", "transforms", "worker", "scorer", "publisher", "web")
# Faults are to meet the whole load: nobody is refused for asking often, nor for a line that ends before the deadline.
ENVIRONMENT = {"VISITOR_RATE": "0/m", "USER_RATE": "0/m", "MOST_SECONDS_TO_ANSWER": "29"}
_CROWD = 10
# supervisord takes a program that ends sooner for one that does not start.
_STEADY_SECONDS = 10.5
_CALM_SECONDS = 90.0
_SETTLE_SECONDS = 90.0


@dataclass(frozen=True)
class Case:
    """One cell of the matrix."""

    target: str
    """What is struck: a program's name as a reader of the report knows it."""
    fault: Fault
    load: Load
    within: float | None = None
    """In so many seconds answers must come again."""
    from_start: bool = False
    """Whether `within` counts from the fault's start: others take over while it lasts."""
    most_refused: float = 1.0
    """Of all questions at most this part may be refused or cut off: less where there is another door to try."""

    @property
    def name(self) -> str:
        return f"{self.target}, {self.fault.name}, {self.load.name}"


@dataclass(frozen=True)
class Scene:
    """A kind of run and the cases that are played on it. `start` gets an empty folder of its own."""

    name: str
    start: Callable[[Path], AbstractContextManager[RunningStack]]
    cases: list[Case]
    programs: tuple[str, ...] = PROGRAMS
    """Names under supervision that must run before a case."""


def one_machine(var_dir: Path) -> AbstractContextManager[RunningStack]:
    """What `make run` starts."""
    return running_stack(var_dir, env=ENVIRONMENT)


@dataclass
class Stage:
    """Keeps a run up from case to case. `folder` holds the state folder of each run; those that failed stay."""

    scene: Scene
    folder: Path
    runs: int = 0
    _open: ExitStack = field(default_factory=ExitStack)
    _run: tuple[RunningStack, Books] | None = None

    def play(self, case: Case) -> Verdict:
        """Start a run if there is none, wait until it is calm, and play the case on it.

        Raises:
            TimeoutError: the run does not become calm, or is not answered before the fault.
        """
        with self.calm() as (stack, books):
            verdict = play(case, stack, books)
        if verdict.broken:
            self.close()
        return verdict

    @contextmanager
    def calm(self) -> Iterator[tuple[RunningStack, Books]]:
        """A run at rest, and its books; it is not used again after a block that fails.

        Raises:
            TimeoutError: the run does not become calm.
        """
        try:
            stack, books = self._run or self._start()
            self.wait_calm(stack, books)
            yield stack, books
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._run = None
        self._open.close()

    def wait_calm(self, stack: RunningStack, books: Books) -> None:
        """Every program runs and has for a while, every part answers, nothing is in flight."""
        wait_until(lambda: _are_steady(stack, self.scene.programs), _CALM_SECONDS, "every program to run")
        wait_until(lambda: answers_http(stack.port, "/readyz"), _CALM_SECONDS, "every part to answer")
        wait_until(lambda: not unrest(books.ledger()), _CALM_SECONDS, "nothing to be in flight")

    def _start(self) -> tuple[RunningStack, Books]:
        self.runs += 1
        stack = self._open.enter_context(self.scene.start(self.folder / f"run-{self.runs}"))
        self._run = stack, self._open.enter_context(open_books(stack))
        return self._run


def play(case: Case, stack: RunningStack, books: Books) -> Verdict:
    """Gather a crowd of new accounts, have it ask, strike, wait until all is settled, and judge."""
    with Crowd(stack.base_url, books.make_accounts(_CROWD), second_url=stack.second_url) as crowd:
        crowd.ask_each()
        wait_until(lambda: crowd.events == _CROWD, 60, "each of the crowd to be answered before the fault")
        case.load.before(crowd, books)
        struck_at = time.monotonic()
        with case.fault.strike(stack):
            case.load.at_strike(crowd)
            time.sleep(case.fault.seconds)
        over_at = time.monotonic()
        case.load.after(crowd, over_at)
        restless = wait_settled(crowd, books)
        return judge(
            crowd.clients,
            books.records(crowd.accounts),
            struck_at=struck_at,
            over_at=struck_at if case.from_start else over_at,
            within=case.within,
            restless=restless,
            most_refused=case.most_refused,
        )


def wait_settled(crowd: Crowd, books: Books, seconds: float = _SETTLE_SECONDS) -> str:
    """Wait until nothing is asked, on its way, or stored and not heard; what still is when the time is over, or ""."""
    left = ""

    def is_settled() -> bool:
        nonlocal left
        left = _left(crowd, books)
        return not left

    try:
        wait_until(is_settled, seconds, "all to be settled")
    except TimeoutError:
        crowd.stop_asking()
    return left


def _left(crowd: Crowd, books: Books) -> str:
    if crowd.is_asking:
        return "questions are on the way to the door"
    progress = books.progress(crowd.accounts)
    if progress["open"]:
        return f"{progress['open']} questions have no end"
    if progress["events"] != crowd.events:
        return f"{progress['events']} ends are stored, {crowd.events} were heard"
    return unrest(books.ledger())


def unrest(ledger: dict[str, Any]) -> str:
    """What may still be answered a second time: what is in flight or waits on a topic; "" where nothing does."""
    lags = {f"{topic['topic']} for {topic['group']}": topic["lag"] for topic in ledger["topics"] if topic["lag"]}
    left = {name: ledger[name] for name in ("in_flight", "in_outbox", "broker_problem") if ledger[name]} | lags
    return ", ".join(f"{name}: {value}" for name, value in left.items())


def _are_steady(stack: RunningStack, programs: Iterable[str]) -> bool:
    running = stack.processes()
    return all(name in running and _age(running[name]) > _STEADY_SECONDS for name in programs)


def _age(pid: int) -> float:
    try:
        return time.time() - psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return 0.0


def machine() -> dict[str, Any]:
    """Cores, GiB of memory and load average: what figures of this machine are to be read by."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "load": [round(load, 1) for load in os.getloadavg()],
    }
