"""The command line says in one line what an operator has forgotten."""

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings


def test_a_command_without_a_run_says_what_to_start(tmp_path: Path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_URL")}
    said = subprocess.run(
        [sys.executable, "manage.py", "make_token", "demo", "mine"],
        cwd=settings.BASE_DIR,
        env={**environment, "VAR_DIR": str(tmp_path / "nowhere")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert said.returncode == 1
    assert said.stderr.startswith("There is no database yet: start `make run`")
    assert said.stderr.count("\n") == 1
