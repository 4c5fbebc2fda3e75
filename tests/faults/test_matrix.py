"""Each part is killed, ended and frozen, with nothing asked, at 50/s and amid 5,000: nothing is lost or told twice.

A part of the matrix; all of it with FAULTS=whole. `make faults` plays it too and writes docs/faults.md.
"""

import os
from collections.abc import Callable

import pytest

from tests.faults import matrix
from tests.faults.stage import Case, Scene

CASES = matrix.CASES if os.environ.get("FAULTS") == "whole" else matrix.fast_cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_whatever_dies_each_question_is_answered_once_and_to_its_owner(
    play: Callable[[Scene, Case], None], case: Case
) -> None:
    play(matrix.SCENE, case)
