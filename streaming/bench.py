"""Load on the whole path, from the question to the WebSocket message that answers it.

The load is open-loop: question i is due at start + i / rate whether or not earlier ones were answered, and its latency
counts from that moment, so a stall is seen by every question that fell into it (no coordinated omission).
"""

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import aiohttp
import numpy as np

ANSWER_SECONDS = 60.0


@dataclass
class Report:
    """One measurement; latencies in milliseconds, `rate` in predictions a second."""

    what: str
    accepted: int
    answered: int
    refused: int
    lost: int
    doubled: int
    seconds: float
    rate: float
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None
    load_average: tuple[float, float, float] = field(default_factory=os.getloadavg)

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    def as_text(self) -> str:
        milliseconds = "  ".join(
            f"{name} {value:.1f} ms"
            for name in ("p50", "p95", "p99", "max")
            if (value := getattr(self, name)) is not None
        )
        return (
            f"{self.what}: accepted {self.accepted}, answered {self.answered}, refused {self.refused},"
            f" lost {self.lost}, doubled {self.doubled}\n"
            f"{self.rate:.0f} predictions/s over {self.seconds:.1f} s; {milliseconds}\n"
            f"load average {' '.join(f'{load:.2f}' for load in self.load_average)}, {os.cpu_count()} cores"
        )


class Listener:
    """A WebSocket on one account's feed that notes when which prediction was pushed, and how often."""

    def __init__(self, session: aiohttp.ClientSession, *, url: str, token: str):
        self._session = session
        self._url = url.replace("http", "ws", 1) + "/ws/predictions/"
        self._headers = {"Authorization": f"Token {token}"}
        self.pushed_at: dict[str, float] = {}
        self.pushes: Counter[str] = Counter()
        self.failed: set[str] = set()

    def forget(self) -> None:
        """All that was pushed until now."""
        self.pushed_at.clear()
        self.pushes.clear()
        self.failed.clear()

    async def listen(self, ready: asyncio.Event) -> None:
        async with self._session.ws_connect(self._url, headers=self._headers, max_msg_size=0) as socket:
            async for message in socket:
                now = time.perf_counter()
                event = json.loads(message.data)
                if event["type"] == "ready":
                    ready.set()
                    continue
                prediction = event["prediction"]["id"]
                self.pushed_at.setdefault(prediction, now)
                self.pushes[prediction] += 1
                if event["type"] == "failed":
                    self.failed.add(prediction)


async def steady(*, url: str, tokens: Sequence[str], questions: Sequence[dict], rate: float, seconds: float) -> Report:
    """`rate` questions a second for `seconds`, over one account and connection per token."""
    due: dict[str, float] = {}
    refused = 0
    async with listening(url, tokens) as (session, listeners):

        async def ask(number: int, at: float) -> None:
            nonlocal refused
            headers = {"Authorization": f"Token {tokens[number % len(tokens)]}"}
            question = questions[number % len(questions)]
            async with session.post(f"{url}/predict_api", json=question, headers=headers) as response:
                if response.status == 202:
                    due[(await response.json())["id"]] = at
                else:
                    refused += 1

        started = time.perf_counter()
        async with asyncio.TaskGroup() as asking:
            for number in range(int(rate * seconds)):
                at = started + number / rate
                await asyncio.sleep(max(0.0, at - time.perf_counter()))
                asking.create_task(ask(number, at))
        await all_pushed(listeners, due.keys())
    return _report(f"{rate:g}/s for {seconds:g} s", due, listeners, refused=refused, started=started)


async def bulk(*, url: str, tokens: Sequence[str], insert) -> Report:
    """Rows inserted at once by `insert()` (returns their ids), timed until the last is answered and pushed."""
    async with listening(url, tokens) as (_, listeners):
        ids = await asyncio.to_thread(insert)
        inserted = time.perf_counter()
        await all_pushed(listeners, ids)
    return _report(f"bulk of {len(ids)}", dict.fromkeys(ids, inserted), listeners, refused=0, started=inserted)


class listening:
    """A session and a listener per token, all of them connected."""

    def __init__(self, url: str, tokens: Sequence[str]):
        self._url, self._tokens = url, tokens

    async def __aenter__(self) -> tuple[aiohttp.ClientSession, list[Listener]]:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        listeners = [Listener(self._session, url=self._url, token=token) for token in self._tokens]
        ready = [asyncio.Event() for _ in listeners]
        self._tasks = [
            asyncio.create_task(listener.listen(event)) for listener, event in zip(listeners, ready, strict=True)
        ]
        async with asyncio.timeout(15):
            await asyncio.gather(*(event.wait() for event in ready))
        return self._session, listeners

    async def __aexit__(self, *_) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()


async def all_pushed(listeners: Sequence[Listener], wanted) -> None:
    """Wait until every one of `wanted` was pushed, or none was for ANSWER_SECONDS."""
    seen, progress_at = -1, time.perf_counter()
    while True:
        now_seen = sum(len(listener.pushed_at) for listener in listeners)
        if now_seen != seen:
            seen, progress_at = now_seen, time.perf_counter()
        if seen >= len(wanted) or time.perf_counter() - progress_at > ANSWER_SECONDS:
            return
        await asyncio.sleep(0.05)


def _report(what: str, due: dict[str, float], listeners: Sequence[Listener], *, refused: int, started: float) -> Report:
    pushed_at: dict[str, float] = {}
    doubled = 0
    for listener in listeners:
        pushed_at |= listener.pushed_at
        doubled += sum(times - 1 for times in listener.pushes.values())
    answered = {prediction: pushed_at[prediction] for prediction in due if prediction in pushed_at}
    latencies = np.array([(at - due[prediction]) * 1000 for prediction, at in answered.items()])
    p50, p95, p99 = np.percentile(latencies, [50, 95, 99]) if len(latencies) else (None, None, None)
    seconds = max(answered.values(), default=started) - started
    return Report(
        what=what,
        accepted=len(due),
        answered=len(answered),
        refused=refused,
        lost=len(due) - len(answered),
        doubled=doubled,
        seconds=seconds,
        rate=len(answered) / seconds if seconds else 0.0,
        p50=p50,
        p95=p95,
        p99=p99,
        max=latencies.max() if len(latencies) else None,
    )
