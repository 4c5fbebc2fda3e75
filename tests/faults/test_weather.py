"""Bad weather: Redis emptied, the log wiped, a full disk, a locked database, a wrong clock, a cut network.

Whatever it is, each question is answered once, and to its owner. A part of it; all with FAULTS=whole.
"""

import os
from collections.abc import Callable

import pytest

from tests.faults import weather
from tests.faults.stage import Case, Scene

IS_WHOLE = os.environ.get("FAULTS") == "whole"


CASES = [
    pytest.param(scene, case, id=case.name, marks=pytest.mark.skipif(bool(missing), reason=missing))
    for scene in weather.SCENES
    for missing in [weather.missing_for(scene)]
    for case in scene.cases
    if IS_WHOLE or (scene is weather.SCENE and case.name in weather.FAST)
]


@pytest.mark.parametrize(("scene", "case"), CASES)
def test_whatever_the_weather_each_question_is_answered_once_and_to_its_owner(
    play: Callable[[Scene, Case], None], scene: Scene, case: Case
) -> None:
    play(scene, case)
