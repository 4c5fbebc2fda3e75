"""What stands before Django where questions come in: it counts who is inside and refuses while the door is closed.

A refusal that goes through Django's chain costs half of what an accepted question does, one from here a sixteenth.
Were it dear, a rush would leave the process no time for those whom it lets in.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from predictions.admission import MEASURED_FOR_SECONDS, LineFull, admission
from predictions.idempotency import KEY_HEADER
from predictions.problems import asking_problem

LET_IN = "house value: let in"
"""Member of the scope of a request that was not refused here and is not to be refused later."""

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
# A retry may be one of what was accepted; to another site's page Django must say that it may read the refusal.
_FOR_DJANGO = {KEY_HEADER.lower().encode(), b"origin"}


class Doorway:
    """ASGI middleware before the addresses in `paths`; `refused` is called for each question that is refused here."""

    def __init__(
        self, application: Callable[..., Awaitable[None]], *, paths: Collection[str], refused: Callable[[], object]
    ):
        self._application = application
        self._paths = paths
        self._refused = refused
        # Not with the line, which whoever polls for an answer has measured as well.
        self._next_lap_at = 0.0

    async def __call__(self, scope: Message, receive: Callable, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in self._paths:
            await self._application(scope, receive, send)
            return
        admission.measure_if_due()
        if (now := time.monotonic()) >= self._next_lap_at:
            self._next_lap_at = now + MEASURED_FOR_SECONDS
            asyncio.get_running_loop().call_soon(_note_lap, now)
        if _FOR_DJANGO.isdisjoint(name for name, _ in scope["headers"]):
            try:
                admission.check()
            except LineFull as error:
                self._refused()
                await _refuse(error, send)
                return
            # Who waits inside is counted as one who will be stored; refused later, the line would run dry.
            scope = {**scope, LET_IN: True}
        with admission.passing():
            await self._application(scope, receive, send)


def _note_lap(begun_at: float) -> None:
    admission.note_lap(time.monotonic() - begun_at)


async def _refuse(error: LineFull, send: Send) -> None:
    response = asking_problem(error)
    headers = [(name.lower().encode(), value.encode()) for name, value in response.items()]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.content})
