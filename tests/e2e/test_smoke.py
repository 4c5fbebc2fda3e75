"""The question that `docker/smoke.sh` asks a deployment, asked of this run."""

import subprocess

from django.conf import settings

from tests.stack import RunningStack


def test_the_smoke_test_is_answered_streamed_and_refuses_a_bad_question(stack: RunningStack):
    script = settings.BASE_DIR / "docker" / "smoke.sh"
    done = subprocess.run(["sh", script, "--ask", stack.base_url], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "answered: " in done.stdout
    assert "streamed: data:" in done.stdout
    assert "a bad question is refused: 4" in done.stdout
    assert "the whole path works" in done.stdout
