"""Bad weather: Redis emptied, the log wiped, a full disk, a locked database, a wrong clock, a cut network.

Whatever it is, each question is answered once, and to its owner. A part of it; all with FAULTS=whole.
"""

import os
from collections.abc import Callable

import pytest

from tests.faults import weather
from tests.faults.stage import Case, Scene

CASES = [case for case in weather.SCENE.cases if os.environ.get("FAULTS") == "whole" or case.name in weather.FAST]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_whatever_the_weather_each_question_is_answered_once_and_to_its_owner(
    play: Callable[[Scene, Case], None], case: Case
) -> None:
    play(weather.SCENE, case)
