#!/usr/bin/env python3
# ruff: noqa: T201 - it speaks by printing
"""Build the transforms' WebAssembly, or check that the committed modules are what their sources say.

    build.py build   compiles both crates and writes <name>.wasm and manifest.json beside this file
    build.py check   compares sources and modules with the manifest, and a fresh build where the toolchain is there

`check` ends with 1 when anything disagrees, and, with CI=true, when the toolchain that the manifest names is missing.
Needs nothing but Python; to build, Rust with `rustup target add wasm32-wasip1`.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
MANIFEST = HERE / "manifest.json"
TARGET = "wasm32-wasip1"
TRANSFORMS = ("prepare-request", "format-result")


class BuildError(Exception):
    """The modules can't be built, or are not what they should be; the text is for people."""


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def source_files() -> list[Path]:
    """Everything that decides what the modules are, apart from the toolchain."""
    patterns = ("Cargo.toml", "Cargo.lock", "*/Cargo.toml", "*/build.rs", "*/src/**/*.rs")
    found = [path for pattern in patterns for path in HERE.glob(pattern)]
    return sorted([*found, HERE.parent / "contracts" / "fields.json"])


def sources_digest() -> str:
    lines = (f"{sha256(path.read_bytes())}  {os.path.relpath(path, HERE)}\n" for path in source_files())
    return sha256("".join(lines).encode())


def toolchain() -> str | None:
    """`rustc --version`, or None where Rust or its WebAssembly target is missing."""
    if shutil.which("rustc") is None or shutil.which("cargo") is None:
        return None
    target = _output("rustc", "--print", "target-libdir", "--target", TARGET)
    return _output("rustc", "--version") if Path(target).is_dir() else None


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=HERE).stdout.strip()


def compile_modules(into: Path) -> dict[str, bytes]:
    """Compile every transform with `into` as cargo's target folder; the modules by name.

    The paths of this machine are mapped away: the same sources and toolchain give the same bytes anywhere.
    """
    subprocess.run(["cargo", "fetch", "--locked", "--quiet"], cwd=HERE, check=False)  # a failure shows in the build
    cargo_home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    # A registry's folder is named after its address, which a mirror changes. Of several mappings the last one wins.
    registries = sorted((cargo_home / "registry" / "src").glob("*"))
    mapped = [(HERE, "."), (cargo_home, "cargo"), *((registry, "crates") for registry in registries)]
    environment = {
        **os.environ,
        "CARGO_TARGET_DIR": str(into),
        "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(f"--remap-path-prefix={path}={name}" for path, name in mapped),
    }
    command = ["cargo", "build", "--release", "--locked", "--target", TARGET, "--quiet"]
    if subprocess.run(command, cwd=HERE, env=environment, check=False).returncode:
        raise BuildError("cargo could not build the transforms")
    return {name: (into / TARGET / "release" / f"{name}.wasm").read_bytes() for name in TRANSFORMS}


def build() -> None:
    rustc = toolchain()
    if rustc is None:
        raise BuildError(f"Rust or its target is missing: install rustup, then `rustup target add {TARGET}`")
    modules = compile_modules(HERE / "target")
    for name, module in modules.items():
        (HERE / f"{name}.wasm").write_bytes(module)
        print(f"{name}.wasm: {len(module):,} bytes, sha256 {sha256(module)}")
    manifest = {
        "toolchain": rustc,
        "target": TARGET,
        "sources": sources_digest(),
        "modules": {name: sha256(module) for name, module in modules.items()},
    }
    MANIFEST.write_text(json.dumps(manifest, indent=2) + "\n")


def check() -> None:
    manifest = json.loads(MANIFEST.read_text())
    if manifest["sources"] != sources_digest():
        raise BuildError("the sources changed since the modules were built: run redpanda/transforms/build.py build")
    committed = {name: sha256((HERE / f"{name}.wasm").read_bytes()) for name in TRANSFORMS}
    if manifest["modules"] != committed:
        raise BuildError("a committed .wasm is not the one in manifest.json")
    print("sources, modules and manifest agree")
    rustc = toolchain()
    if rustc != manifest["toolchain"]:
        reason = f"not rebuilt: the modules were made by {manifest['toolchain']}, here is {rustc or 'none'}"
        if os.environ.get("CI") == "true":
            raise BuildError(reason)
        print(reason)
        return
    with tempfile.TemporaryDirectory() as folder:
        rebuilt = {name: sha256(module) for name, module in compile_modules(Path(folder)).items()}
    if rebuilt != committed:
        raise BuildError("a fresh build gives other modules than the committed ones")
    print("a fresh build gives the same modules")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["build", "check"])
    try:
        {"build": build, "check": check}[parser.parse_args().command]()
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
