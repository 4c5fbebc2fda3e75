"""Apache Kafka as three nodes: one leader lost, two nodes lost, under the same load and judged like the rest."""

import os
from collections.abc import Callable

import pytest

from tests.faults.cluster_cases import CASES, SCENE, fast_cases
from tests.faults.stage import Case, Scene


@pytest.mark.parametrize(
    "case", CASES if os.environ.get("FAULTS") == "whole" else fast_cases(), ids=lambda case: case.name
)
def test_every_question_is_answered_once_whichever_nodes_of_three_are_lost(
    play: Callable[[Scene, Case], None], case: Case
) -> None:
    play(SCENE, case)
