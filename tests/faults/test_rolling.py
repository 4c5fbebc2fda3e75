"""Every process is replaced under load, and nobody notices more than a pause."""

import os
from collections.abc import Callable

import pytest

from tests.faults.rolling import SCENE, fast_cases
from tests.faults.stage import Case, Scene

CASES = SCENE.cases if os.environ.get("FAULTS") == "whole" else fast_cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_rolling_restart_loses_and_doubles_nothing(play: Callable[[Scene, Case], None], case: Case) -> None:
    play(SCENE, case)
