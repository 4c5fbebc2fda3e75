"""More questions than can be answered: what becomes of those that were accepted, and whether the refusals say true.

First the capacity is found by askers who each wait for the door and ask again, then the multiple of it is sent as an
open-loop load: a question is due whether or not earlier ones were answered.
"""

import asyncio
import json
import os
import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import count

import aiohttp
import numpy as np

from streaming.bench import Listener, all_pushed, listening

_ASKERS = 40
_PATIENCE = aiohttp.ClientTimeout(total=60)


@dataclass
class OverloadReport:
    """One overload; times in seconds, rates a second."""

    capacity: float
    """Answers a second while as many asked as could."""
    sent: float
    """Questions a second in the overload."""
    accepted: int
    answered: int
    failed: int
    """Accepted, and their owners were told at the deadline that there is no answer yet."""
    lost: int
    doubled: int
    refused: int
    """With 429 and Retry-After."""
    unanswered_posts: int
    """Neither accepted nor refused properly: another status, a broken connection, no response in a minute."""
    rate: float
    """Answers a second while it lasted."""
    p50: float | None
    p99: float | None
    max: float | None
    """From the moment a question was due to the push of its answer."""
    retry_after: float | None
    """What the refusals said, on average."""
    retry_after_error: float | None
    """Mean distance of that from when a question was next admitted, relative to the mean of the latter."""
    load_average: tuple[float, float, float] = field(default_factory=os.getloadavg)

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    def as_text(self) -> str:
        lines = [f"{name.replace('_', ' ')}: {_figure(value)}" for name, value in asdict(self).items()]
        return "\n".join([*lines, f"cores: {os.cpu_count()}"])


@dataclass
class _Load:
    """What came of the questions of one phase; moments of `time.perf_counter`."""

    due: dict[str, float] = field(default_factory=dict)
    admitted_at: list[float] = field(default_factory=list)
    """When those questions were sent that were accepted."""
    refusals: list[tuple[float, int]] = field(default_factory=list)
    """When a refusal came, and how many seconds it said."""
    unanswered_posts: int = 0


class _Asker:
    """Asks as the accounts in turn."""

    def __init__(self, session: aiohttp.ClientSession, *, url: str, tokens: Sequence[str], questions: Sequence[dict]):
        self._session, self._url, self._tokens, self._questions = session, url, tokens, questions
        self._numbers = count()

    async def ask(self, load: _Load, due_at: float) -> bool:
        """Ask the next question and note in `load` what came of it; whether it was accepted."""
        number = next(self._numbers)
        headers = {"Authorization": f"Token {self._tokens[number % len(self._tokens)]}"}
        question = self._questions[number % len(self._questions)]
        sent_at = time.perf_counter()
        try:
            async with self._session.post(
                f"{self._url}/predict_api", json=question, headers=headers, timeout=_PATIENCE
            ) as response:
                if response.status == 202:
                    load.due[(await response.json())["id"]] = due_at
                    load.admitted_at.append(sent_at)
                elif response.status == 429 and response.headers.get("Retry-After", "").isdigit():
                    load.refusals.append((time.perf_counter(), int(response.headers["Retry-After"])))
                else:
                    load.unanswered_posts += 1
                return response.status == 202
        except (OSError, TimeoutError, aiohttp.ClientError):
            load.unanswered_posts += 1
            return False


async def overload(
    *, url: str, tokens: Sequence[str], questions: Sequence[dict], times: float, seconds: float, finding: float
) -> OverloadReport:
    """Find the capacity in `finding` seconds, then send `times` as many questions for `seconds`."""
    async with listening(url, tokens) as (session, listeners):
        asker = _Asker(session, url=url, tokens=tokens, questions=questions)
        capacity = await _capacity(asker, listeners, finding)
        load, rate = _Load(), times * capacity
        started = time.perf_counter()
        async with asyncio.TaskGroup() as asking:
            for number in range(int(rate * seconds)):
                due_at = started + number / rate
                await asyncio.sleep(max(0.0, due_at - time.perf_counter()))
                asking.create_task(asker.ask(load, due_at))
            ended = time.perf_counter()
        await all_pushed(listeners, load.due.keys())
    return _report(load, listeners, capacity=capacity, sent=rate, started=started, ended=ended)


async def _capacity(asker: _Asker, listeners: Sequence[Listener], seconds: float) -> float:
    """Answers a second from the first one on; returns when all that was asked is answered.

    Raises:
        TimeoutError: there were none.
    """
    load = _Load()
    end = time.perf_counter() + seconds

    async def ask_on() -> None:
        while time.perf_counter() < end:
            if not await asker.ask(load, time.perf_counter()):
                await asyncio.sleep(0.5)

    async with asyncio.TaskGroup() as asking:
        for _ in range(_ASKERS):
            asking.create_task(ask_on())
    await all_pushed(listeners, load.due.keys())
    answered_at = sorted(at for listener in listeners for at in listener.pushed_at.values())
    for listener in listeners:
        listener.forget()
    if len(answered_at) < 2:
        raise TimeoutError("hardly anything was answered")
    return (len(answered_at) - 1) / (answered_at[-1] - answered_at[0])


def _report(
    load: _Load, listeners: Sequence[Listener], *, capacity: float, sent: float, started: float, ended: float
) -> OverloadReport:
    pushed_at = {prediction: at for listener in listeners for prediction, at in listener.pushed_at.items()}
    failed = {prediction for listener in listeners for prediction in listener.failed} & load.due.keys()
    waits = [pushed_at[prediction] - due_at for prediction, due_at in load.due.items() if prediction in pushed_at]
    p50, p99 = np.percentile(waits, [50, 99]) if waits else (None, None)
    said, error = retry_after_error(load.refusals, load.admitted_at)
    return OverloadReport(
        capacity=capacity,
        sent=sent,
        accepted=len(load.due),
        answered=len(waits) - len(failed),
        failed=len(failed),
        lost=len(load.due) - len(waits),
        doubled=sum(times - 1 for listener in listeners for times in listener.pushes.values()),
        refused=len(load.refusals),
        unanswered_posts=load.unanswered_posts,
        rate=sum(started <= at <= ended for at in pushed_at.values()) / (ended - started),
        p50=p50,
        p99=p99,
        max=max(waits, default=None),
        retry_after=said,
        retry_after_error=error,
    )


def retry_after_error(
    refusals: Sequence[tuple[float, int]], admitted_at: Sequence[float]
) -> tuple[float | None, float | None]:
    """Mean of what refusals said, and its mean distance from the truth relative to the mean truth.

    The truth of a refusal is the time from it to the next moment at which a question was sent that was accepted;
    refusals after the last such moment have none.
    """
    moments = sorted(admitted_at)
    known = [(at, said) for at, said in refusals if moments and at <= moments[-1]]
    if not known:
        return None, None
    truths = np.array([moments[bisect_left(moments, at)] - at for at, _ in known])
    said = np.array([seconds for _, seconds in known], dtype=float)
    mean = truths.mean()
    return float(said.mean()), float(np.abs(said - truths).mean() / mean) if mean else None


def _figure(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(f"{one:.2f}" for one in value)
    return f"{value:.2f}" if isinstance(value, float) else str(value)
