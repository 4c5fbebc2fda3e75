"""A part goes away while somebody asks: the question is accepted, and answered after the part is back."""

import os
import signal

import pytest

from tests.e2e.clients import Asker
from tests.stack import RunningStack


@pytest.mark.parametrize("part", ["kafka", "valkey"])
def test_a_question_asked_while_a_part_is_down_is_accepted_and_answered_later(
    stack: RunningStack, visitor: Asker, part: str
) -> None:
    frozen = stack.processes()[part]
    os.kill(frozen, signal.SIGSTOP)
    try:
        asked = visitor.ask()
        assert visitor.status(asked["id"])["settled_at"] is None
    finally:
        os.kill(frozen, signal.SIGCONT)
    assert visitor.wait_settled(asked["id"], seconds=60)["status"] == "answered"


@pytest.mark.parametrize("process", ["kafka", "valkey", "publisher", "transforms", "scorer", "worker", "deliverer"])
def test_a_killed_process_is_restarted_and_what_was_asked_meanwhile_is_answered(
    stack: RunningStack, visitor: Asker, process: str
) -> None:
    killed = stack.kill(process)
    asked = [visitor.ask(house_age=age)["id"] for age in (3, 6, 9)]
    for prediction in asked:
        assert visitor.wait_settled(prediction, seconds=60)["status"] == "answered"
    stack.wait_restarted(process, killed)
    assert f"{process} ended" in stack.output
