"""The committed modules are what their sources say, and the crates' own tests pass."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from streaming.transform_host.deployments import TRANSFORMS
from tests.requisites import has_wasm_target


def without_rust(sources: Path) -> subprocess.CompletedProcess[str]:
    """`build.py check` on a machine that has no Rust."""
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | {"PATH": "/nonexistent"}
    command = [sys.executable, str(sources / "transforms" / "build.py"), "check"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def needs_rust() -> None:
    if not has_wasm_target():
        assert os.environ.get("CI") != "true", "Rust for WebAssembly is missing"
        pytest.skip("Rust for WebAssembly is missing: rustup target add wasm32-wasip1")


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of redpanda/ that a test may damage."""
    ignored = shutil.ignore_patterns("target", "__pycache__")
    return Path(shutil.copytree(TRANSFORMS.parent, tmp_path / "redpanda", ignore=ignored))


def test_sources_modules_and_manifest_agree(sources: Path):
    checked = without_rust(sources)
    assert checked.returncode == 0, checked.stderr
    assert "not rebuilt" in checked.stdout


@pytest.mark.parametrize(
    "path", ["contracts/fields.json", "transforms/prepare-request/src/lib.rs", "transforms/Cargo.lock"]
)
def test_a_changed_source_fails_the_check(sources: Path, path: str):
    (sources / path).write_text((sources / path).read_text() + "\n")
    checked = without_rust(sources)
    assert checked.returncode == 1
    assert "sources changed" in checked.stderr


def test_another_module_fails_the_check(sources: Path):
    (sources / "transforms" / "format-result.wasm").write_bytes(b"\0asm")
    assert without_rust(sources).returncode == 1


def test_a_missing_toolchain_fails_the_check_on_ci(sources: Path):
    command = [sys.executable, str(sources / "transforms" / "build.py"), "check"]
    environment = {**os.environ, "CI": "true", "PATH": "/nonexistent"}
    assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 1


def test_a_fresh_build_in_another_folder_gives_the_same_modules(sources: Path):
    needs_rust()
    command = [sys.executable, str(sources / "transforms" / "build.py"), "check"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_the_tests_of_the_crates_pass(tmp_path: Path):
    needs_rust()
    command = ["cargo", "test", "--workspace", "--locked", "--quiet"]
    environment = {**os.environ, "CARGO_TARGET_DIR": str(tmp_path)}
    tested = subprocess.run(command, cwd=TRANSFORMS, env=environment, capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout + tested.stderr
