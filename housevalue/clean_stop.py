"""SIGTERM to the web process: take nothing new, finish what is being answered, then leave.

daphne alone cuts what it is answering: a question is stored, and the one who asked never hears its id. Event streams
and WebSockets end at once, for their clients come back with a cursor, to another process where there is one.
"""

import logging
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

from daphne import server
from twisted.internet.interfaces import IListeningPort

logger = logging.getLogger(__name__)

# Shorter than the patience of whoever sends the signal.
FINISH_SECONDS = 3.0
_LOOK_SECONDS = 0.05

Message = dict[str, Any]
_reactor = cast(Any, server.reactor)


class CleanStop:
    """ASGI middleware. Under another server than daphne it does nothing."""

    def __init__(self, application: Callable[..., Awaitable[None]]):
        self._application = application
        self._answering = 0
        self._deadline = 0.0
        self._is_idle = False
        # After Twisted has set its own handler, which stops at once.
        _reactor.callWhenRunning(signal.signal, signal.SIGTERM, lambda *_: _reactor.callFromThread(self._begin))

    async def __call__(self, scope: Message, receive: Callable, send: Callable[[Message], Awaitable[None]]) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        is_counted = True
        self._answering += 1

        async def noting_streams(message: Message) -> None:
            nonlocal is_counted
            if is_counted and _begins_event_stream(message):
                is_counted = False
                self._answering -= 1
            await send(_last(message) if self._deadline else message)

        try:
            await self._application(scope, receive, noting_streams)
        finally:
            self._answering -= is_counted

    def _begin(self) -> None:
        if self._deadline:
            return
        self._deadline = time.monotonic() + FINISH_SECONDS
        for port in _reactor.getReaders():
            if IListeningPort.providedBy(port):
                port.stopListening()
        self._leave_when_done()

    def _leave_when_done(self) -> None:
        # Twice in a row: what was answered last is still written, and may be followed by another request.
        was_idle, self._is_idle = self._is_idle, not self._answering
        if was_idle and self._is_idle:
            _reactor.stop()
        elif time.monotonic() > self._deadline:
            logger.warning("%d requests are cut: not answered %g s after SIGTERM", self._answering, FINISH_SECONDS)
            _reactor.stop()
        else:
            _reactor.callLater(_LOOK_SECONDS, self._leave_when_done)


def _last(message: Message) -> Message:
    """The message, telling the client to take another connection for its next request."""
    if message["type"] != "http.response.start":
        return message
    return {**message, "headers": [*message.get("headers", []), (b"Connection", b"close")]}


def _begins_event_stream(message: Message) -> bool:
    headers = message.get("headers", []) if message["type"] == "http.response.start" else []
    return any(name.lower() == b"content-type" and value.startswith(b"text/event-stream") for name, value in headers)
