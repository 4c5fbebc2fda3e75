"""How the engine is built: once for its sources, with a Go that is new enough, or one line says what to do."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from tests.redpanda.connect.pipelines import CONNECT


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`build.py`, with a copy of the sources and a cache of its own, on a machine without Go."""
    spec = importlib.util.spec_from_file_location("connect_build", CONNECT / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ENGINE", Path(shutil.copytree(CONNECT / "engine", tmp_path / "engine")))
    monkeypatch.setattr(module, "USUAL_PLACES", ())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return module


def put_go(tmp_path: Path, version: str) -> None:
    """A program that calls itself Go and can do nothing but say its version."""
    program = tmp_path / "bin" / "go"
    program.parent.mkdir(exist_ok=True)
    program.write_text(
        f'#!/bin/sh\n[ "$1" = version ] && echo "go version go{version} linux/amd64" && exit\necho no >&2; exit 1\n'
    )
    program.chmod(0o755)


def test_what_is_built_already_needs_no_go(build: ModuleType):
    program = build.program_path()
    program.parent.mkdir(parents=True)
    program.touch()
    assert build.build() == program


def test_other_sources_are_another_program_and_other_tests_are_not(build: ModuleType):
    before = build.program_path()
    (build.ENGINE / "config_test.go").write_text("package main\n")
    assert build.program_path() == before
    (build.ENGINE / "main.go").write_text("package main\n")
    assert build.program_path() != before


@pytest.mark.parametrize("version", [None, "1.22.1", "1.26.5"])
def test_without_a_go_that_is_new_enough_the_one_line_says_how_to_get_it(build: ModuleType, tmp_path: Path, version):
    if version:
        put_go(tmp_path, version)
    with pytest.raises(build.CannotBuild, match=r"^Go 1\.26\.6 or newer is not found: `make connect` installs it"):
        build.build()


@pytest.mark.parametrize("version", ["1.26.6", "1.26.10", "1.30"])
def test_a_go_that_is_new_enough_is_taken(build: ModuleType, tmp_path: Path, version: str):
    put_go(tmp_path, version)
    assert build.find_go() == tmp_path / "bin" / "go"


def test_what_go_says_is_told_and_nothing_unfinished_is_left_as_the_program(build: ModuleType, tmp_path: Path):
    put_go(tmp_path, "1.30")
    with pytest.raises(build.CannotBuild, match="Go can't build the engine:\nno"):
        build.build()
    assert not build.program_path().exists()


def test_go_is_installed_only_where_that_is_asked_for(build: ModuleType, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(build, "install_go", lambda: put_go(tmp_path, "1.22.0"))
    with pytest.raises(build.CannotBuild, match="is not found"):
        build.build(may_install_go=True)
    assert (tmp_path / "bin" / "go").exists()
