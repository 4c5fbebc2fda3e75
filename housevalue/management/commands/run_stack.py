import os
import signal
import sys
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from housevalue.supervision import preflight
from housevalue.supervision.errors import CannotRun, StopAsked
from housevalue.supervision.stack import Stack
from housevalue.supervision.terminal import Terminal


class Command(BaseCommand):
    help = (
        "Start everything on this machine, watch it, and end it on Ctrl-C or SIGTERM. Kafka, Redis and the database "
        "are embedded unless KAFKA_BOOTSTRAP_SERVERS, REDIS_URL or DATABASE_URL name others."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--port", default=os.environ.get("PORT") or "8000", help="port of the web server (PORT, 8000)"
        )
        parser.add_argument(
            "--connect",
            action="store_true",
            default=os.environ.get("CONNECT", "0") not in ("", "0"),
            help="requests go through Redpanda Connect; feed, archive and alerts run too (CONNECT=1)",
        )

    def handle(self, *args: Any, port: str, connect: bool, **options: Any) -> None:
        for stopping in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(stopping, _ask_to_stop)
        terminal = Terminal(sys.stdout)
        try:
            number = preflight.parse_port(port)
            Stack(var_dir=settings.VAR_DIR, port=number, terminal=terminal, with_connect=connect).run()
        except StopAsked:
            self.stdout.write("Stopped.")
        except (CannotRun, OSError) as error:
            self.stderr.write(_one_line(error))
            sys.exit(1)


def _ask_to_stop(number: int, frame: FrameType | None) -> None:
    """Only the first signal counts: the end of a run is in order and takes some seconds."""
    for again in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(again, signal.SIG_IGN)
    raise StopAsked


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"Can't go on: {error.strerror or error}{f' ({error.filename})' if error.filename else ''}."
    return str(error)
