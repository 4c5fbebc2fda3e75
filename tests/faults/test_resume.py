"""A thousand clients are cut at one moment while answers flow: each comes back and misses and repeats nothing.

By the death of the web process; with FAULTS=whole by the loss of their connections alone too.
"""

import os
import time
from collections.abc import Callable

import pytest

from tests.faults import matrix
from tests.faults.crowd import HOUSES, Crowd
from tests.faults.faults import kill
from tests.faults.stage import Scene, Stage, wait_settled
from tests.faults.verdict import judge
from tests.faults.wires import wire_to
from tests.stack import wait_until

CLIENTS = 1_000
STREAMS = 200
QUESTIONS = 5_000
CUTS = ["web, kill -9", *(["all connections reset"] if os.environ.get("FAULTS") == "whole" else [])]


@pytest.mark.parametrize("cut", CUTS)
def test_a_thousand_clients_cut_at_once_hear_each_of_their_answers_once_and_in_order(
    stage_of: Callable[[Scene], Stage], cut: str
) -> None:
    with (
        stage_of(matrix.SCENE).calm() as (stack, books),
        wire_to(stack.port) as wire,
        Crowd(f"http://127.0.0.1:{wire.port}", books.make_accounts(CLIENTS), streams=STREAMS) as crowd,
    ):
        connections = sum(client.connections for client in crowd.clients)
        books.insert(crowd.accounts, HOUSES, QUESTIONS)
        wait_until(lambda: crowd.events > QUESTIONS / 10, 60, "answers to flow")
        cut_at, heard_before = time.monotonic(), crowd.events
        if cut == "web, kill -9":
            with kill("web").strike(stack):
                pass
        else:
            wire.drop()
        restless = wait_settled(crowd, books)
        came_back = sum(client.connections for client in crowd.clients) - connections
        verdict = judge(
            crowd.clients,
            books.records(crowd.accounts),
            struck_at=cut_at,
            over_at=cut_at,
            restless=restless,
        )
    print(
        f"{cut}: {heard_before} of {QUESTIONS} heard before, {came_back} connections after, "
        f"the last has caught up after {verdict.figures.settled} s"
    )
    verdict.check()
    assert verdict.figures.answered == QUESTIONS
    assert came_back >= CLIENTS
