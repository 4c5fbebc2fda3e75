"""A wire between two processes that a test can cut: a TCP proxy of its own, on a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from housevalue.embedded.ports import spare_port

_PIECE = 65_536


class Wire:
    """Leads `port` to `target`. `cut` holds every byte back, as a cable that is out; `mend` lets all of them go on."""

    def __init__(self, *, target: int):
        self.port = spare_port()
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._is_whole = asyncio.Event()
        self._is_whole.set()
        self._links: set[asyncio.Task] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"wire to {target}", daemon=True)

    def cut(self) -> None:
        self._loop.call_soon_threadsafe(self._is_whole.clear)

    def mend(self) -> None:
        self._loop.call_soon_threadsafe(self._is_whole.set)

    def drop(self) -> None:
        """Reset every connection at one moment; new ones are led through."""
        self._loop.call_soon_threadsafe(self._drop)

    def _drop(self) -> None:
        for link in self._links:
            link.cancel()

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._lead, "127.0.0.1", self.port, backlog=1024)

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.current_task()
        assert link is not None
        self._links.add(link)
        far_writer = None
        try:
            # A connection that is asked for while the wire is cut comes about when it is mended.
            await self._is_whole.wait()
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, far_writer))
                both.create_task(self._pump(far_reader, writer))
        except* (OSError, _Ended, asyncio.CancelledError):
            pass
        finally:
            self._links.discard(link)
            for end in (writer, far_writer):
                if end is not None:
                    end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(_PIECE):
            await self._is_whole.wait()
            writer.write(piece)
            await writer.drain()
        await self._is_whole.wait()
        raise _Ended

    async def _stop(self) -> None:
        self._server.close()
        self._drop()
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                while self._links:
                    await asyncio.sleep(0.01)


class _Ended(Exception):
    """One end has closed: the other one is closed too."""


@contextmanager
def wire_to(target: int) -> Iterator[Wire]:
    """A wire to a port of the loopback interface; nothing of it is left at the end of the block."""
    wire = Wire(target=target)
    wire._thread.start()
    try:
        asyncio.run_coroutine_threadsafe(wire._start(), wire._loop).result(10)
        yield wire
    finally:
        asyncio.run_coroutine_threadsafe(wire._stop(), wire._loop).result(10)
        wire._loop.call_soon_threadsafe(wire._loop.stop)
        wire._thread.join(5)
        wire._loop.close()
