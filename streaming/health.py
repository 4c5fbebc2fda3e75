"""Ready signs of the long-running commands: a file each under `var/ready/`, there while the command is at work.

A part that goes away meanwhile takes no sign along: the command waits for it (`streaming.loop`).
"""

from pathlib import Path

from django.conf import settings


def ready_file(name: str) -> Path:
    return settings.VAR_DIR / "ready" / name


def mark_ready(name: str) -> None:
    """Say that the command `name` begins to work.

    The loops say so when they have made their clients, which connect by and by; the transforms when the broker has
    given them their partitions; the worker when Celery takes batches from Redis.
    """
    path = ready_file(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def mark_gone(name: str) -> None:
    ready_file(name).unlink(missing_ok=True)
