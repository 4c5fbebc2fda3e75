"""A crowd of programs: each asks for itself, follows its own feed, and remembers what it was told."""

import asyncio
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp

from mlmodel.dataset import load_housing
from mlmodel.features import FEATURES
from tests.faults.books import Account
from tests.stack import wait_until

_POST_SECONDS = 10.0
_COME_BACK_SECONDS = (0.1, 1.0)
_SETTLED = ("answered", "rejected", "failed")


@dataclass(frozen=True)
class Heard:
    """An event as it arrived; `at` on the clock of `time.monotonic`."""

    cursor: int
    prediction: str
    kind: str
    at: float


@dataclass
class Client:
    """One account, its one connection, and what it remembers."""

    account: Account
    by_stream: bool = False
    """It follows its feed by SSE instead of a WebSocket."""
    accepted: dict[str, float] = field(default_factory=dict)
    """Id of a question that was answered with 202 -> when it was asked."""
    refused: Counter[str] = field(default_factory=Counter)
    """Questions that got another answer than 202, by its status, or none; a row may be there all the same."""
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0
    is_connected: bool = False

    @property
    def cursor(self) -> int:
        return self.heard[-1].cursor if self.heard else 0


class Crowd:
    """Clients that live on a thread of their own, so that the test may block, strike and wait meanwhile.

    A client that loses its connection comes back by itself with jitter and its cursor; it asks nothing again.
    """

    def __init__(self, url: str, accounts: Sequence[Account], *, second_url: str | None = None, streams: int = 0):
        """`second_url`: another web process of the same run, tried when the first does not answer.

        `streams`: so many of the clients follow by SSE.
        """
        self.clients = [Client(account, by_stream=number < streams) for number, account in enumerate(accounts)]
        self._urls = [url, second_url] if second_url else [url]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="crowd", daemon=True)
        self._session: aiohttp.ClientSession
        self._following: list[asyncio.Task] = []
        self._steady: asyncio.Task | None = None
        self._asking: set[asyncio.Task] = set()
        self._asked = 0

    @property
    def accounts(self) -> list[Account]:
        return [client.account for client in self.clients]

    # -- asking ----------------------------------------------------------------------------------------------------
    def ask_each(self) -> None:
        """Each client asks one question, again and again until one was accepted; returns at once."""
        self._do(self._start_asking_each())

    def start_asking(self, rate: float) -> None:
        """`rate` questions a second, whether earlier ones were answered or not, until `stop_asking`."""
        self._steady = self._do(self._start_steady(rate))

    def stop_asking(self) -> None:
        """Begin no more questions; those on the way stay so."""
        if self._steady is not None:
            self._loop.call_soon_threadsafe(self._steady.cancel)
            self._steady = None

    # -- what the crowd knows -----------------------------------------------------------------------------------------
    @property
    def is_asking(self) -> bool:
        """Whether a question is on the way to the door, or will be."""
        return bool(self._asking) or self._steady is not None

    @property
    def events(self) -> int:
        return sum(len(client.heard) for client in self.clients)

    def has_answer_since(self, moment: float) -> bool:
        """Whether a question that was asked after `moment` is answered."""
        return any(
            client.accepted.get(heard.prediction, 0.0) > moment
            for client in self.clients
            for heard in list(client.heard)
            if heard.at > moment
        )

    # -- life ----------------------------------------------------------------------------------------------------------
    def __enter__(self) -> Self:
        """Everybody is connected."""
        self._thread.start()
        self._do(self._start_following())
        wait_until(lambda: all(client.is_connected for client in self.clients), 60, "every client to be connected")
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(15)

    async def _start_following(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=_POST_SECONDS)
        )
        self._following = [asyncio.create_task(self._follow(client)) for client in self.clients]

    async def _stop(self) -> None:
        tasks = [*self._following, *self._asking, *([self._steady] if self._steady else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._session.close()

    async def _follow(self, client: Client) -> None:
        while True:
            try:
                await self._listen(client)
            except (aiohttp.ClientError, OSError, TimeoutError):
                pass
            client.is_connected = False
            await asyncio.sleep(random.uniform(*_COME_BACK_SECONDS))

    async def _listen(self, client: Client) -> None:
        url = self._urls[client.connections % len(self._urls)]
        client.connections += 1
        if client.by_stream:
            await self._listen_to_stream(client, f"{url}/stream?after={client.cursor}")
        else:
            address = f"{url.replace('http', 'ws', 1)}/ws/predictions/?after={client.cursor}"
            async with self._session.ws_connect(address, headers=_headers(client), max_msg_size=0) as socket:
                async for message in socket:
                    _hear(client, json.loads(message.data))

    async def _listen_to_stream(self, client: Client, address: str) -> None:
        endless = aiohttp.ClientTimeout(total=None, sock_connect=_POST_SECONDS)
        async with self._session.get(address, headers=_headers(client), timeout=endless) as response:
            async for line in response.content:
                if line.startswith(b"data: "):
                    _hear(client, json.loads(line.removeprefix(b"data: ")))

    async def _start_steady(self, rate: float) -> asyncio.Task:
        return asyncio.create_task(self._ask_steadily(rate))

    async def _ask_steadily(self, rate: float) -> None:
        started = time.monotonic()
        number = 0
        while True:
            await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
            self._begin(self._ask(self.clients[number % len(self.clients)]))
            number += 1

    async def _start_asking_each(self) -> None:
        for client in self.clients:
            self._begin(self._ask_until_accepted(client))

    def _begin(self, asking: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(asking)
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask_until_accepted(self, client: Client) -> None:
        while not await self._ask(client):
            await asyncio.sleep(random.uniform(*_COME_BACK_SECONDS))

    async def _ask(self, client: Client) -> bool:
        """One POST; whether it was accepted. Without an answer the row alone can tell."""
        house = HOUSES[self._asked % len(HOUSES)]
        self._asked += 1
        asked_at, why = time.monotonic(), ""
        for url in self._urls:
            try:
                async with self._session.post(f"{url}/predict_api", json=house, headers=_headers(client)) as response:
                    if response.status == 202:
                        client.accepted[(await response.json())["id"]] = asked_at
                        return True
                    why = str(response.status)
            except (aiohttp.ClientConnectorError, ConnectionRefusedError):
                why = "no connection"
                continue
            except (aiohttp.ClientError, OSError, TimeoutError):
                why = "no answer"
            break
        client.refused[why] += 1
        return False


def _hear(client: Client, event: dict) -> None:
    if event["type"] == "ready":
        client.is_connected = True
    elif event["type"] in _SETTLED:
        client.heard.append(Heard(event["cursor"], event["prediction"]["id"], event["type"], time.monotonic()))


def _headers(client: Client) -> dict[str, str]:
    return {"Authorization": f"Token {client.account.token}"}


def _houses() -> list[dict]:
    return [dict(zip(FEATURES, map(float, row), strict=True)) for row in load_housing().X[::40]]


HOUSES = _houses()
