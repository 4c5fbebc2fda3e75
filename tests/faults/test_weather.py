"""Bad weather: Redis emptied, the log wiped, a full disk, a locked database, a wrong clock, a cut network.

Whatever it is, each question is answered once, and to its owner. A part of it; all with FAULTS=whole.
"""

import os
from collections.abc import Callable

import pytest

from tests.faults import clocks, disk, outside, weather
from tests.faults.stage import Case, Scene

IS_WHOLE = os.environ.get("FAULTS") == "whole"


def needs(scene: Scene) -> str:
    """What this machine lacks for a scene; empty when it can be played."""
    if scene is clocks.SCENE and clocks.libfaketime() is None:
        return "libfaketime is missing: apt install faketime"
    if scene is disk.SCENE and not disk.can_mount():
        return "only root may mount a small disk"
    return ""


CASES = [
    pytest.param(scene, case, id=case.name, marks=pytest.mark.skipif(bool(needs(scene)), reason=needs(scene)))
    for scene in (weather.SCENE, outside.SCENE, clocks.SCENE, disk.SCENE)
    for case in scene.cases
    if IS_WHOLE or (scene is weather.SCENE and case.name in weather.FAST)
]


@pytest.mark.parametrize(("scene", "case"), CASES)
def test_whatever_the_weather_each_question_is_answered_once_and_to_its_owner(
    play: Callable[[Scene, Case], None], scene: Scene, case: Case
) -> None:
    play(scene, case)
