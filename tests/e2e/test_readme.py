"""The README's curl lines work as they are printed."""

import re
import shlex
import subprocess

import pytest

from tests.e2e.clients import Asker
from tests.stack import ROOT, RunningStack

_BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
COMMANDS = [
    command
    for block in _BLOCKS
    for command in re.sub(r"\n\s+", " ", block.replace("\\\n", " ")).strip().splitlines()
    if command.startswith("curl ")
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_curl_line_of_the_readme_answers_as_promised(
    stack: RunningStack, visitor: Asker, token: str, command: str
) -> None:
    asked = visitor.ask()
    visitor.wait_settled(asked["id"])
    here = command.replace("http://127.0.0.1:8000", stack.base_url)
    here = here.replace("$ID", asked["id"]).replace("$TOKEN", token)
    done = subprocess.run(shlex.split(here), capture_output=True, text=True, timeout=30, check=False)
    # 28: --max-time ended a stream that would go on for ever.
    assert done.returncode in (0, 28), done.stderr
    assert '"id"' in done.stdout or '"results"' in done.stdout or '"errors"' in done.stdout


def test_there_are_curl_lines_to_test() -> None:
    assert len(COMMANDS) >= 6
