"""What Docker Compose makes of the compose files, by its own loader (compose_loader/), without an engine."""

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.docker.paths import COMPOSE, DOCKER

USUAL_PLACES = (str(Path(sys.prefix) / "bin"), "/usr/local/go/bin", "/usr/lib/go/bin")
LOADER = Path(__file__).with_name("compose_loader")
Load = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def valkey() -> None:
    """These tests need no Redis."""


@pytest.fixture(scope="session")
def load_compose(tmp_path_factory: pytest.TempPathFactory) -> Load:
    """`load_compose(*files, **environment)`: the project as JSON; COMPOSE_PROFILES picks the profiles."""
    go = shutil.which("go", path=os.pathsep.join([os.environ["PATH"], *USUAL_PLACES]))
    if go is None:
        pytest.skip("Go is missing: it builds the loader of Docker Compose")
    loader = tmp_path_factory.mktemp("loader") / "compose_loader"
    subprocess.run([go, "build", "-o", loader, "."], cwd=LOADER, check=True, timeout=170)

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
