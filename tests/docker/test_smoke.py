"""`docker/smoke.sh` without an engine: what it would do. tests/e2e runs its question against a real run."""

import itertools
import os
import re
import shlex
import subprocess

import pytest

from tests.docker.conftest import Load
from tests.docker.paths import COMPOSE, DOCKER, ROOT

SCRIPTS = [DOCKER / "smoke.sh", DOCKER / "make_secrets.sh", DOCKER / "connect" / "start.sh"]


def smoke(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["sh", DOCKER / "smoke.sh", *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def compose_commands(output: str) -> list[list[str]]:
    return [shlex.split(line[2:]) for line in output.splitlines() if line.startswith("+ docker compose")]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_every_script_can_be_run_and_is_plain_sh(path):
    assert os.access(path, os.X_OK)
    assert subprocess.run(["sh", "-n", path], check=False).returncode == 0


def test_a_dry_run_starts_nothing_and_says_so():
    done = smoke("--dry-run")
    assert done.returncode == 0, done.stderr
    assert "dry run: nothing was started or asked" in done.stdout
    assert "the whole path works" not in done.stdout


@pytest.mark.parametrize("arguments", [(), ("--cluster",)])
def test_every_step_is_one_that_the_compose_file_knows(load_compose: Load, arguments: tuple[str, ...]):
    services = load_compose(COMPOSE, COMPOSE_PROFILES="*")["services"]
    commands = compose_commands(smoke("--dry-run", *arguments).stdout)
    assert [next(word for word in command[4:] if word in VERBS) for command in commands] == VERBS
    for command in commands:
        files = [ROOT / after for before, after in itertools.pairwise(command) if before in FILE_OPTIONS]
        assert files, command
        assert all(path.exists() for path in files)
        if "exec" in command or "run" in command:
            [service] = [word for word in command if word in services]
            assert "manage.py" in command[command.index(service) :]


VERBS = ["build", "up", "exec", "run", "down"]
FILE_OPTIONS = ("-f", "--env-file")


def test_a_deployment_beside_it_is_never_touched():
    for command in compose_commands(smoke("--dry-run").stdout):
        assert command[2:4] == ["--project-name", "housevalue-smoke"]
    assert re.search(r"http://localhost:8765/", smoke("--dry-run").stdout)


def test_keep_leaves_it_running():
    assert " down " not in smoke("--dry-run", "--keep").stdout


def test_without_an_engine_one_line_says_what_is_needed(tmp_path):
    for name in ("sh", "dirname", "curl", "sed", "head"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    done = smoke(PATH=str(tmp_path))
    assert done.returncode == 1
    assert "FAILED: Docker Compose 2.24 or newer is needed" in done.stderr


@pytest.mark.parametrize("arguments", [("--ask",), ("--nonsense",)])
def test_wrong_options_are_refused(arguments: tuple[str, ...]):
    done = smoke(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("FAILED: ")


def test_an_address_where_nobody_answers_fails():
    assert smoke("--ask", "http://127.0.0.1:9").returncode != 0
