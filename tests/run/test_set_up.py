"""`requirements/install.py`, which runs before anything is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from housevalue.embedded import kafka_jars
from tests.stack import ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with nothing but the requirements."""
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    return tmp_path


def install(project: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "requirements/install.py", "runtime"],
        cwd=project,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_way_to_the_internet_is_one_line(project: Path) -> None:
    done = install(project, PIP_INDEX_URL="http://127.0.0.1:1/", PIP_FIND_LINKS="", PIP_NO_CACHE_DIR="1")
    assert done.returncode != 0
    assert "Is there a way to the internet" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_is_installed_is_not_installed_again(project: Path) -> None:
    (project / "requirements" / "runtime.txt").write_text("")
    first, second = install(project), install(project)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert "0 packages installed" in first.stdout
    assert second.stdout == ""


def test_changed_requirements_are_installed(project: Path) -> None:
    (project / "requirements" / "runtime.txt").write_text("")
    install(project)
    (project / "requirements" / "runtime.txt").write_text("# changed\n")
    assert "0 packages installed" in install(project).stdout


def test_an_old_python_is_one_line(project: Path) -> None:
    old = "import runpy, sys; sys.version_info = (3, 9, 2); sys.argv = ['install.py', 'runtime']; "
    old += "runpy.run_path('requirements/install.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", old], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Python 3.11 or newer is needed")
    assert len(done.stderr.splitlines()) == 1


def test_jars_that_cannot_be_fetched_are_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_jars, "jars_home", lambda: tmp_path / "kafka")
    for variable in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    with pytest.raises(kafka_jars.JarsUnavailable, match="Apache Kafka"):
        kafka_jars.install()
    assert not (tmp_path / "kafka").exists()


def test_every_target_of_make_is_in_its_help() -> None:
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("run", "test", "check", "requirements", "bench", "clean"):
        assert f"make {target} " in told
