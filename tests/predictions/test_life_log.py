"""The life of predictions in the logs: found by an id, as text and as JSON, and described as it is told."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from predictions import life_log

ROOT = Path(django_settings.BASE_DIR)
IDS = ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002")
TELL = f"import django; django.setup(); from predictions import life_log; life_log.tell('scored', {IDS}, by='me')"


def told(tmp_path: Path, **environment: str) -> str:
    """What a process says that tells of two predictions."""
    environment = {"DJANGO_SETTINGS_MODULE": "housevalue.settings", "VAR_DIR": str(tmp_path), **environment}
    done = subprocess.run(
        [sys.executable, "-c", TELL], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, check=True
    )
    return done.stderr.decode()


def test_a_step_is_one_line_that_an_id_finds(tmp_path: Path):
    [line] = told(tmp_path, LOG_FORMAT="text").splitlines()
    assert re.match(r"\S+Z \[info +\] scored +\[life\]", line)
    assert "by=me" in line
    assert all(one in line for one in IDS)


def test_as_json_a_step_has_its_ids_in_a_list(tmp_path: Path):
    said = json.loads(told(tmp_path, LOG_FORMAT="json"))
    assert {name: said[name] for name in ("event", "logger", "count", "by")} == {
        "event": "scored",
        "logger": "life",
        "count": 2,
        "by": "me",
    }
    assert said["ids"] == list(IDS)


@pytest.mark.parametrize("quiet", [{"LOG_LEVELS": "life=WARNING"}, {"LOG_LEVEL": "WARNING"}])
def test_the_lines_can_be_switched_off(tmp_path: Path, quiet: dict[str, str]):
    assert told(tmp_path, **quiet) == ""


def test_a_step_that_nobody_took_is_not_told(caplog):
    life_log.tell("scored", [])
    assert caplog.records == []


def test_the_steps_that_are_told_are_those_that_are_described():
    sources = [path.read_text() for app in ("predictions", "streaming") for path in (ROOT / app).rglob("*.py")]
    steps = {step for source in sources for step in re.findall(r'life_log\.tell\(\s*"([\w-]+)"', source)}
    described = (ROOT / "docs" / "monitoring.md").read_text().partition("| step |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1] for line in described.splitlines()[2:]]
    assert steps == {step for row in rows for step in re.findall(r"`([\w-]+)`", row.partition(",")[0])}
    assert len(steps) >= 8
