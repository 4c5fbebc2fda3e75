"""A network between a browser and the site that can be cut: a TCP proxy of the test's own."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_CHUNK = 65536


class Wire:
    """Connects whoever comes to `port` with `target` on this machine, while it is whole."""

    def __init__(self, target: int):
        self._target = target
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._listener = _listening(0)
        self.port: int = self._listener.getsockname()[1]
        self._accept()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Reset what is connected, refuse what comes."""
        _close(self._listener)
        with self._lock:
            for connected in self._sockets:
                _close(connected)
            self._sockets.clear()

    def mend(self) -> None:
        self._listener = _listening(self.port)
        self._accept()

    def _accept(self) -> None:
        threading.Thread(target=self._serve, args=[self._listener], daemon=True).start()

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):  # The listener was closed: the wire is cut.
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                with self._lock:
                    self._sockets |= {near, far}
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=[source, sink], daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(_CHUNK):
                sink.sendall(piece)
        for end in (source, sink):
            _close(end)
        with self._lock:
            self._sockets -= {source, sink}


def _listening(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port), backlog=64)


def _close(closing: socket.socket) -> None:
    # shutdown() wakes the thread that waits on it; close() alone does not.
    with suppress(OSError):
        closing.shutdown(socket.SHUT_RDWR)
    closing.close()


@contextmanager
def wire_to(port: int) -> Iterator[Wire]:
    """A whole wire to `port`, cut for good at the end of the block."""
    wire = Wire(port)
    try:
        yield wire
    finally:
        wire.cut()
