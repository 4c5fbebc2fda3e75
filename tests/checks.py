"""What can be said about the code without running it: `python -m tests.checks`."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

BIN = Path(sys.prefix) / "bin"
APPS = ("housevalue", "streaming", "predictions", "mlmodel")
# What a deployment would set, so that `check --deploy` judges the settings and not their absence.
DEPLOYED = {
    "SECRET_KEY": secrets.token_urlsafe(50),
    "ALLOWED_HOSTS": "house.example",
    "HTTPS": "true",
    "DEBUG": "false",
}


@dataclass(frozen=True)
class Check:
    name: str
    command: Sequence[str | Path]
    environment: dict[str, str] = field(default_factory=dict)


def _manage(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "manage.py", *arguments)


CHECKS = (
    Check("types", (BIN / "mypy", *APPS)),
    Check("transforms", (sys.executable, "redpanda/transforms/build.py", "check")),
    Check("format", (BIN / "ruff", "format", "--check", ".")),
    Check("lint", (BIN / "ruff", "check", ".")),
    Check("imports", (BIN / "lint-imports",)),
    Check("templates", (BIN / "djlint", "templates", "--lint", "--check", "--quiet")),
    Check("migrations", _manage("makemigrations", "--check", "--dry-run")),
    Check("deployment", _manage("check", "--deploy", "--fail-level", "WARNING"), DEPLOYED),
)


def run() -> list[str]:
    """Run every check, two at a time; print what failed. The names of those that did."""
    with ThreadPoolExecutor(2) as pool:
        passed = list(pool.map(_passes, CHECKS))
    return [check.name for check, ok in zip(CHECKS, passed, strict=True) if not ok]


def _passes(check: Check) -> bool:
    started = time.monotonic()
    done = subprocess.run(
        check.command,
        env={**os.environ, **check.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    word = "failed" if done.returncode else "ok"
    report = f"  {check.name:12} {time.monotonic() - started:5.1f} s  {word}\n"
    print(report + (done.stdout if done.returncode else ""), end="", flush=True)
    return not done.returncode


if __name__ == "__main__":
    sys.exit(1 if run() else 0)
