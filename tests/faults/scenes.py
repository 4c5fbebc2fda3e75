"""Every scene that `make faults` plays here and docs/faults.md tells of, and those that this machine can't play."""

from tests.faults import cluster_cases, matrix, rolling, weather
from tests.faults.stage import Scene

NOT_PLAYED: dict[str, str] = {scene.name: why for scene in weather.SCENES if (why := weather.missing_for(scene))}
"""Scenes left out, and why: what this machine lacks for each."""
SCENES: list[Scene] = [
    matrix.SCENE,
    cluster_cases.SCENE,
    rolling.SCENE,
    *(scene for scene in weather.SCENES if scene.name not in NOT_PLAYED),
]
