"""Ready signs of the long-running commands: a file each under `var/ready/`, there while the command can work."""

from pathlib import Path

from django.conf import settings


def ready_file(name: str) -> Path:
    return settings.VAR_DIR / "ready" / name


def mark_ready(name: str) -> None:
    """Say that the command `name` is connected and consuming (or publishing)."""
    path = ready_file(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def mark_gone(name: str) -> None:
    ready_file(name).unlink(missing_ok=True)
