"""Back-pressure, which daphne lacks: whoever sends waits for a client that reads slowly, and one that does not is cut.

daphne's `send` returns at once and the bytes wait in Twisted's buffer, without bound. Here it returns when that
buffer has room, so a feed is read only as fast as its client reads. A client that reads nothing for SLOW_SECONDS is
told to come back and resume from its cursor: a WebSocket by the close code TOO_SLOW, any other response by its
connection being cut, which an EventSource answers by resuming from its last event id.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from daphne.http_protocol import WebRequest
from daphne.ws_protocol import WebSocketProtocol

logger = logging.getLogger(__name__)

SLOW_SECONDS = 10.0
"""How long a full buffer (64 KiB) may take to empty; a WebSocket has as long again to hear its close code."""
TOO_SLOW = 4408

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]


class BackPressure:
    """ASGI middleware. Under another server than daphne, which brings back-pressure of its own, it does nothing."""

    def __init__(self, application: Callable):
        self._application = application

    async def __call__(self, scope: Message, receive: Callable, send: Send) -> None:
        # daphne gives no other way to its connection, and this one works however daphne is started.
        protocol = next(iter(getattr(send, "args", ())), None)
        if isinstance(protocol, WebSocketProtocol):
            send = _SocketValve(protocol, send)
        elif isinstance(protocol, WebRequest):
            send = _ResponseValve(protocol, send)
        await self._application(scope, receive, send)


class _Valve:
    """A `send` that waits while the client's buffer is full. Twisted pauses and resumes it as a producer of bytes."""

    def __init__(self, send: Send):
        self._send = send
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._is_cut = False

    async def __call__(self, message: Message) -> None:
        await self._send(message)
        if self._has_room.is_set():
            return
        try:
            async with asyncio.timeout(SLOW_SECONDS):
                await self._has_room.wait()
        except TimeoutError:
            await self._end()

    async def _end(self) -> None:
        """Cut the client, once, and hold whoever sends until the server has seen the connection end."""
        if not self._is_cut:
            self._is_cut = True
            logger.warning("a client read nothing for %g s and must resume from its cursor", SLOW_SECONDS)
            self.cut()
        await asyncio.sleep(SLOW_SECONDS)

    def cut(self) -> None:
        raise NotImplementedError

    # -- Twisted's IPushProducer -----------------------------------------------------------------------------------
    def pauseProducing(self) -> None:
        self._has_room.clear()

    def resumeProducing(self) -> None:
        self._has_room.set()

    def stopProducing(self) -> None:
        self._has_room.set()


class _SocketValve(_Valve):
    def __init__(self, protocol: WebSocketProtocol, send: Send):
        super().__init__(send)
        self._protocol = protocol
        # In the place of the HTTP channel that the connection began as.
        protocol.transport.unregisterProducer()
        protocol.transport.registerProducer(self, True)

    def pauseProducing(self) -> None:
        super().pauseProducing()
        # Who does not read is not read either: pings would pile up before their answers.
        if not self._is_cut:
            self._protocol.transport.pauseProducing()

    def resumeProducing(self) -> None:
        super().resumeProducing()
        self._protocol.transport.resumeProducing()

    def cut(self) -> None:
        self._protocol.transport.resumeProducing()
        self._protocol.closeHandshakeTimeout = SLOW_SECONDS
        self._protocol.sendClose(code=TOO_SLOW, reason="too slow: resume from your cursor")


class _ResponseValve(_Valve):
    def __init__(self, request: WebRequest, send: Send):
        super().__init__(send)
        self._request = request
        self._is_registered = False

    async def __call__(self, message: Message) -> None:
        if self._request.channel is not None and self._is_registered != bool(message.get("more_body")):
            self._register(not self._is_registered)
        await super().__call__(message)

    def _register(self, is_streaming: bool) -> None:
        """Only what comes in several parts can wait between them."""
        self._is_registered = is_streaming
        if is_streaming:
            self._request.registerProducer(self, True)
        else:
            self._request.unregisterProducer()

    def cut(self) -> None:
        if self._request.channel is not None:
            self._request.channel.transport.abortConnection()
