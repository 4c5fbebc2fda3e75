"""The programs of one machine: what is started, in which order, and how each says that it is ready."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from django.conf import settings

from housevalue.embedded import EmbeddedServer

# Groups end in reverse order, one after the other. The programs of one group end together, the last one first.
BROKERS, PATH = "brokers", "path"
GROUPS = (BROKERS, PATH)


@dataclass(frozen=True)
class Program:
    """One program under supervision.

    `is_ready` is asked about ten times a second after the start. `stop_seconds` is how long SIGTERM may take.
    `environment` is what it has beside that of the others.
    """

    name: str
    group: str
    command: list[str]
    is_ready: Callable[[], bool]
    stop_seconds: int
    environment: dict[str, str] = field(default_factory=dict)


def broker_programs(servers: Mapping[str, EmbeddedServer]) -> list[Program]:
    """The embedded servers, by program name."""
    return [
        Program(name, BROKERS, server.command(), server.answers, stop_seconds=2) for name, server in servers.items()
    ]


def path_programs(*, port: int, ready_file: Callable[[str], Path], ports: Mapping[str, int]) -> list[Program]:
    """The programs on the path of a prediction, and the web server on `port` that asks for it.

    `ports`: where each of them answers Prometheus (names of `embedded.ports`).
    """

    def program(name: str, command: list[str], is_ready: Callable[[], bool]) -> Program:
        environment = {"METRICS_PORT": str(ports[f"metrics_{name}"])}
        return Program(name, PATH, command, is_ready, stop_seconds=4, environment=environment)

    def consumer(name: str, command: list[str]) -> Program:
        return program(name, command, ready_file(name).exists)

    return [
        consumer("deliverer", _manage("deliver_results")),
        consumer("transforms", _manage("run_transforms")),
        consumer("worker", _celery_worker()),
        consumer("scorer", _manage("score_predictions")),
        consumer("publisher", _manage("publish_predictions")),
        program("web", _daphne(port), lambda: answers_http(port, "/healthz")),
    ]


def answers_http(port: int, path: str) -> bool:
    """Whether a GET to the web server is answered with a 2xx."""
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as response:
            return 200 <= response.status < 300
    except (URLError, OSError):
        return False


def _manage(command: str) -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), command]


def _celery_worker() -> list[str]:
    return [
        *(sys.executable, "-m", "celery", "--app", "housevalue", "worker"),
        *("--pool", "prefork", "--concurrency", "1", "--loglevel", "INFO"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        *("--beat", "--schedule", str(settings.VAR_DIR / "celerybeat-schedule")),
    ]


def _daphne(port: int) -> list[str]:
    # Of daphne's own fifty a rush leaves nothing: who finds no room is tried again by the system, after seconds.
    endpoint = f"tcp:port={port}:interface=127.0.0.1:backlog=1024"
    return [
        *(sys.executable, "-m", "daphne", "--endpoint", endpoint),
        *("--websocket-max-message-size", "65536", "--no-server-name", "--verbosity", "0"),
        "housevalue.asgi:application",
    ]
