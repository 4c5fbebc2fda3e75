"""`make run CONNECT=1`: every request goes through Connect, and files that are dropped are answered."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.making import FEATURES
from tests.stack import RunningStack, running_stack, survivors, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def stack(engine: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    var_dir = tmp_path_factory.mktemp("run") / "var"
    with running_stack(var_dir, env={"CONNECT": "1"}) as running:
        yield running
    assert survivors(var_dir) == []


def metrics(stack: RunningStack, pipeline: str) -> str:
    port = json.loads((stack.var_dir / "ports.json").read_text())[f"connect_{pipeline}"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as response:
        return response.read().decode()


def ask(stack: RunningStack) -> str:
    response = httpx.post(f"{stack.base_url}/predict_api", json=FEATURES, timeout=30)
    assert response.status_code == 202, response.text
    return f"{stack.base_url}{response.json()['status_url']}"


def wait_answered(url: str, seconds: float = 60) -> None:
    wait_until(lambda: httpx.get(url, timeout=10).json()["status"] == "answered", seconds, "the answer")


def sources_of_answers(stack: RunningStack) -> list[str]:
    """The source of every answered prediction of the demo user."""
    code = (
        "from predictions.models import Prediction; print('SOURCES', *Prediction.objects"
        ".filter(status='answered', owner__username='demo').values_list('source', flat=True))"
    )
    done = stack.manage("shell", "-v0", "-c", code)
    [line] = [line for line in done.stdout.splitlines() if line.startswith("SOURCES")]
    return line.split()[1:]


def test_a_question_goes_through_the_door_of_connect_and_is_answered_and_archived(stack: RunningStack) -> None:
    assert {"connect-ingress", "connect-feed", "connect-results", "connect-dead-letters"} <= stack.processes().keys()
    wait_answered(ask(stack))
    assert 'output_sent{label="brokers",path="root.output"} 1' in metrics(stack, "ingress")
    archive = stack.var_dir / "connect" / "archive"
    wait_until(lambda: list(archive.glob("*.ndjson")), 30, "the archive")
    [line] = next(archive.glob("*.ndjson")).read_text().splitlines()
    assert json.loads(line)["features"] == FEATURES


def test_a_file_in_the_drop_folder_becomes_answers_of_its_account_and_a_second_time_none(stack: RunningStack) -> None:
    drop = stack.var_dir / "connect" / "drop"
    lines = [",".join(FEATURES), *[",".join(map(str, FEATURES.values()))] * 3]
    for _ in range(2):
        (drop / "houses.csv.part").write_text("\n".join(lines))
        (drop / "houses.csv.part").rename(drop / "houses.csv")
        wait_until(lambda: not (drop / "houses.csv").exists(), 30, "the file to be moved")
        wait_until(lambda: len(sources_of_answers(stack)) >= 3, 60, "three answers")
    # What the second file put on the log is behind these answers.
    wait_answered(ask(stack))
    assert sources_of_answers(stack) == ["csv-drop"] * 3


def test_connect_killed_while_questions_come_leaves_none_unanswered(stack: RunningStack) -> None:
    asked = [ask(stack) for _ in range(5)]
    pid = stack.kill("connect-ingress")
    asked += [ask(stack) for _ in range(5)]
    stack.wait_restarted("connect-ingress", pid)
    asked += [ask(stack) for _ in range(5)]
    for url in asked:
        wait_answered(url)
