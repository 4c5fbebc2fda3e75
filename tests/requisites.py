"""Programs that tests need beside Python packages: installed on Debian as root, named elsewhere."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests import postgres

WASM_TARGET = "wasm32-wasip1"


@dataclass(frozen=True)
class Requisite:
    """`how` says what a person types; `packages` is what apt installs."""

    name: str
    is_there: Callable[[], bool]
    what_is_lost: str
    how: str
    packages: tuple[str, ...] = ()


def has_wasm_target() -> bool:
    if shutil.which("cargo") is None:
        return False
    command = ["rustc", "--print", "target-libdir", "--target", WASM_TARGET]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    return asked.returncode == 0 and Path(asked.stdout.strip()).is_dir()


def chromium_path() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


def has_browser() -> bool:
    return chromium_path() is not None


REQUISITES = (
    Requisite("chromium", has_browser, "the page in a browser", "apt install chromium", ("chromium",)),
    Requisite(
        "PostgreSQL", postgres.is_installed, "the database tests on it", "apt install postgresql", ("postgresql",)
    ),
    Requisite(
        "nginx",
        lambda: shutil.which("nginx", path="/usr/sbin:/usr/bin") is not None,
        "nginx before the web process",
        "apt install nginx-light",
        ("nginx-light",),
    ),
    Requisite(
        "libfaketime",
        lambda: any(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")),
        "a wrong clock in the whole of the fault tests",
        "apt install faketime",
        ("faketime",),
    ),
    Requisite(
        "Rust for WebAssembly",
        has_wasm_target,
        "that the transforms are what their sources say",
        f"rustup target add {WASM_TARGET}",
    ),
)


def install_missing() -> list[Requisite]:
    """Install what can be installed here; what is missing after that."""
    missing = _missing()
    packages = [package for requisite in missing for package in requisite.packages]
    if packages and shutil.which("apt-get") and os.geteuid() == 0:
        print(f"apt-get install {' '.join(packages)}", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *packages]):
            subprocess.run(["apt-get", *arguments], env=environment, stdout=subprocess.DEVNULL, check=False)
    if not has_wasm_target() and shutil.which("rustup"):
        print(f"rustup target add {WASM_TARGET}", flush=True)
        subprocess.run(["rustup", "target", "add", WASM_TARGET], check=False)
    return _missing()


def _missing() -> list[Requisite]:
    return [requisite for requisite in REQUISITES if not requisite.is_there()]
