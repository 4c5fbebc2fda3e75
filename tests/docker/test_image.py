"""The Dockerfile, by rules that a linter would have, and its steps as far as they run without an engine."""

import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.docker.paths import DOCKER, ROOT

DOCKERFILE = DOCKER / "Dockerfile"
MEBIBYTE = 1 << 20


def read_instructions() -> list[tuple[str, str]]:
    """(instruction, arguments), continued lines joined, comments dropped."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(" ", 1)) for line in joined.splitlines() if line.strip()]


INSTRUCTIONS = read_instructions()


def arguments_of(instruction: str) -> list[str]:
    return [arguments for name, arguments in INSTRUCTIONS if name == instruction]


# -- rules ---------------------------------------------------------------------------------------------------------
def test_the_base_image_is_pinned_to_a_full_version():
    assert arguments_of("ARG") == ["PYTHON_IMAGE=python:3.11.14-slim-bookworm"]
    assert {arguments.split()[0] for arguments in arguments_of("FROM")} == {"${PYTHON_IMAGE}"}


def test_packages_are_installed_by_hash_and_never_compiled():
    [install] = [step for step in arguments_of("RUN") if " pip install" in step or "/pip install" in step]
    assert "--require-hashes" in install
    assert "--only-binary :all:" in install


def test_the_last_user_is_a_number_and_not_root():
    assert arguments_of("USER")[-1] == "10001:10001"


def test_no_secret_no_shell_form_command_and_no_add():
    assert not arguments_of("ADD")
    assert all(command.startswith("[") for command in arguments_of("CMD") + arguments_of("ENTRYPOINT"))
    assert not re.search(r"SECRET_KEY|PASSWORD|TOKEN", DOCKERFILE.read_text())


def test_no_sudo_no_apt_and_no_download_by_hand():
    assert not re.search(r"\b(sudo|apt-get|curl|wget)\b", " ".join(arguments_of("RUN")))


def test_several_stages_and_the_last_takes_only_the_environment_of_the_first():
    assert len(arguments_of("FROM")) == 2
    assert [copied for copied in arguments_of("COPY") if "--from" in copied] == ["--from=packages /opt/venv /opt/venv"]


# -- steps ---------------------------------------------------------------------------------------------------------
def is_copied(path: Path) -> bool:
    """Whether `COPY . .` takes the file, by the rules of Dockerfile.dockerignore: the last one that fits decides."""
    is_ignored = False
    for rule in (DOCKER / "Dockerfile.dockerignore").read_text().splitlines():
        if not rule or rule.startswith("#"):
            continue
        pattern = rule.removeprefix("!")
        parts = path.parts
        starts = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
        candidates = [*starts, *parts] if pattern.startswith("**/") else starts
        pattern = pattern.removeprefix("**/")
        if any(start.count("/") == pattern.count("/") and fnmatch(start, pattern) for start in candidates):
            is_ignored = not rule.startswith("!")
    return not is_ignored


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `COPY . .` leaves in /app."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    copied = [Path(name) for name in listed.stdout.split("\0") if name and is_copied(Path(name))]
    target = tmp_path_factory.mktemp("app")
    for path in copied:
        if (ROOT / path).exists():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, target / path)
    return target


def manage(app: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=app,
        env={"PATH": "/usr/bin:/bin", "VAR_DIR": str(app.with_name("var")), "PYTHONDONTWRITEBYTECODE": "1"}
        | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_image_holds_the_application_and_nothing_else(app: Path):
    names = {path.name for path in app.iterdir()}
    assert names == {
        *("manage.py", "housevalue", "mlmodel", "predictions", "streaming", "static", "templates"),
        *("redpanda", "docker", "requirements"),
    }
    assert [path.name for path in (app / "docker").iterdir()] == ["answers_http.py"]
    assert not list(app.rglob("*.rs"))
    assert sum(path.stat().st_size for path in app.rglob("*") if path.is_file()) < 30 * MEBIBYTE


def test_static_files_can_be_collected_in_the_image(app: Path, tmp_path: Path):
    [step] = [step for step in arguments_of("RUN") if "collectstatic" in step]
    # Compressing them takes half a minute; that they are found is what the image may break.
    arguments = [*step.split("manage.py ")[1].split(), "--dry-run", "--verbosity", "1"]
    done = manage(app, *arguments, STATIC_ROOT=str(tmp_path / "static"))
    assert "static files copied" in done.stdout, done.stderr
    assert "css/site.css" in done.stdout


def test_the_transforms_can_be_deployed_from_the_image(app: Path):
    done = manage(app, "deploy_transforms", "--check")
    assert done.stdout.count("starts within Redpanda's limits") == 2, done.stderr


def test_every_command_of_the_path_can_be_loaded_from_the_image(app: Path):
    commands = ["publish_predictions", "score_predictions", "deliver_results", "create_topics", "register_models"]
    code = (
        "import django; django.setup();"
        "from django.core.management import get_commands, load_command_class;"
        f"[load_command_class(get_commands()[name], name) for name in {commands}];"
        "import housevalue.asgi, housevalue.celery, streaming.tasks"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=app,
        env={"PATH": "", "DJANGO_SETTINGS_MODULE": "housevalue.settings", "VAR_DIR": str(app.with_name("var"))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
